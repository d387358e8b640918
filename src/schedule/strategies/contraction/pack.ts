import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister } from "../../../kernel/ir.ts";

/** A strided matrix of `lanes` x `count` copied to rows of `width` floats, one row per step of a reduction. */
export interface PanelCopy {
  /** Address of element (lane 0, step 0); strides in elements. */
  readonly source: IntRegister;
  readonly laneStride: number;
  readonly stepStride: number;
  readonly lanes: number;
  readonly count: IntOperand;
  /** A register count is a multiple of 16, or leaves this rest. */
  readonly countRest: number;
  readonly destination: IntRegister;
  readonly width: number;
}

/**
 * Emits `destination[step · width + lane] = source[lane · laneStride + step · stepStride]`. Rows are copied where lanes are contiguous,
 * 16 x 16 blocks transposed where steps are, anything else gathered. Nothing outside the matrix is read or written.
 */
export function emitPanelCopy(k: KernelBuilder, copy: PanelCopy): void {
  const groups: { readonly first: number; readonly lanes: number }[] = [];
  for (let first = 0; first < copy.lanes; first += 16) groups.push({ first, lanes: Math.min(16, copy.lanes - first) });
  if (copy.laneStride === 1 || copy.stepStride !== 1) copyRows(k, copy, groups);
  else for (const group of groups) transposeBlocks(k, copy, group.first, group.lanes);
}

function copyRows(
  k: KernelBuilder,
  copy: PanelCopy,
  groups: readonly { readonly first: number; readonly lanes: number }[],
): void {
  const { count, width, laneStride, stepStride } = copy;
  const indices = laneStride === 1 ? undefined : k.binary("imul", k.laneIndex(), k.constant(laneStride, "i32"));
  const source = k.intMove(copy.source);
  const row = (destination: IntRegister, u: number): void => {
    for (const { first, lanes } of groups) {
      const options = lanes < 16 ? { lanes } : {};
      const displacement = 4 * (u * stepStride + first * laneStride);
      const value = indices
        ? k.gather(k.address(k.at(source, displacement)), indices, 4, 0, "f32", options)
        : k.load(k.at(source, displacement), "f32", options);
      k.store(value, k.at(destination, 4 * (u * width + first)), "f32", options);
    }
  };
  const unroll = 4;
  const whole = typeof count === "number" ? count - (count % unroll) : k.intBinary("and", count, -unroll);
  const middle = end(k, copy.destination, whole, width);
  k.loop(copy.destination, middle, unroll * width * 4, (destination) => {
    for (let u = 0; u < unroll; u++) row(destination, u);
    k.add(source, unroll * stepStride * 4, source);
  });
  const exact = typeof count === "number" ? count % unroll === 0 : copy.countRest % unroll === 0;
  if (exact) return;
  k.loop(middle, end(k, copy.destination, count, width), width * 4, (destination) => {
    row(destination, 0);
    k.add(source, stepStride * 4, source);
  });
}

function transposeBlocks(k: KernelBuilder, copy: PanelCopy, first: number, lanes: number): void {
  const { count, width, laneStride } = copy;
  const source = k.address(k.at(copy.source, 4 * first * laneStride));
  const block = (destination: IntRegister, steps: number): void => {
    const options = steps < 16 ? { lanes: steps } : {};
    const registers = Array.from({ length: 16 }, (_, lane) =>
      lane < lanes ? k.load(k.at(source, 4 * lane * laneStride), "f32", options) : k.constant(0),
    );
    k.transpose(registers);
    const stored = lanes < 16 ? { lanes } : {};
    for (let step = 0; step < steps; step++)
      k.store(registers[step], k.at(destination, 4 * (step * width + first)), "f32", stored);
  };
  const whole = typeof count === "number" ? count - (count % 16) : k.intBinary("and", count, -16);
  const middle = end(k, copy.destination, whole, width);
  k.loop(copy.destination, middle, 16 * width * 4, (destination) => {
    block(destination, 16);
    k.add(source, 64, source);
  });
  if (copy.countRest === 0) return;
  if (typeof count === "number") block(middle, copy.countRest);
  else k.if(k.compare("lt", asInt(k, whole), count), () => block(middle, copy.countRest));
}

const asInt = (k: KernelBuilder, value: IntOperand): IntRegister =>
  typeof value === "number" ? k.intConstant(value) : value;

function end(k: KernelBuilder, base: IntRegister, rows: IntOperand, width: number): IntRegister {
  return typeof rows === "number" ? k.address(k.at(base, rows * width * 4)) : k.add(base, k.mul(rows, width * 4));
}
