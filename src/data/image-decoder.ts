/** Decoding image files with `sharp` (an optional peer), synchronously: a thread decodes while this one waits. */
import { createRequire } from "node:module";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { MessageChannel, type MessagePort, receiveMessageOnPort, Worker } from "node:worker_threads";
import { DataError, UnsupportedError } from "../errors.ts";
import { Image } from "./image.ts";

type Answer =
  | { readonly data: Uint8Array; readonly width: number; readonly height: number; readonly channels: number }
  | { readonly error: string };

/** One request at a time: a path in, pixels out. Colours become sRGB bytes; opacity is dropped, as PIL's convert("RGB") drops it. */
const decoderThread = `
const { workerData } = require("node:worker_threads");
const { port, control, sharpPath, largestPixels } = workerData;
const answer = (message, transfer) => {
  port.postMessage(message, transfer);
  Atomics.add(control, 0, 1);
  Atomics.notify(control, 0);
};
let sharp;
port.on("message", async (path) => {
  try {
    sharp ??= require(sharpPath);
    const image = sharp(path, { limitInputPixels: largestPixels }).toColourspace("srgb").removeAlpha();
    const { data, info } = await image.raw({ depth: "uchar" }).toBuffer({ resolveWithObject: true });
    const copy = Uint8Array.from(data);
    answer({ data: copy, width: info.width, height: info.height, channels: info.channels }, [copy.buffer]);
  } catch (error) {
    answer({ error: String(error && error.message || error) });
  }
});`;

/** Files that claim more pixels are refused by the decoder. */
const largestPixels = 2 ** 28;

function sharpPath(): string {
  for (const from of [pathToFileURL(join(process.cwd(), "package.json")).href, import.meta.url]) {
    try {
      return createRequire(from).resolve("sharp");
    } catch {
      // not seen from here
    }
  }
  throw new UnsupportedError(
    "decoding image files needs the package sharp, which is not installed: npm install sharp. (Or give ImageFolder a loader of your own.)",
  );
}

class Decoder {
  private readonly port: MessagePort;
  private readonly control = new Int32Array(new SharedArrayBuffer(4));

  constructor() {
    const { port1, port2 } = new MessageChannel();
    const start = { port: port2, control: this.control, sharpPath: sharpPath(), largestPixels };
    const thread = new Worker(decoderThread, { eval: true, execArgv: [], workerData: start, transferList: [port2] });
    thread.unref();
    port1.unref();
    this.port = port1;
  }

  decode(path: string): Image {
    const seen = Atomics.load(this.control, 0);
    this.port.postMessage(path);
    Atomics.wait(this.control, 0, seen);
    const answer = receiveMessageOnPort(this.port)?.message as Answer | undefined;
    if (!answer || "error" in answer) {
      throw new DataError(`${path}: cannot be decoded (${answer ? answer.error : "the decoder gave no answer"}).`);
    }
    return threeChannels(new Image(answer.width, answer.height, answer.channels, answer.data));
  }
}

/** RGB, whatever the file held. */
function threeChannels(image: Image): Image {
  if (image.channels === 3) return image;
  const { width, height, channels, data } = image;
  const grey = channels < 3;
  const target = new Uint8Array(width * height * 3);
  for (let pixel = 0; pixel < width * height; pixel++) {
    for (let channel = 0; channel < 3; channel++)
      target[pixel * 3 + channel] = data[pixel * channels + (grey ? 0 : channel)]!;
  }
  return new Image(width, height, 3, target);
}

let decoder: Decoder | undefined;

/**
 * The pixels of an image file, as RGB.
 * @throws UnsupportedError that says what to install; DataError when the file is no image.
 */
export function decodeImageFile(path: string): Image {
  decoder ??= new Decoder();
  return decoder.decode(path);
}
