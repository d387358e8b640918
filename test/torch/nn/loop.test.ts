/** PyTorch's plain loop: what may be read after a step, how often programs are compiled, what channels-first costs. */
import { beforeAll, describe, expect, it } from "vitest";
import { StaleTensorError } from "../../../src/errors.ts";
import { compile, engine, noGrad, ones, setRandomSeed, type Tensor, tensor, zeros } from "../../../src/tensor/index.ts";
import { hashLabels, hashUniform } from "../../../src/testing/hash-uniform.ts";
import { nn, optim } from "../../../src/torch/index.ts";
import { useFastTarget } from "./golden.ts";

const F = nn.functional;
beforeAll(useFastTarget);

/** The seeds' network over 8x8 images. */
class SmallNet extends nn.Module {
  fc1 = new nn.Linear(64, 32);
  fc2 = new nn.Linear(32, 10);
  hidden: Tensor | undefined;
  override forward(x: Tensor): Tensor {
    this.hidden = F.relu(this.fc1(x.flatten(1)));
    return this.fc2(this.hidden);
  }
}
/** conv-relu-pool-linear. */
class ConvNet extends nn.Module {
  conv1 = new nn.Conv2d(1, 8, 3, 1);
  norm = new nn.BatchNorm2d(8);
  dropout = new nn.Dropout(0.25);
  fc1 = new nn.Linear(8 * 3 * 3, 10);
  override forward(x: Tensor): Tensor {
    x = F.relu(this.norm(this.conv1(x)));
    x = F.maxPool2d(x, 2);
    return this.fc1(this.dropout(x.flatten(1)));
  }
}

const batch = (step: number, size = 16): [Tensor, Tensor] => {
  const labels = hashLabels(7 + step, size, 10);
  const images = hashUniform(100 + step, size * 64).map((value, index) => value * 0.3 + labels[(index / 64) | 0] * 0.2);
  return [tensor(images, { shape: [size, 1, 8, 8] }), tensor(labels)];
};

describe("the usual loop", () => {
  for (const [name, make] of [
    ["8x8 network", () => new SmallNet()],
    ["convolutional network", () => new ConvNet()],
  ] as const) {
    it(`${name}: loss and predictions read after step() are those before it; compilations stop`, () => {
      setRandomSeed(1);
      const model: nn.Module = make();
      const criterion = new nn.CrossEntropyLoss();
      const optimizer = new optim.SGD(model.parameters(), { lr: 0.05, momentum: 0.9 });
      const losses: number[] = [];
      const compilations: number[] = [];
      for (let step = 0; step < 100; step++) {
        const [images, labels] = batch(step % 10);
        const probe = step === 50 && !(model instanceof ConvNet) ? noGrad(() => model(images)).toArray() : undefined;
        optimizer.zeroGrad();
        const output = model(images);
        const loss = criterion(output, labels);
        loss.backward();
        optimizer.step();
        losses.push(loss.item());
        const predictions = output.argmax(1);
        expect(predictions.shape).toEqual([16]);
        expect(predictions.dataSync().every((label) => label >= 0 && label < 10)).toBe(true);
        if (probe) expect(output.toArray()).toEqual(probe);
        compilations.push(engine.stats().compilations);
      }
      expect(losses.slice(-10).reduce((sum, value) => sum + value)).toBeLessThan(
        losses.slice(0, 10).reduce((sum, value) => sum + value) * 0.8,
      );
      // the forward of the probe is one program more
      expect(compilations[99] - compilations[3]).toBeLessThanOrEqual(1);
      expect(compilations[99] - compilations[51]).toBe(0);
    });
  }

  it("weights are those of the same step compiled, to the bit, whatever is read on the way", () => {
    const train = (compiled: boolean): Float32Array[] => {
      setRandomSeed(1);
      const model = new ConvNet();
      const criterion = new nn.CrossEntropyLoss();
      const optimizer = new optim.Adam(model.parameters(), { lr: 0.01 });
      const plain = (images: Tensor, labels: Tensor): Tensor => {
        optimizer.zeroGrad();
        const loss = criterion(model(images), labels);
        loss.backward();
        optimizer.step();
        return loss;
      };
      const step = compiled ? compile(plain) : plain;
      for (let i = 0; i < 20; i++) {
        const loss = step(...batch(i, i % 5 === 4 ? 5 : 16));
        if (i % 2 === 0) loss.item();
        if (!compiled && i % 3 === 0) model.fc1.weight.grad?.dataSync();
      }
      return model.parameters().map((parameter) => Float32Array.from(parameter.dataSync()));
    };
    expect(train(false)).toEqual(train(true));
  });

  it("an inner activation read after step() is stale, unless it was kept", () => {
    const model = new SmallNet();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const [images, labels] = batch(1);
    const step = (keep: boolean): Tensor => {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(images), labels);
      const hidden = model.hidden as Tensor;
      if (keep) hidden.keep();
      loss.backward();
      optimizer.step();
      return hidden;
    };
    const lost = step(false);
    expect(() => lost.dataSync()).toThrow(StaleTensorError);
    expect(() => lost.dataSync()).toThrow("keep()");
    const expected = noGrad(() => F.relu(model.fc1(images.flatten(1)))).toArray();
    expect(step(true).toArray()).toEqual(expected);
  });

  it("gradients can be clipped between backward() and step()", () => {
    setRandomSeed(3);
    const model = new SmallNet();
    const optimizer = new optim.SGD(model.parameters(), { lr: 1 });
    const [images, labels] = batch(2);
    F.crossEntropy(model(images), labels).backward();
    const before = nn.utils.parametersToVector(model.parameters()).dataSync();
    const norm = nn.utils.clipGradNorm_(model.parameters(), 0.01);
    optimizer.step();
    const moved = nn.utils.parametersToVector(model.parameters()).dataSync();
    const length = Math.hypot(...moved.map((value, index) => value - before[index]));
    expect(length).toBeCloseTo(0.01, 5);
    expect(norm.item()).toBeGreaterThan(0.01);
    expect(Math.hypot(...model.parameters().flatMap(({ grad }) => [...(grad as Tensor).dataSync()]))).toBeCloseTo(
      0.01,
      5,
    );
  });

  it("a frozen layer gets no gradient; freezing and unfreezing compile once each", () => {
    const model = new SmallNet();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.1 });
    const step = (): void => {
      const [images, labels] = batch(3);
      optimizer.zeroGrad();
      F.crossEntropy(model(images), labels).backward();
      optimizer.step();
    };
    for (let i = 0; i < 3; i++) step();
    model.fc1.requiresGrad_(false);
    const weight = model.fc1.weight.toArray();
    for (let i = 0; i < 3; i++) step();
    expect(model.fc1.weight.grad).toBeUndefined();
    expect(model.fc1.weight.toArray()).toEqual(weight);
    const { compilations } = engine.stats();
    model.fc1.requiresGrad_();
    for (let i = 0; i < 3; i++) step();
    // parameters that skipped steps have a clock of their own from then on
    expect(engine.stats().compilations - compilations).toBeLessThanOrEqual(1);
    expect(model.fc1.weight.toArray()).not.toEqual(weight);
  });

  it("running statistics are updated once for each forward, however often the loss is read", () => {
    const model = new ConvNet();
    const optimizer = new optim.SGD(model.parameters(), { lr: 0.01 });
    const [images, labels] = batch(4);
    const start = noGrad(() => model.conv1(images));
    const mean = start.mean([0, 2, 3]).dataSync();
    for (let step = 1; step <= 2; step++) {
      optimizer.zeroGrad();
      const loss = F.crossEntropy(model(images), labels);
      loss.item();
      loss.item();
      loss.backward();
      optimizer.step();
      loss.item();
      expect(model.norm.num_batches_tracked?.item()).toBe(step);
      if (step === 1) {
        model.norm.running_mean
          ?.dataSync()
          .forEach((value, channel) => expect(value).toBeCloseTo(0.1 * mean[channel], 5));
      }
    }
    model.eval();
    noGrad(() => model(images)).dataSync();
    expect(model.norm.num_batches_tracked?.item()).toBe(2);
  });

  it("micro-batches add up to the gradient of the large batch", () => {
    const model = new SmallNet();
    const [images, labels] = batch(5);
    F.crossEntropy(model(images), labels).backward();
    const whole = (model.fc1.weight.grad as Tensor).dataSync();
    model.zeroGrad();
    for (let part = 0; part < 4; part++) {
      const rows = (x: Tensor): Tensor => x.narrow(0, part * 4, 4);
      F.crossEntropy(model(rows(images)), rows(labels))
        .div(4)
        .backward();
    }
    (model.fc1.weight.grad as Tensor).dataSync().forEach((value, index) => expect(value).toBeCloseTo(whole[index], 5));
  });

  it("a generator learns through a discriminator that learned from detached images", () => {
    setRandomSeed(9);
    const generator = new nn.Linear(3, 4);
    const discriminator = new nn.Sequential(new nn.Linear(4, 5), new nn.Tanh(), new nn.Linear(5, 1));
    const [forG, forD] = [generator, discriminator].map((net) => new optim.SGD(net.parameters(), { lr: 0.1 }));
    const criterion = new nn.BCEWithLogitsLoss();
    const noise = tensor(hashUniform(3, 6), { shape: [2, 3] });
    for (let step = 0; step < 3; step++) {
      const fake = generator(noise);
      forD.zeroGrad();
      criterion(discriminator(fake.detach()), zeros([2, 1])).backward();
      expect(generator.weight.grad).toBeUndefined();
      forD.step();
      forG.zeroGrad();
      criterion(discriminator(fake), ones([2, 1])).backward();
      expect((generator.weight.grad as Tensor).dataSync().some((value) => value !== 0)).toBe(true);
      forG.step();
      forG.zeroGrad();
    }
  });
});
