// The smallest program that trains, as a user of the built package writes it: prints the milliseconds from process start to its first step.
import { nn, optim, randint, randn } from "../dist/torch/index.js";

const model = new nn.Sequential(new nn.Linear(784, 32), new nn.ReLU(), new nn.Linear(32, 10));
const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
const loss = new nn.CrossEntropyLoss()(model(randn([64, 784])), randint(0, 10, [64]));
loss.backward();
optimizer.step();
loss.item();
console.log(performance.now());
