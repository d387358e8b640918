import { createHash } from "node:crypto";
import { Image } from "../../src/data/index.ts";
import { hashUniform } from "../../src/testing/hash-uniform.ts";

/** The image that tools/goldens/pillow_images.py makes of a stream. */
export function picture(stream: number, width: number, height: number, channels: number): Image {
  const values = hashUniform(stream, width * height * channels, 0, 256);
  const bytes = Uint8Array.from(values, (value) => Math.min(255, Math.floor(value)));
  return new Image(width, height, channels, stream % 3 === 0 ? bytes.map((byte) => (byte > 127 ? 255 : 0)) : bytes);
}

/** The first digits of a SHA-1, as the goldens keep them. */
export function digest(...parts: readonly Uint8Array[]): string {
  const hash = createHash("sha1");
  for (const part of parts) hash.update(part);
  return hash.digest("hex").slice(0, 16);
}

/** A result of the goldens: its size, and its bytes or their digest. */
export interface GoldenImage {
  readonly width: number;
  readonly height: number;
  readonly bytes?: readonly number[];
  readonly sha1?: string;
}

/** What an image would be in the goldens. */
export function goldenOf({ width, height, data }: Image): GoldenImage {
  return data.length <= 12 ? { width, height, bytes: Array.from(data) } : { width, height, sha1: digest(data) };
}
