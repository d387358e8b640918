import { accessSync, constants, statSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { DataError } from "../errors.ts";
import { makeFolder, writeFileAtomic, writeTextAtomic } from "../interop/index.ts";

/** @throws DataError when nothing can be written to `folder`, which is made where it is missing. */
export function checkWritable(folder: string, meant: string): void {
  try {
    makeFolder(folder);
    if (!statSync(folder).isDirectory()) throw Object.assign(new Error("not a folder"), { code: "ENOTDIR" });
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (cause) {
    const code = (cause as NodeJS.ErrnoException).code ?? String(cause);
    throw new DataError(`${meant}: the folder ${folder} cannot be written to (${code}).`, { cause });
  }
}

/** Where a run writes its results. */
export class RunFolder {
  readonly path: string;

  /**
   * Makes the folder, and the one of `jsonFile`, before anything is computed.
   * @throws DataError when one of them cannot be written to.
   */
  constructor(path: string, jsonFile?: string) {
    this.path = path;
    checkWritable(resolve(path), "--out");
    if (jsonFile !== undefined) checkWritable(dirname(resolve(jsonFile)), "--json");
  }

  file(name: string): string {
    return join(this.path, name);
  }

  writeJson(name: string, content: unknown): string {
    return this.writeText(name, `${JSON.stringify(content, undefined, 2)}\n`);
  }

  /** Writes the report of a run to a path of its own. */
  writeReport(path: string, content: unknown): void {
    writeTextAtomic(path, `${JSON.stringify(content, undefined, 2)}\n`);
  }

  writeText(name: string, text: string): string {
    writeTextAtomic(this.file(name), text);
    return this.file(name);
  }

  /**
   * The PNG of an SVG through the optional package `sharp`.
   * @returns its path, or undefined where sharp is not installed.
   */
  async writePng(name: string, svg: string): Promise<string | undefined> {
    const rasterize = await loadSharp();
    if (rasterize === undefined) return undefined;
    writeFileAtomic(this.file(name), [await rasterize(Buffer.from(svg), { density: 144 }).png().toBuffer()]);
    return this.file(name);
  }
}

type Sharp = (input: Buffer, options: { density: number }) => { png(): { toBuffer(): Promise<Buffer> } };

async function loadSharp(): Promise<Sharp | undefined> {
  try {
    const name: string = "sharp"; // not a literal: the package is optional and its types need not be here
    return ((await import(name)) as { default: Sharp }).default;
  } catch {
    return undefined;
  }
}
