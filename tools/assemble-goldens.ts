/**
 * Writes test/goldens/x86-encodings.json: assembly text -> bytes, by GNU as. Run after a change of the instruction table:
 *
 *     npx tsx tools/assemble-goldens.ts
 *
 * The tests compare with the file, so they need no binutils.
 */
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { printInstruction } from "../src/targets/x86/assembler/index.ts";
import { encoderCases } from "../test/targets/x86/encoder-cases.ts";

const texts = [...new Set(encoderCases().map(({ form, operands }) => printInstruction(form.mnemonic, operands)))];
const folder = mkdtempSync(join(tmpdir(), "assemble-"));
try {
  const source = join(folder, "cases.s");
  writeFileSync(source, `.intel_syntax noprefix\n${texts.join("\n")}\n`);
  const object = join(folder, "cases.o");
  const listing = execFileSync("as", ["-aln", "--listing-lhs-width=4", "-o", object, source], {
    encoding: "utf8",
    maxBuffer: 1 << 28,
  });
  const bytesByLine = new Map<number, string>();
  for (const line of listing.split("\n")) {
    const match = /^\s*(\d+)\s+[0-9a-f]{4,}\s+((?:[0-9A-F]+ ?)+)\s/.exec(line);
    if (match) bytesByLine.set(Number(match[1]), match[2].replaceAll(" ", "").toLowerCase());
  }
  const version = execFileSync("as", ["--version"], { encoding: "utf8" }).split("\n")[0];
  const encodings = Object.fromEntries(texts.map((text, index) => [text, bytesByLine.get(index + 2)]));
  const missing = texts.filter((text) => encodings[text] === undefined);
  if (missing.length > 0) throw new Error(`no bytes for:\n${missing.slice(0, 20).join("\n")}`);
  const path = fileURLToPath(new URL("../test/goldens/x86-encodings.json", import.meta.url));
  writeFileSync(path, `${JSON.stringify({ version, encodings }, undefined, 0)}\n`);
  console.log(`${texts.length} encodings by ${version}`);
} finally {
  rmSync(folder, { recursive: true });
}
