"""Goldens of the tensor API: small expressions evaluated by PyTorch, with gradients.

    python tools/goldens/torch_tensor.py

The expressions stand in test/torch/tensor, beside what they are in TypeScript; a script prints the Python side. File:
test/goldens/torch-tensor.json: {expression: [value, [gradient, ...]]}, a tensor as [dtype, shape, elements]. The gradient is that of
the sum over all float results of result * seed, where seed is hash_uniform(99, shape).
"""

import json
import math
import os
import platform
import subprocess

import torch
from formula import hash_uniform

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PATH = os.path.join(ROOT, "test", "goldens", "torch-tensor.json")
DTYPES = {torch.float32: "f32", torch.int64: "i32", torch.int32: "i32", torch.uint8: "u8", torch.bool: "bool"}
nan, inf = math.nan, math.inf


def inputs():
    def random(stream, shape, low=-1.0, high=1.0):
        return torch.from_numpy(hash_uniform(stream, shape, low, high).copy())

    return {
        "x": random(1, (3, 4)),
        "y": random(2, (3, 4)),
        "row": random(3, (4,)),
        "col": random(4, (3, 1)),
        "p": random(5, (3, 4), 0.5, 2.0),
        "b": random(6, (2, 3, 4)),
        "m": random(7, (4, 5)),
        "s": random(8, ()),
        "e": torch.zeros(0, 4),
        "v": random(9, (3,)),
        "sq": random(10, (4, 4)),
        "bm": random(11, (2, 4, 3)),
        "w": random(12, (4,)),
        "r5": random(13, (2, 1, 3, 1, 2)),
        "i": torch.tensor([[3, -2, 0, 1], [-3, 2, 5, -1], [7, -7, 4, 4]]),
        "j": torch.tensor([[2, 3, -2, 1], [-2, -3, 2, 3], [3, 2, -3, 5]]),
        "ties": torch.tensor([[1.0, 3, 2, 3, 1], [0, 0, 0, 0, 0], [2, 1, 2, 1, 2]]),
        "n": torch.tensor([[1, nan, 2, -1], [inf, 0, -inf, 0.5]]),
        "u": torch.tensor([1, 200, 255, 0], dtype=torch.uint8),
        "mask": torch.tensor([[1, 0, 1, 0], [0, 0, 1, 1], [1, 1, 1, 0]]).bool(),
        "rows": torch.tensor([2, 0, 2]),
        "columns": torch.tensor([1, 3, -1]),
        "grid": torch.tensor([[0, 2, 1, 0], [2, 2, 0, 1]]),
        "k": torch.tensor([3, 1, 3, 0, 1, 3]),
    }


def assigned(x, index, value):
    result = x.clone()
    result[index] = value
    return result


def number(value):
    if isinstance(value, bool):
        return int(value)
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return int(value) if value == int(value) and abs(value) < 2**31 else float(f"{value:.7g}")


def stored(value):
    if isinstance(value, torch.Tensor):
        return [DTYPES[value.dtype], list(value.shape), [number(v) for v in value.detach().flatten().tolist()]]
    if isinstance(value, (tuple, list)):
        return {"list": [stored(v) for v in value]}
    return {"value": value if isinstance(value, (bool, int)) else number(value)}


def floats(value):
    if isinstance(value, torch.Tensor):
        return [value] if value.dtype == torch.float32 else []
    return [t for v in value for t in floats(v)]


def evaluate(expression, names):
    values = inputs()
    leaves = [values[name].requires_grad_(True) for name in names]
    result = eval(expression, {"torch": torch, "assigned": assigned, "nan": nan, "inf": inf}, values)
    if not leaves:
        return [stored(result)]
    total = sum((t * torch.from_numpy(hash_uniform(99, tuple(t.shape)))).sum() for t in floats(result))
    gradients = torch.autograd.grad(total, leaves)
    return [stored(result), *[[number(v) for v in g.flatten().tolist()] for g in gradients]]


table = subprocess.run(
    ["node", "--import", "tsx", os.path.join(HERE, "torch-tensor-expressions.ts")], capture_output=True, check=True, cwd=ROOT
)
cases, problems = {}, []
for expression, names in json.loads(table.stdout):
    try:
        cases[expression] = evaluate(expression, names.split())
    except Exception as error:
        problems.append(f"{expression}: {error}")
if problems:
    raise SystemExit("\n".join(problems))
with open(PATH, "w") as file:
    file.write('{"versions": ' + json.dumps({"python": platform.python_version(), "torch": torch.__version__}) + ',\n"cases": {\n')
    file.write(",\n".join(f"{json.dumps(key)}: {json.dumps(value, separators=(',', ':'))}" for key, value in cases.items()))
    file.write("\n}}\n")
print(f"{PATH}: {len(cases)} expressions, {os.path.getsize(PATH)} bytes")
