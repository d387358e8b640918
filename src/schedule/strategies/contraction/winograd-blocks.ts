import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";
import { tileSize } from "./winograd-transforms.ts";

/** A block of tiles: its first row and column of tiles and how many there are. */
export interface Block {
  readonly row: IntRegister;
  readonly rows: IntRegister;
  readonly column: IntRegister;
  readonly columns: IntRegister;
}

/**
 * Emits `body` for every tile of a block, in a loop where tiles are whole, in code of its own at the far edges of an image of `size` outputs
 * where only `height` x `width` of them exist.
 */
export function eachTile(
  k: KernelBuilder,
  block: Block,
  size: readonly [rows: number, columns: number],
  body: (row: IntRegister, column: IntRegister, height: number, width: number) => void,
): void {
  const along = (
    start: IntRegister,
    count: IntRegister,
    outputs: number,
    visit: (index: IntRegister, length: number) => void,
  ): void => {
    const stop = k.add(start, count);
    const whole = Math.floor(outputs / tileSize);
    const rest = outputs % tileSize;
    if (whole > 0) k.loop(start, k.intBinary("min", stop, whole), 1, (index) => visit(index, tileSize));
    if (rest > 0) k.if(k.compare("gt", stop, whole), () => visit(k.intConstant(whole), rest));
  };
  along(block.row, block.rows, size[0], (row, height) =>
    along(block.column, block.columns, size[1], (column, width) => body(row, column, height, width)),
  );
}
