/** Image files: PPM is read here, everything else by the package `sharp`. */
import { readFileSync } from "node:fs";
import { datasets, transforms } from "trivium/torch";

/** The image in a file, as RGB. */
export function readImage(path: string): transforms.Image {
  if (!path.endsWith(".ppm")) return datasets.defaultLoader(path);
  const bytes = readFileSync(path);
  // "P6", width, height and largest value, then one white space and the pixels
  const header = /^P6\s(?:#.*\s)*(\d+)\s+(\d+)\s+255\s/.exec(bytes.toString("latin1", 0, 200));
  if (!header) throw new Error(`${path}: expected a PPM file of bytes (P6, largest value 255)`);
  const [width, height] = header.slice(1).map(Number) as [number, number];
  const start = header[0].length;
  return new transforms.Image(width, height, 3, bytes.subarray(start, start + width * height * 3));
}
