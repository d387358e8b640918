import { beforeAll, describe, expect, test } from "vitest";
import { ArgumentError, DTypeError, GradientError, ShapeError, UnsupportedError } from "../../src/errors.ts";
import {
  compile,
  engine,
  gradients,
  ones,
  scan,
  type Tensor,
  tensor,
  Variable,
  zeros,
} from "../../src/tensor/index.ts";
import { availableTargets } from "../targets.ts";

const numbers = (size: number, phase = 0): number[] =>
  Array.from({ length: size }, (_, i) => Math.sin(1.3 * i + phase));

describe.each(availableTargets())("scan on %s", (target) => {
  beforeAll(() => engine.setTarget(target));

  const decay = (x: ReturnType<typeof tensor>, reverse = false) =>
    scan(
      ([mean], [element]) => {
        const next = mean.mul(0.5).add(element);
        return { carries: [next], outputs: [next.mul(2)] };
      },
      [zeros([2])],
      [x],
      { reverse },
    );

  test("carries and outputs", () => {
    const x = tensor([
      [1, 2],
      [3, 4],
      [5, 6],
    ]);
    const { carries, outputs, history } = decay(x);
    expect(carries[0].toArray()).toEqual([6.75, 8.5]);
    expect(outputs[0].toArray()).toEqual([
      [2, 4],
      [7, 10],
      [13.5, 17],
    ]);
    expect(history[0].toArray()).toEqual([
      [1, 2],
      [3.5, 5],
      [6.75, 8.5],
    ]);
    expect(decay(x, true).history[0].toArray()).toEqual([
      [3.75, 5.5],
      [5.5, 7],
      [5, 6],
    ]);
  });

  test("numbers are arguments, lengths are structure: one compilation per length", () => {
    const run = (length: number, factor: number) =>
      scan(
        ([h], [x]) => ({ carries: [h.mul(factor).add(x).tanh()] }),
        [zeros([3])],
        [tensor(numbers(length * 3), { shape: [length, 3] })],
      ).carries[0].toArray();
    const compilations = (): number => engine.stats().compilations;
    const before = compilations();
    for (let length = 1; length <= 20; length++) run(length, 0.5);
    expect(compilations() - before).toBe(20);
    for (let length = 1; length <= 20; length++) run(length, 0.25);
    expect(compilations() - before).toBe(20);
  });

  test("gradients of captured variables, in backward() and inside compile", () => {
    const weight = new Variable(tensor(numbers(9), { shape: [3, 3] }));
    const x = tensor(numbers(4 * 2 * 3, 1), { shape: [4, 2, 3] });
    const lossOf = (): ReturnType<typeof tensor> =>
      scan(
        ([h], [element]) => ({ carries: [h.matmul(weight).add(element).tanh()] }),
        [ones([2, 3])],
        [x],
      ).carries[0].sum();
    const [direct] = gradients(lossOf(), [weight]);
    const loss = lossOf();
    loss.item();
    loss.backward();
    const expected = direct?.dataSync() as Float32Array;
    // the oracle rounds what is stored in between
    const close = target === "reference" ? 6 : 12;
    weight.grad?.dataSync().forEach((value, i) => expect(value).toBeCloseTo(expected[i], close));
    const compiled = compile(() => gradients(lossOf(), [weight])[0]);
    expect(compiled()?.toArray()).toEqual(direct?.toArray());
  });

  test("misuse", () => {
    const x = zeros([3, 2]);
    expect(() => scan(([h]) => ({ carries: [h.reshape([1, 2])] }), [zeros([2])], [x])).toThrow(ShapeError);
    expect(() => scan(([h]) => ({ carries: [h] }), [zeros([2])], [x, zeros([4, 2])])).toThrow(ShapeError);
    expect(() => scan(([h]) => ({ carries: [h] }), [zeros([2])], [zeros([0, 2])])).toThrow(ShapeError);
    expect(() => scan(([h]) => ({ carries: [h] }), [zeros([2], "i32")], [x])).toThrow(DTypeError);
    expect(() => scan(([h]) => ({ carries: [h.mul(h.sum().item())] }), [zeros([2])], [x])).toThrow(GradientError);
    expect(zeros([2]).add(1).sum().item()).toBe(2);
    const [count, other] = [new Variable([1, 1]), new Variable(1)];
    const assigning = ([h]: Tensor[]) => {
      count.assign(h);
      return { carries: [h] };
    };
    other.assign(tensor(5));
    expect(() => scan(assigning, [zeros([2])], [x])).toThrow(UnsupportedError);
    expect(count.toArray()).toEqual([1, 1]);
    expect(other.item()).toBe(5);
    let escaped: Tensor | undefined;
    const leaking = (): Tensor => {
      scan(
        ([h]) => {
          escaped = h.add(1);
          return { carries: [h] };
        },
        [zeros([2])],
        [x],
      );
      return escaped as Tensor;
    };
    expect(() => leaking().dataSync()).toThrow(GradientError);
    expect(() => compile((_: Tensor) => leaking())(ones([2]))).toThrow(ArgumentError);
  });
});
