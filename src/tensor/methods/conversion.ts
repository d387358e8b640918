/** Methods that change the dtype. */
import { UnsupportedError } from "../../errors.ts";
import { type DType, parseDType } from "../../graph/dtype.ts";
import * as F from "../functions.ts";
import { isTensor } from "../handle.ts";
import { atEntry } from "../lift.ts";
import type { Tensor } from "../tensor.ts";
import { ShapeMethods } from "./shape.ts";

type DTypeName = DType | (string & {});
/** Where tensors live, as `torch.device(…)` gives it. */
export interface Device {
  readonly type: string;
}

/** Methods that convert; a tensor that has the dtype already is returned itself. */
export abstract class ConversionMethods extends ShapeMethods {
  /** Converts; a dtype that does not exist is an error that names the nearest. */
  cast(this: Tensor, dtype: DTypeName): Tensor {
    return atEntry(this.cast, () => inDType(this, parseDType(dtype)));
  }
  /** NumPy's name for `cast`. */
  astype(this: Tensor, dtype: DTypeName): Tensor {
    return atEntry(this.astype, () => inDType(this, parseDType(dtype)));
  }
  /** PyTorch's name for `cast`. */
  type(this: Tensor, dtype: DTypeName): Tensor {
    return atEntry(this.type, () => inDType(this, parseDType(dtype)));
  }
  /** The dtype of another tensor. */
  typeAs(this: Tensor, other: Tensor): Tensor {
    return inDType(this, other.dtype);
  }
  /** Converts to a dtype, or to that of a tensor; the device is always "cpu". */
  to(this: Tensor, target: DTypeName | Device | Tensor, dtype?: DTypeName): Tensor {
    return atEntry(this.to, () => {
      if (isTensor(target)) return inDType(this, target.dtype);
      const device = typeof target === "string" ? target : target.type;
      if (device === "cpu") return dtype === undefined ? this : inDType(this, parseDType(dtype));
      if (typeof target !== "string" || /^(cuda|mps|xpu|gpu|meta)(:\d+)?$/.test(device))
        throw new UnsupportedError(`to: there is no device "${device}" here; tensors live on "cpu".`);
      return inDType(this, parseDType(target));
    });
  }
  /** f32. */
  float(this: Tensor): Tensor {
    return inDType(this, "f32");
  }
  /** i32; truncates. */
  int(this: Tensor): Tensor {
    return inDType(this, "i32");
  }
  /** i32, the widest integer here; truncates. */
  long(this: Tensor): Tensor {
    return inDType(this, "i32");
  }
  /** u8; keeps the low byte. */
  byte(this: Tensor): Tensor {
    return inDType(this, "u8");
  }
  /** Whether elements are not 0. */
  bool(this: Tensor): Tensor {
    return inDType(this, "bool");
  }
  /** This tensor: every tensor lives on the processor. */
  cpu(this: Tensor): Tensor {
    return this;
  }
}

/** A tensor that has the dtype already is returned itself. */
const inDType = (x: Tensor, dtype: DType): Tensor => (x.dtype === dtype ? x : F.cast(x, dtype));
