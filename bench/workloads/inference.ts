import { getModel, type ModelName } from "../../src/models/index.ts";
import * as torch from "../../src/torch/index.ts";
import { inferWorkloads } from "../catalogue.ts";
import { data, fillModule } from "./fill.ts";
import { seedsInferenceStep } from "./seeds-network.ts";
import type { Step, Workload } from "./step.ts";

/** Logits of a torchvision network in evaluation mode, for images of 224x224. */
function modelStep(name: ModelName, batch: number): Step {
  const model = fillModule(getModel(name)).eval();
  const forward = torch.compile(model);
  const images = data("images", [batch, 3, 224, 224], -1, 1);
  return () => torch.noGrad(() => forward(images).dataSync() as Float32Array);
}

export const inferenceNetworks: Readonly<Record<string, Workload>> = Object.fromEntries(
  inferWorkloads.map(({ name }): [string, Workload] => [
    name,
    { make: (batch) => (name === "seeds-cnn" ? seedsInferenceStep(batch) : modelStep(name as ModelName, batch)) },
  ]),
);
