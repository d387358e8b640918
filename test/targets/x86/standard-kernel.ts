import { KernelBuilder } from "../../../src/kernel/builder.ts";
import { interpretKernel } from "../../../src/kernel/interpreter.ts";
import type { Kernel } from "../../../src/kernel/ir.ts";
import { printKernel } from "../../../src/kernel/printer.ts";
import { compileKernel } from "../../../src/targets/x86/codegen/compile-kernel.ts";
import { kernelBuffers } from "./random-kernel.ts";
import { featureName, runNative, testFeatures } from "./run-code.ts";

const isNaNWord = (word: number) => (word & 0x7fffffff) > 0x7f800000;

/** Bit equality; two NaNs in a buffer of floats are equal (which input's payload survives is open). */
function firstDifference(expected: Uint8Array, actual: Uint8Array, floats: boolean): string | undefined {
  const left = new Int32Array(expected.buffer, expected.byteOffset, expected.length >> 2);
  const right = new Int32Array(actual.slice().buffer, 0, actual.length >> 2);
  for (let word = 0; word < left.length; word++) {
    if (left[word] === right[word] || (floats && isNaNWord(left[word]) && isNaNWord(right[word]))) continue;
    return `word ${word}: expected ${left[word].toString(16)}, got ${right[word].toString(16)}`;
  }
  return undefined;
}

/** Runs a kernel of the six standard buffers on the interpreter and as machine code. */
export function agree(kernel: Kernel, tasks: readonly number[] = [0]): void {
  const expected = kernelBuffers();
  for (const task of tasks) interpretKernel(kernel, { arguments: expected, task });
  for (const features of testFeatures) {
    const actual = runNative(kernel, features, kernelBuffers(), tasks);
    expected.forEach((buffer, index) => {
      const difference = firstDifference(buffer, actual[index], index === 3);
      if (difference !== undefined)
        throw new Error(
          `${featureName(features)}, argument ${index}: ${difference}\n${printKernel(kernel)}\n${
            compileKernel(kernel, features, { listing: true }).listing
          }`,
        );
    });
  }
}

/** A kernel over the six standard buffers: inputs 0 f32, 1 i32, 2 u8; outputs 3 f32, 4 i32, 5 u8. */
export function standard(
  name: string,
  write: (k: KernelBuilder, a: ReturnType<KernelBuilder["argument"]>[]) => void,
): Kernel {
  const k = new KernelBuilder(name, 6);
  write(
    k,
    [0, 1, 2, 3, 4, 5].map((index) => k.argument(index)),
  );
  return k.build();
}
