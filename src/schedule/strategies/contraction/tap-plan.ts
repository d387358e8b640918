import type { MachineDescription } from "../../../kernel/ir.ts";

/** What a direct convolution has to do: panels of weights over units of pixels (rows of an image, or strips of all pixels). */
export interface TapWork {
  readonly machine: MachineDescription;
  /** Images times groups. */
  readonly outer: number;
  readonly units: number;
  readonly panels: number;
  /** Multiplications and additions of one unit, over all panels. */
  readonly unitFlops: number;
  /** Bytes that a unit reads of the input, and bytes of all weights of a group. */
  readonly unitBytes: number;
  readonly weightBytes: number;
  /** Units that have to be in one task. */
  readonly together: number;
}

/** How that is cut into tasks. None of it changes a result. */
export interface TapTasks {
  readonly unitsPerTask: number;
  readonly unitTasks: number;
  readonly panelsPerTask: number;
  readonly panelTasks: number;
  /** Tasks that use the same weights follow each other, and fetch those that come next. */
  readonly weightsOutside: boolean;
}

/** As many tasks as keep threads busy to the end, if each is worth its start. */
const wantedTasks = 16;
const leastTaskFlops = 250_000;
/** More work than this at a time gains nothing. */
const taskFlops = 4e6;

/**
 * So many of `total` per task, `limit` at most: the size with which two threads end first, when there are `others` tasks for each. Seven equal
 * tasks take two threads as long as eight.
 */
function evenShare(total: number, limit: number, others: number): number {
  let best = Math.max(1, Math.min(total, limit));
  let bestTime = Number.POSITIVE_INFINITY;
  for (let share = best; share >= 1 && 2 * share >= limit; share--) {
    const time = Math.ceil((others * Math.ceil(total / share)) / 2) * share;
    if (time < 0.99 * bestTime) {
      best = share;
      bestTime = time;
    }
  }
  return best;
}

/**
 * Cuts the work into tasks. Weights that stay in the second-level cache are shared by tasks of few units; larger ones would come from further
 * away for every unit, so that tasks are few panels of them over as many units as have their input in that cache. So are tasks where the weights
 * are most of what is read: they come from memory once, and should not be waited for.
 */
export function planTapTasks(work: TapWork): TapTasks {
  const { machine, outer, units, panels, unitFlops, unitBytes, weightBytes, together } = work;
  const wanted = Math.max(1, Math.min(wantedTasks, Math.floor((outer * units * unitFlops) / leastTaskFlops)));
  const large = 2 * weightBytes > machine.l2Bytes;
  const mostOfAll = weightBytes > Math.max(outer * units * unitBytes, machine.l1Bytes);
  const weightsOutside = (large || mostOfAll) && panels > 1;
  let unitsPerTask: number;
  if (weightsOutside) {
    unitsPerTask = Math.max(1, Math.floor((0.4 * machine.l2Bytes) / Math.max(1, unitBytes)));
  } else {
    unitsPerTask = Math.max(1, Math.round(taskFlops / Math.max(unitFlops, 1)));
    if (outer >= 64) unitsPerTask *= 4;
  }
  unitsPerTask = Math.min(units, unitsPerTask);
  const panelLimit = weightsOutside ? panels : 1;
  while (unitsPerTask > 1 && outer * Math.ceil(units / unitsPerTask) * panelLimit < wanted)
    unitsPerTask = Math.ceil(unitsPerTask / 2);
  if (weightsOutside) unitsPerTask = Math.ceil(units / Math.ceil(units / unitsPerTask));
  else if (wanted > 1 && outer * Math.ceil(units / unitsPerTask) < 4 * wanted)
    unitsPerTask = evenShare(units, unitsPerTask, outer);
  unitsPerTask = together * Math.ceil(unitsPerTask / together);
  const unitTasks = Math.ceil(units / unitsPerTask);
  const missing = Math.ceil(wanted / (outer * unitTasks));
  const panelsPerTask = missing === 1 ? panels : evenShare(panels, Math.ceil(panels / missing), outer * unitTasks);
  return { unitsPerTask, unitTasks, panelsPerTask, panelTasks: Math.ceil(panels / panelsPerTask), weightsOutside };
}
