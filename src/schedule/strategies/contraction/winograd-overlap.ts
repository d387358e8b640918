/** What a row of tiles makes of the gradient of a convolution's input: patches of 6 x 6 whose edges overlap are added up, B m Bᵀ. */
import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntOperand, IntRegister, VectorRegister } from "../../../kernel/ir.ts";
import { EpilogueEmitter, type EpilogueTile } from "../../emit-epilogue.ts";
import { type AddressOf, operand } from "./lowering.ts";
import type { TapConvolution } from "./tap-task.ts";
import type { WinogradPlan } from "./winograd-plan.ts";
import { productBytes } from "./winograd-products.ts";
import { patchSize, tileSize, transformPatchGradient } from "./winograd-transforms.ts";

/** Rows and columns that neighbouring patches share. */
export const shared = patchSize - tileSize;

/** A task as far as it adds up patches. */
export interface OverlapState {
  readonly k: KernelBuilder;
  readonly c: TapConvolution;
  readonly plan: WinogradPlan;
  readonly address: AddressOf;
  readonly image: IntOperand;
  /** The first row of tiles whose outputs the task finishes; where it is `banded`, it computes the row above for its lower edge alone. */
  readonly firstRow: IntRegister;
  readonly banded: boolean;
  /** Room for `patchSize` times `lineBytes`: patches of a row of tiles transformed one way. */
  readonly line: IntRegister;
  /** For each vector of channels twice `lineBytes`: the lower edge of the row of tiles above. */
  readonly carry: IntRegister;
}

/** One row of tiles of one vector of channels. */
export interface OverlappingRow {
  readonly tileRow: IntRegister;
  readonly channel: IntRegister;
  readonly lanes: number;
  /** The products of the row's first tile. */
  readonly products: IntRegister;
  readonly carry: IntRegister;
}

/** Bytes of a line of the patches of a row of tiles, one vector of channels. */
export const lineBytes = ({ tileColumns }: WinogradPlan): number => 64 * (tileSize * tileColumns + shared);

/** Emits the transforms of a row of tiles, first along its lines, which tiles share, then down the columns, and the epilogue. */
export function emitOverlappingRow(state: OverlapState, row: OverlappingRow): void {
  const { k, c, plan, banded, firstRow } = state;
  emitLines(state, row);
  // rows of the input's gradient that the tiles begin with, without the padding
  const padding = c.rows.offset + shared;
  const top = k.add(k.mul(row.tileRow, tileSize), -padding);
  const all = padding === 0 && tileSize * plan.tileRows <= c.rows.count;
  const finish = (): void => {
    const whole = (): void => emitColumns(state, row, top, "whole");
    const part = (): void => emitColumns(state, row, top, "part");
    if (all) whole();
    else k.if(k.compare("ge", top, 0), () => k.if(k.compare("le", top, c.rows.count - tileSize), whole, part), part);
  };
  if (banded) k.if(k.compare("ge", row.tileRow, firstRow), finish, () => emitColumns(state, row, top, "none"));
  else finish();
  const rest = Math.min(shared, c.rows.count - (tileSize * plan.tileRows - padding));
  if (rest > 0) k.if(k.compare("eq", row.tileRow, plan.tileRows - 1), () => emitLowerEdge(state, row, top, rest));
}

/** Along the six lines of the row's patches; the last two columns of one are the first of the next. */
function emitLines({ k, plan, line }: OverlapState, { products }: OverlappingRow): void {
  const from = k.intMove(products);
  k.loop(line, k.address(k.at(line, patchSize * lineBytes(plan))), lineBytes(plan), (start) => {
    const at = k.intMove(from);
    const to = k.intMove(start);
    const edge = Array.from({ length: shared }, () => k.unary("move", k.constant(0)));
    k.loop(0, plan.tileColumns, 1, () => {
      const values = transformPatchGradient(
        k,
        Array.from({ length: patchSize }, (_, j) => k.load(k.at(at, 64 * j))),
      );
      for (let j = 0; j < tileSize; j++)
        k.store(j < shared ? k.binary("fadd", values[j], edge[j]) : values[j], k.at(to, 64 * j));
      edge.forEach((register, j) => k.unary("move", values[tileSize + j], register));
      k.add(at, productBytes(plan), at);
      k.add(to, 64 * tileSize, to);
    });
    edge.forEach((register, j) => {
      k.store(register, k.at(to, 64 * j));
    });
    k.add(from, 64 * patchSize, from);
  });
}

/** Down the columns: adds the lower edge of the row above, finishes four rows or those of them that exist, keeps this row's lower edge. */
function emitColumns(
  state: OverlapState,
  row: OverlappingRow,
  top: IntRegister,
  finished: "whole" | "part" | "none",
): void {
  const { k, c, plan } = state;
  const bytes = lineBytes(plan);
  eachColumn(state, row, top, finished === "part", (at, put, columns) => {
    const line = k.add(state.line, at);
    const carry = k.add(row.carry, at);
    for (let j = 0; j < columns; j++) {
      const lines = Array.from({ length: patchSize }, (_, i) => k.load(k.at(line, i * bytes + 64 * j)));
      const values = transformPatchGradient(k, lines);
      for (let i = 0; i < tileSize && finished !== "none"; i++) {
        const value = i < shared ? k.binary("fadd", values[i], k.load(k.at(carry, i * bytes + 64 * j))) : values[i];
        if (finished === "whole") put(value, i, j);
        else {
          const position = k.add(top, i);
          k.if(k.compare("ge", position, 0), () =>
            k.if(k.compare("lt", position, c.rows.count), () => put(value, i, j)),
          );
        }
      }
      for (let i = 0; i < shared; i++) k.store(values[tileSize + i], k.at(carry, i * bytes + 64 * j));
    }
  });
}

/** Finishes the rows below the last row of tiles. */
function emitLowerEdge(state: OverlapState, row: OverlappingRow, top: IntRegister, rows: number): void {
  const { k, plan } = state;
  eachColumn(state, row, k.add(top, tileSize), false, (at, put, columns) => {
    const carry = k.add(row.carry, at);
    for (let j = 0; j < columns; j++)
      for (let i = 0; i < rows; i++) put(k.load(k.at(carry, i * lineBytes(plan) + 64 * j)), i, j);
  });
}

/** Columns at a time, whose outputs share their addresses. */
const columnsTogether = 2;

/**
 * Emits `body` for every column of the input's gradient; `put` finishes a value so many rows below `top` and columns further, and `apart` says that it
 * is called under conditions, where values do not share what their epilogues load.
 */
function eachColumn(
  { k, c, address, image }: OverlapState,
  { channel, lanes }: OverlappingRow,
  top: IntRegister,
  apart: boolean,
  body: (at: IntRegister, put: (value: VectorRegister, i: number, j: number) => void, columns: number) => void,
): void {
  const { request } = c;
  const options = lanes < 16 ? { lanes } : {};
  const emitter = new EpilogueEmitter(k, request.epilogue, request.output, (index) => address(operand(index)));
  const padding = c.columns.offset + shared;
  const some = (column: IntRegister, columns: number): void => {
    const here = (): EpilogueTile => emitter.at([image, top, column], channel);
    const tile = apart ? undefined : here();
    const at = k.address(k.at(k.mul(column, 64), 64 * padding));
    body(at, (value, i, j) => void (tile ?? here()).finish(value, [0, i, j, 0], options), columns);
  };
  const whole = c.columns.count - (c.columns.count % columnsTogether);
  if (whole > 0) k.loop(0, whole, columnsTogether, (column) => some(column, columnsTogether));
  if (whole < c.columns.count) some(k.intConstant(whole), c.columns.count - whole);
}
