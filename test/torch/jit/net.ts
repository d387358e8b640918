import type { Tensor } from "../../../src/tensor/index.ts";
import * as nn from "../../../src/torch/nn/index.ts";

import { hashed } from "../../hashed.ts";

/** A small network with everything that tracing has to follow: convolution, statistics, dropout. */
export class Net extends nn.Module {
  conv = new nn.Conv2d(3, 4, 3, { padding: 1 });
  norm = new nn.BatchNorm2d(4);
  hidden = new nn.Linear(64, 10);
  drop = new nn.Dropout(0.5);
  output = new nn.Linear(10, 5);
  override forward(x: Tensor): Tensor {
    const features = this.norm(this.conv(x)).relu();
    const flat = nn.functional.maxPool2d(features, 2).flatten(1);
    return this.output(this.drop(this.hidden(flat).relu())).logSoftmax(1);
  }
}

/** Images for it. */
export const images = (batch: number, stream = 1): Tensor => hashed(stream, [batch, 3, 8, 8]);
