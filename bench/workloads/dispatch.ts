import { compile, type Tensor, tensor } from "../../src/tensor/index.ts";
import type { Workload } from "./step.ts";

const one = () => tensor([1]);

/** Calls with next to nothing to compute. */
export const dispatchWorkloads: Readonly<Record<string, Workload>> = {
  "dispatch-eager": {
    make: () => {
      const x = one();
      return () => x.add(1).item();
    },
  },
  "dispatch-compiled": {
    make: () => {
      const x = one();
      const increment = compile((value: Tensor) => value.add(1));
      return () => increment(x).item();
    },
  },
};
