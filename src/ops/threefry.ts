import { type ScalarExpression, scalarCall, scalarConstant } from "../kernel/scalar.ts";

const rotations = [
  [13, 15, 26, 6],
  [17, 29, 16, 24],
] as const;
const parity = 0x1bd11bda;

const word = (value: number): ScalarExpression => scalarConstant(value | 0, "i32");
const add = (left: ScalarExpression, right: ScalarExpression): ScalarExpression => scalarCall("add", left, right);
const xor = (left: ScalarExpression, right: ScalarExpression): ScalarExpression => scalarCall("bitXor", left, right);
const rotateLeft = (value: ScalarExpression, count: number): ScalarExpression =>
  scalarCall(
    "bitOr",
    scalarCall("shiftLeft", value, word(count)),
    scalarCall("shiftRightLogical", value, word(32 - count)),
  );

/**
 * Threefry-2x32 with 20 rounds: two words of random bits from a key of two words and a counter of two words, all i32.
 * Source: Salmon, Moraes, Dror, Shaw, "Parallel random numbers: as easy as 1, 2, 3", SC11.
 */
export function threefry(
  key: readonly [ScalarExpression, ScalarExpression],
  counter: readonly [ScalarExpression, ScalarExpression],
): readonly [ScalarExpression, ScalarExpression] {
  const keys = [key[0], key[1], xor(xor(word(parity), key[0]), key[1])];
  let x = add(counter[0], keys[0]);
  let y = add(counter[1], keys[1]);
  for (let group = 0; group < 5; group++) {
    for (const rotation of rotations[group % 2]) {
      x = add(x, y);
      y = xor(rotateLeft(y, rotation), x);
    }
    x = add(x, keys[(group + 1) % 3]);
    y = add(y, add(keys[(group + 2) % 3], word(group + 1)));
  }
  return [x, y];
}
