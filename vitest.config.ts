import { fileURLToPath } from "node:url";
import { defineConfig } from "vitest/config";

const source = (path: string) => fileURLToPath(new URL(`./src/${path}`, import.meta.url));

export default defineConfig({
  resolve: {
    alias: [
      { find: /^trivium$/, replacement: source("index.ts") },
      { find: /^trivium\/(keras|torch|tf|models)$/, replacement: source("$1/index.ts") },
    ],
  },
  test: { include: ["test/**/*.test.ts"], pool: "forks", testTimeout: 120_000, env: { TRIVIUM_VERIFY: "1" } },
});
