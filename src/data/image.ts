import { ArgumentError } from "../errors.ts";

/** What the bytes of a pixel are: grey, grey and opacity, colour, colour and opacity (PIL's names). */
export type ImageMode = "L" | "LA" | "RGB" | "RGBA";

const modes: readonly ImageMode[] = ["L", "LA", "RGB", "RGBA"];

/**
 * An image of bytes: `height` rows of `width` pixels of `channels` bytes each, as a PIL image of mode L, LA, RGB or RGBA would hold it. Images are values:
 * no operation changes the bytes of one.
 *
 * @example
 * ```ts
 * const image = new Image(2, 1, 3, new Uint8Array([255, 0, 0, 0, 0, 255])); // a red and a blue pixel
 * ```
 */
export class Image {
  readonly width: number;
  readonly height: number;
  readonly channels: number;
  /** Row-major, channels last. */
  readonly data: Uint8Array;

  /** @throws ArgumentError when sizes are no positive integers, or do not match the number of bytes. */
  constructor(width: number, height: number, channels: number, data?: Uint8Array | Uint8ClampedArray) {
    if (!Number.isInteger(width) || !Number.isInteger(height) || width < 1 || height < 1) {
      throw new ArgumentError(`Image: width and height must be positive integers, received ${width} x ${height}.`);
    }
    if (!Number.isInteger(channels) || channels < 1 || channels > 4) {
      throw new ArgumentError(`Image: expected 1 (L), 2 (LA), 3 (RGB) or 4 (RGBA) channels, received ${channels}.`);
    }
    const bytes = data ?? new Uint8Array(width * height * channels);
    if (bytes.length !== width * height * channels) {
      throw new ArgumentError(
        `Image: ${width} x ${height} pixels of ${channels} channels take ${width * height * channels} bytes, received ${bytes.length}.`,
      );
    }
    this.width = width;
    this.height = height;
    this.channels = channels;
    this.data = bytes instanceof Uint8Array ? bytes : new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length);
  }

  get mode(): ImageMode {
    return modes[this.channels - 1] as ImageMode;
  }
  /** [width, height], as PIL's `size`. */
  get size(): readonly [width: number, height: number] {
    return [this.width, this.height];
  }
  /** Whether another image has the same size, channels and bytes. */
  equals(other: Image): boolean {
    return (
      this.width === other.width &&
      this.height === other.height &&
      this.channels === other.channels &&
      this.data.every((byte, at) => byte === other.data[at])
    );
  }
  toString(): string {
    return `Image(${this.mode}, ${this.width}x${this.height})`;
  }
}
