import { type DType, type TensorData, viewOf } from "../graph/dtype.ts";
import type { NodeValue } from "../graph/node.ts";

/** Each number has storage of its own: a line that no other input shares. */
const bytesPerNumber = 128;

interface Slot {
  readonly value: NodeValue;
  readonly view: TensorData;
}

/** Storage of the numbers among a program's inputs, which stays from run to run. */
export class NumberInputs {
  private readonly slots: (Slot | undefined)[] = [];

  /** Writes the number that input `index` has in the next run. The program's key fixes the dtype of its inputs. */
  write(index: number, dtype: DType, value: number): NodeValue {
    let slot = this.slots[index];
    if (slot === undefined) {
      const buffer = new ArrayBuffer(bytesPerNumber);
      slot = { value: { buffer, byteOffset: 0 }, view: viewOf(dtype, buffer, 0, 1) };
      this.slots[index] = slot;
    }
    slot.view[0] = value;
    return slot.value;
  }
}
