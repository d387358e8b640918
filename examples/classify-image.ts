/**
 * Says what is on an image with a network of torchvision: the five likeliest classes of ImageNet, by their numbers.
 * Run it with `npm run example classify-image -- --model resnet18 --weights FILE --image FILE`.
 */
import { parseArgs } from "node:util";
import { getModel, imageClassification, listModels, type ModelName } from "trivium/models";
import * as torch from "trivium/torch";
import { readImage } from "./support/read-image.ts";

const { values } = parseArgs({
  options: {
    model: { type: "string", default: "resnet18" },
    weights: { type: "string" },
    image: { type: "string" },
    top: { type: "string", default: "5" },
  },
});
const { weights, image } = values;
const name = values.model as ModelName;

if (weights === undefined || image === undefined) {
  console.error(`usage: classify-image --model NAME --weights FILE --image FILE [--top N]
models: ${listModels().join(", ")}

Weights are a safetensors file with torchvision's names; nothing is downloaded. In Python:
  import torchvision, safetensors.torch
  model = torchvision.models.get_model("${name}", weights="DEFAULT")
  safetensors.torch.save_file(model.state_dict(), "${name}.safetensors")
Images are PPM files, or any kind that the package sharp reads (npm install sharp).`);
  process.exit(2);
}

const model = getModel(name, { weights }).eval();
const count = model.parameters().reduce((sum, { size }) => sum + size, 0);
console.log(`${name}: ${count.toLocaleString("en")} parameters`);

const batch = imageClassification()(readImage(image)).unsqueeze(0);
const started = performance.now();
const probabilities = torch.noGrad(() => torch.nn.functional.softmax(model(batch), { dim: 1 }).squeeze(0));
const best = probabilities.topk(Number(values.top));
const classes = best.indices.dataSync();
best.values.dataSync().forEach((probability, index) => {
  console.log(`class ${classes[index]}: ${(100 * probability).toFixed(2)} %`);
});
console.log(`${(performance.now() - started).toFixed(0)} ms, compilation included`);
