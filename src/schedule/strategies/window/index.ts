import { InternalError } from "../../../errors.ts";
import type { Strategy } from "../../strategy.ts";
import { lowerForward } from "./forward.ts";
import { lowerTranspose } from "./transpose.ts";

/** Pooling in all its forms, over NHWC data in any layout, channels in the lanes. */
export const window: Strategy = (request) => {
  const { meaning } = request;
  if (meaning.kind !== "window") throw new InternalError(`${request.opName}: expected a window op`);
  const back = meaning.combine === "sumTranspose" || meaning.combine === "pickTranspose";
  return back ? lowerTranspose(request, meaning) : lowerForward(request, meaning);
};
