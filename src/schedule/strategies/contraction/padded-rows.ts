import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";
import { emitPanelCopy } from "./pack.ts";

/** Rows of an image copied with zeros around it. Strides in bytes; positions count from the image's first row and column. */
export interface PaddedRows {
  readonly source: IntRegister;
  readonly strides: readonly [row: number, column: number, channel: number];
  readonly inputRows: number;
  readonly inputColumns: number;
  readonly channels: number;
  readonly top: IntRegister;
  readonly left: number;
  readonly rows: number;
  readonly columns: number;
  readonly destination: IntRegister;
}

const chunk = 64;

/** Emits the copy to `destination[rows][columns][channels]`. */
export function emitPaddedRows(k: KernelBuilder, p: PaddedRows): void {
  const rowBytes = p.columns * p.channels * 4;
  const first = Math.min(p.columns, Math.max(0, -p.left));
  const last = Math.max(first, Math.min(p.columns, p.inputColumns - p.left));
  const [rowStride, columnStride, channelStride] = p.strides;
  const position = k.intMove(p.top);
  const destination = k.intMove(p.destination);
  k.loop(0, p.rows, 1, () => {
    const source = k.address(k.at(k.add(p.source, k.mul(position, rowStride)), (p.left + first) * columnStride));
    const copy = (): void => {
      clear(k, destination, 0, first * p.channels);
      copyRun(source);
      clear(k, destination, last * p.channels, p.columns * p.channels);
    };
    const copyRun = (from: IntRegister): void => {
      if (last === first) return;
      const to = k.address(k.at(destination, first * p.channels * 4));
      if (channelStride === 4 && columnStride === p.channels * 4) {
        copyFloats(k, from, to, (last - first) * p.channels);
        return;
      }
      for (let c = 0; c < p.channels; c += chunk)
        emitPanelCopy(k, {
          source: k.address(k.at(from, c * channelStride)),
          laneStride: channelStride / 4,
          stepStride: columnStride / 4,
          lanes: Math.min(chunk, p.channels - c),
          count: last - first,
          countRest: (last - first) % 16,
          destination: k.address(k.at(to, 4 * c)),
          width: p.channels,
        });
    };
    const blank = (): void => clear(k, destination, 0, p.columns * p.channels);
    k.if(k.compare("ge", position, 0), () => k.if(k.compare("lt", position, p.inputRows), copy, blank), blank);
    k.add(position, 1, position);
    k.add(destination, rowBytes, destination);
  });
}

/** Zeros from float `from` to float `to` of a row. */
export function clear(k: KernelBuilder, row: IntRegister, from: number, to: number): void {
  if (to <= from) return;
  const zero = k.constant(0);
  const middle = from + Math.floor((to - from) / 16) * 16;
  if (middle > from) k.loop(from, middle, 16, (i) => k.store(zero, k.at(row, i, 4)));
  if (middle < to) k.store(zero, k.at(row, 4 * middle), "f32", { lanes: to - middle });
}

/** Copies a run of floats. */
export function copyFloats(k: KernelBuilder, from: IntRegister, to: IntRegister, count: number): void {
  const middle = Math.floor(count / 16) * 16;
  if (middle > 0) k.loop(0, middle, 16, (i) => k.store(k.load(k.at(from, i, 4)), k.at(to, i, 4)));
  if (middle < count) {
    const lanes = count - middle;
    k.store(k.load(k.at(from, 4 * middle), "f32", { lanes }), k.at(to, 4 * middle), "f32", { lanes });
  }
}
