import type { KernelBuilder } from "../../../kernel/builder.ts";
import type { IntRegister } from "../../../kernel/ir.ts";
import type { StepArgument } from "../../strategy.ts";
import { type AddressOf, offsetAddress } from "./lowering.ts";
import { fetchAhead } from "./prefetch.ts";
import { emitReduction, zeroAccumulators } from "./reduction.ts";
import type { TapConvolution } from "./tap-task.ts";
import { balancedStrips, rowLimit } from "./tile.ts";
import { eachStrip } from "./winograd-blocks.ts";
import { frequencyBytes } from "./winograd-patches.ts";
import type { WinogradPlan } from "./winograd-plan.ts";
import type { Run } from "./winograd-prefetch.ts";
import { frequencies } from "./winograd-transforms.ts";
import { filterBytes } from "./winograd-weights.ts";

/** What the products of a block are made of. */
export interface ProductState {
  readonly k: KernelBuilder;
  readonly c: TapConvolution;
  readonly plan: WinogradPlan;
  readonly address: AddressOf;
  /** Transformed filters `[frequency][panel][channel][width]`. */
  readonly filters: StepArgument;
  /** Transformed data of the block, `[frequency][tile][channel]`. */
  readonly patches: IntRegister;
  readonly products: IntRegister;
}

/** Bytes of the products of one tile and one vector of channels, and of one tile: odd numbers of cache lines, as for the patches. */
export const vectorBytes = 64 * (frequencies | 1);
export const productBytes = ({ panelsPerGroup, panelVectors }: WinogradPlan): number =>
  64 * (((vectorBytes / 64) * panelsPerGroup * panelVectors) | 1);

/** Products of a group of panels, `[tile][vector][frequency][16]`: one fma chain over the channels for each. */
export function emitProducts(
  state: ProductState,
  group: IntRegister,
  end: IntRegister,
  tiles: number,
  runs: readonly Run[] = [],
): void {
  const { k, c, plan, address } = state;
  const panelBytes = 4 * c.inputChannels * c.width;
  const filterStride = filterBytes(c, plan.panels);
  const tileStride = productBytes(plan);
  const strips = balancedStrips(tiles, rowLimit(c.request.machine, plan.panelVectors));
  const patches = k.intMove(state.patches);
  const filters = k.add(address(state.filters), k.mul(group, panelBytes));
  const products = k.intMove(state.products);
  const perPanel = strips.count * Math.floor(c.inputChannels / 4);
  /** Fetches the next panel of a frequency, or the first of the next frequency. */
  const nextFilters = (panel: IntRegister, first: IntRegister, current: IntRegister): (() => void) | undefined => {
    const start = k.add(current, panelBytes);
    k.if(k.compare("eq", k.add(panel, 1), end), () => k.add(first, filterStride, start));
    return fetchAhead(k, [{ start, bytes: panelBytes, iterations: perPanel }]);
  };
  const alongside = plan.largeFilters
    ? undefined
    : fetchAhead(
        k,
        runs.map((run) => ({ ...run, iterations: frequencies * plan.panelsPerGroup * perPanel })),
      );
  k.loop(0, frequencies, 1, () => {
    const w = k.intMove(filters);
    const target = k.intMove(products);
    k.loop(group, end, 1, (panel) => {
      const ahead = plan.largeFilters ? nextFilters(panel, filters, w) : alongside;
      eachStrip(k, strips, (first, size) => {
        const accumulators = zeroAccumulators(k, size, plan.panelVectors);
        emitReduction(k, {
          rows: accumulators.map((list, r) => ({ accumulators: list, displacement: r * 4 * plan.channels })),
          vectors: plan.panelVectors,
          a: offsetAddress(k, patches, [[first, 4 * plan.channels]]),
          aStep: 4,
          b: k.intMove(w),
          bStep: 4 * c.width,
          count: c.inputChannels,
          unroll: 4,
          eachIteration: ahead,
        });
        const to = offsetAddress(k, target, [[first, tileStride]]);
        accumulators.forEach((list, r) => {
          list.forEach((register, v) => {
            k.store(register, k.at(to, r * tileStride + v * vectorBytes));
          });
        });
      });
      k.add(w, panelBytes, w);
      k.add(target, vectorBytes * plan.panelVectors, target);
    });
    k.add(patches, frequencyBytes(plan.tiles, plan.channels), patches);
    k.add(filters, filterStride, filters);
    k.add(products, 64, products);
  });
}
