/** Folders of images: one folder for each class. */
import { readdirSync } from "node:fs";
import { join } from "node:path";
import { DataError } from "../errors.ts";

/** Endings of files that are taken for images. */
export const imageExtensions: readonly string[] = [
  ".jpg",
  ".jpeg",
  ".png",
  ".ppm",
  ".bmp",
  ".pgm",
  ".tif",
  ".tiff",
  ".webp",
];

/** What a folder of classes holds. */
export interface FolderListing {
  /** Names of the class folders, in order; a class's number is its position. */
  readonly classes: readonly string[];
  /** Each file with its class number, class by class, by name. */
  readonly samples: readonly (readonly [path: string, target: number])[];
}

const byName = (left: string, right: string) => (left < right ? -1 : left > right ? 1 : 0);

function filesBelow(folder: string): string[] {
  const entries = readdirSync(folder, { withFileTypes: true }).sort((left, right) => byName(left.name, right.name));
  const files = entries
    .filter((entry) => entry.isFile() || entry.isSymbolicLink())
    .map((entry) => join(folder, entry.name));
  // links to folders are not followed, so that no circle of them is walked
  return [
    ...files,
    ...entries.filter((entry) => entry.isDirectory()).flatMap((entry) => filesBelow(join(folder, entry.name))),
  ];
}

/**
 * Lists the classes and images of `root`, in an order that depends on names only.
 * @throws DataError when there is no class folder, or a class without images (unless `allowEmpty`).
 */
export function listImageFolder(
  root: string,
  options: { readonly extensions?: readonly string[]; readonly allowEmpty?: boolean } = {},
): FolderListing {
  const extensions = (options.extensions ?? imageExtensions).map((extension) => extension.toLowerCase());
  let classes: string[];
  try {
    const entries = readdirSync(root, { withFileTypes: true });
    classes = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  } catch (cause) {
    throw new DataError(
      `ImageFolder: ${root} cannot be read (${(cause as NodeJS.ErrnoException).code ?? String(cause)}).`,
      { cause },
    );
  }
  if (classes.length === 0) throw new DataError(`ImageFolder: ${root} holds no folders; expected one for each class.`);
  classes.sort(byName);
  const samples = classes.flatMap((name, target) => {
    const files = filesBelow(join(root, name)).filter((path) =>
      extensions.some((extension) => path.toLowerCase().endsWith(extension)),
    );
    if (files.length === 0 && !options.allowEmpty) {
      throw new DataError(`ImageFolder: class ${name} of ${root} holds no images (${extensions.join(", ")}).`);
    }
    return files.map((path) => [path, target] as const);
  });
  return { classes, samples };
}
