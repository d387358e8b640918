/** Gradients and parameters of a network as a whole. After torch.nn.utils. */
import { ArgumentError, ShapeError } from "../../../errors.ts";
import { clippedToNorm, clippedToValue, joinFlat, splitFlat } from "../../../optim/gradient-norms.ts";
import { noGrad, type Tensor, Variable } from "../../../tensor/index.ts";

export * as rnn from "./rnn.ts";

type Parameters = Variable | Iterable<Variable>;

const listOf = (parameters: Parameters): Variable[] =>
  parameters instanceof Variable ? [parameters] : [...parameters];

/**
 * Scales the gradients of all parameters together, so that their norm is at most `maxNorm`: each becomes g·min(1, maxNorm / (norm + 1e-6)).
 * Returns the norm before. Part of the step's program: nothing is computed now.
 */
export function clipGradNorm_(
  parameters: Parameters,
  maxNorm: number,
  normType: number | { readonly normType?: number; readonly errorIfNonfinite?: boolean } = 2,
): Tensor {
  const options = typeof normType === "number" ? { normType } : normType;
  if (!(maxNorm >= 0)) throw new ArgumentError(`clipGradNorm_: maxNorm must be 0 or more, received ${maxNorm}.`);
  const owners = listOf(parameters).filter(({ grad }) => grad !== undefined);
  const { norm, gradients } = noGrad(() =>
    clippedToNorm(
      owners.map(({ grad }) => grad as Tensor),
      maxNorm,
      options.normType ?? 2,
    ),
  );
  if (options.errorIfNonfinite && !Number.isFinite(norm.item())) {
    throw new ArgumentError(`clipGradNorm_: the norm of the gradients is ${norm.item()}; nothing was scaled.`);
  }
  owners.forEach((owner, index) => {
    owner.grad = gradients[index].keep();
  });
  return norm.keep();
}

/** Limits each element of the gradients to [−clipValue, clipValue]. */
export function clipGradValue_(parameters: Parameters, clipValue: number): void {
  if (!(clipValue >= 0)) throw new ArgumentError(`clipGradValue_: clipValue must be 0 or more, received ${clipValue}.`);
  noGrad(() => {
    for (const parameter of listOf(parameters)) {
      if (parameter.grad) parameter.grad = clippedToValue(parameter.grad, clipValue).keep();
    }
  });
}

/** All parameters as one vector, in order. */
export function parametersToVector(parameters: Iterable<Variable>): Tensor {
  return joinFlat([...parameters]);
}

/** Writes a vector into parameters, in order. */
export function vectorToParameters(vector: Tensor, parameters: Iterable<Variable>): void {
  const targets = [...parameters];
  const total = targets.reduce((sum, { size }) => sum + size, 0);
  if (vector.rank !== 1 || vector.size !== total) {
    throw new ShapeError(
      `vectorToParameters: expected a vector of ${total} elements, received shape (${vector.shape.join(", ")}).`,
    );
  }
  const parts = noGrad(() =>
    splitFlat(
      vector.detach(),
      targets.map(({ shape }) => shape),
    ),
  );
  targets.forEach((target, index) => target.assign(parts[index]));
}
