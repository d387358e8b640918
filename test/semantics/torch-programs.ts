/** The small network of the table as a PyTorch user writes it, with the same weights. */
import { tensor } from "../../src/index.ts";
import { nn, type Tensor } from "../../src/torch/index.ts";
import { ramp } from "./programs.ts";

/** 4 -> 8 -> 3, with the weights of `SmallNetwork`. */
export class TorchNetwork extends nn.Module {
  fc1 = new nn.Linear(4, 8);
  fc2 = new nn.Linear(8, 3, { bias: false });
  /** What the hidden layer gave in the last call. */
  activation: Tensor | undefined;

  constructor() {
    super();
    const [w1, b1, w2] = [ramp([4, 8], 0.5, 1), ramp([8], 0.1, 2), ramp([8, 3], 0.5, 3)];
    this.loadStateDict({ "fc1.weight": w1.t(), "fc1.bias": b1, "fc2.weight": w2.t() });
  }
  override forward(x: Tensor): Tensor {
    this.activation = nn.functional.relu(this.fc1(x));
    return this.fc2(this.activation);
  }
  /** Weights as the neutral network holds them: w1 (4, 8), b1, w2 (8, 3). */
  values(): number[][] {
    return [this.fc1.weight.t(), this.fc1.bias as Tensor, this.fc2.weight.t()].map((value) => [...value.dataSync()]);
  }
  /** Gradients in the same form. */
  gradients(): number[][] {
    return [this.fc1.weight.grad?.t(), this.fc1.bias?.grad, this.fc2.weight.grad?.t()].map((value) => [
      ...(value as Tensor).dataSync(),
    ]);
  }
}

/** Rows of a small classification problem. */
export function examples(rows: number, phase = 0): [inputs: Tensor, labels: Tensor] {
  const labels = Int32Array.from({ length: rows }, (_, row) => (row * 7 + phase) % 3);
  return [ramp([rows, 4], 1, phase), tensor(labels)];
}

/** Every element within a relative tolerance. */
export function expectClose(actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance = 1e-5): void {
  if (actual.length !== expected.length) throw new Error(`${actual.length} elements instead of ${expected.length}`);
  for (let i = 0; i < actual.length; i++) {
    const difference = Math.abs(actual[i] - expected[i]);
    if (!(difference <= tolerance * (1 + Math.abs(expected[i])))) {
      throw new Error(`element ${i}: ${actual[i]} instead of ${expected[i]}`);
    }
  }
}
