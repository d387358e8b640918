/** Prints the Python side of the table of tensor expressions, for torch_tensor.py. */
import * as expressions from "../../test/torch/tensor/expressions.ts";
import * as shapes from "../../test/torch/tensor/shape-expressions.ts";

const tables = { ...expressions, ...shapes };
const list = Object.values(tables).flatMap((table) => table.map(([python, , names]) => [python, names ?? ""]));
process.stdout.write(JSON.stringify(list));
