import { type Shape, stridesOf } from "../../graph/shape.ts";
import type { MovementPiece } from "../../ops/define.ts";
import { stridedOffsets } from "./strided.ts";

/** Copies each element of the result from the first piece that holds it, else `fill`. */
export function evaluateMovement(
  pieces: readonly MovementPiece[],
  fill: number,
  inputs: readonly Float64Array[],
  inputShapes: readonly Shape[],
  shape: Shape,
  size: number,
): Float64Array {
  const result = new Float64Array(size).fill(fill);
  // Last piece first, so that an earlier one overwrites it where both hold an element.
  for (let number = pieces.length - 1; number >= 0; number--) {
    const piece = pieces[number];
    copyPiece(piece, inputs[piece.input], inputShapes[piece.input], shape, result);
  }
  return result;
}

function copyPiece(
  piece: MovementPiece,
  source: Float64Array,
  sourceShape: Shape,
  shape: Shape,
  result: Float64Array,
): void {
  const sourceStrides = stridesOf(sourceShape);
  const strides = shape.map(() => 0);
  let offset = 0;
  piece.index.forEach((index, axis) => {
    offset += index.constant * sourceStrides[axis];
    for (const term of index.terms) strides[term.axis] += term.coefficient * sourceStrides[axis];
  });
  const offsets = stridedOffsets(shape, strides, offset);
  if (!piece.guarded) {
    for (let i = 0; i < result.length; i++) result[i] = source[offsets[i]];
    return;
  }
  const outside = new Uint8Array(result.length);
  piece.index.forEach((index, axis) => {
    const coefficients = shape.map(() => 0);
    for (const term of index.terms) coefficients[term.axis] += term.coefficient;
    const positions = stridedOffsets(shape, coefficients, index.constant);
    const extent = sourceShape[axis];
    for (let i = 0; i < positions.length; i++) if (positions[i] < 0 || positions[i] >= extent) outside[i] = 1;
  });
  for (let i = 0; i < result.length; i++) if (outside[i] === 0) result[i] = source[offsets[i]];
}
