/** Random operations of the default graph: new numbers at each run. */

import { defineInGraph } from "../define.ts";
import * as random from "../random.ts";

export const randomNormal = defineInGraph(random.normal);
export const randomUniform = defineInGraph(random.uniform);
export const truncatedNormal = defineInGraph(random.truncatedNormal);
export const randomShuffle = defineInGraph(random.shuffle);
