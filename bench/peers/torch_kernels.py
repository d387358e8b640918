"""Single operations in PyTorch, by the names of bench/kernel-cases.ts. Settings: default, preallocated (the result goes to the same tensor each time)."""

import shared
import torch
from torch.nn import functional as F


def values(index, *shape):
    return torch.from_numpy(shared.data(f"operand-{index}", shape, -1.0, 1.0))


def rows(index, count, *shape):
    return torch.from_numpy(shared.classes(f"operand-{index}", shape, count).astype("int64"))


def matmul(dims, form):
    m, k, n = dims
    left = values(0, k, m).t() if form[0] == "t" else values(0, m, k)
    right = values(1, n, k).t() if form[1] == "t" else values(1, k, n)
    return lambda out=None: torch.matmul(left, right, out=out)


def channels_last(index, *shape):
    """NHWC in memory, NCHW by its axes: what PyTorch calls channels_last."""
    return values(index, *shape).permute(0, 3, 1, 2)


def convolution(dims, form):
    batch, size, inputs, outputs, window, stride, padding, groups = dims
    out = (size + 2 * padding - window) // stride + 1
    x, slope = channels_last(0, batch, size, size, inputs), channels_last(2, batch, out, out, outputs)
    kernel = values(1, window, window, inputs // groups, outputs).permute(3, 2, 0, 1)
    kernel = kernel.contiguous(memory_format=torch.channels_last)
    if form == "forward":
        return lambda: F.conv2d(x, kernel, None, stride, padding, 1, groups).permute(0, 2, 3, 1)
    wanted = [form == "input-gradient", form == "weight-gradient", False]
    backward, sides = torch.ops.aten.convolution_backward, [padding, padding]

    def gradient():
        found = backward(slope, x, kernel, None, [stride, stride], sides, [1, 1], False, [0, 0], groups, wanted)
        return found[0].permute(0, 2, 3, 1) if wanted[0] else found[1].permute(2, 3, 1, 0)

    return gradient


pools = {
    "max-2": lambda x: F.max_pool2d(x, 2),
    "max-3-2-1": lambda x: F.max_pool2d(x, 3, 2, 1),
    "average-2": lambda x: F.avg_pool2d(x, 2),
    "global-average": lambda x: x.mean((2, 3)),
}


def pooling(dims, form):
    x, pool = channels_last(0, *dims), pools[form.removesuffix("-gradient")]
    if form in pools:
        return lambda: pool(x).permute(0, 2, 3, 1) if form != "global-average" else pool(x)
    x.requires_grad_()
    with torch.enable_grad():
        result = pool(x)
    slope = values(1, *result.shape) if result.dim() == 2 else channels_last(1, *(result.shape[axis] for axis in (0, 2, 3, 1)))
    return lambda: torch.autograd.grad(result, x, slope, retain_graph=True)[0].permute(0, 2, 3, 1)


def batch_norm(dims, form):
    x, gamma, beta = channels_last(0, *dims), values(1, dims[-1]), values(2, dims[-1])
    if form == "training":
        return lambda: F.batch_norm(x, None, None, gamma, beta, True, 0.0, 1e-3).permute(0, 2, 3, 1)
    variance = gamma.abs()
    return lambda: F.batch_norm(x, beta, variance, gamma, beta, False, 0.0, 1e-3).permute(0, 2, 3, 1)


def softmax(dims, form):
    x = values(0, *dims)
    return lambda out=None: torch.softmax(x, -1, out=out)


def gelu(dims, form):
    x = values(0, *dims)
    return lambda out=None: F.gelu(x) if out is None else torch._C._nn.gelu(x, out=out)


def layer_norm(dims, form):
    x, gamma, beta = values(0, *dims), values(1, dims[-1]), values(2, dims[-1])
    return lambda: F.layer_norm(x, dims[-1:], gamma, beta)


def cross_entropy(dims, form):
    logits, labels = values(0, *dims), rows(1, dims[1], dims[0])
    return lambda: F.cross_entropy(logits, labels)


def reduction(dims, form):
    x = values(0, *dims)
    what, axis = form.split("-")
    reduce = torch.sum if what == "sum" else torch.amax
    return (lambda: reduce(x)) if axis == "all" else (lambda: reduce(x, int(axis)))


def transpose(dims, form):
    x = values(0, *dims).permute([int(axis) for axis in form])
    return lambda: x.contiguous()


def gather(dims, form):
    table, indices = values(0, *dims[:2]), rows(1, dims[0], dims[2])
    return lambda: F.embedding(indices, table)


def embedding_gradient(dims, form):
    slopes, indices = values(0, dims[2], dims[1]), rows(1, dims[0], dims[2])
    return lambda: torch.ops.aten.embedding_dense_backward(slopes, indices, dims[0], -1, False)


def sort(dims, form):
    x = values(0, *dims)
    return lambda: torch.sort(x, -1).values


def attention(dims, form):
    query, key, value = (values(index, *dims) for index in range(3))
    return lambda: F.scaled_dot_product_attention(query, key, value)


operations = {
    "matmul": matmul,
    "convolution": convolution,
    "depthwise": convolution,
    "pooling": pooling,
    "batch-norm": batch_norm,
    "softmax": softmax,
    "gelu": gelu,
    "layer-norm": layer_norm,
    "cross-entropy": cross_entropy,
    "reduction": reduction,
    "transpose": transpose,
    "gather": gather,
    "embedding-gradient": embedding_gradient,
    "sort": sort,
    "attention": attention,
}


def step(name, setting):
    operation, dims, *form = name.split(" ")
    if operation not in operations:
        raise shared.Unavailable(f"torch has no kernel {name}")
    run = operations[operation]([int(extent) for extent in dims.split("x")], form[0] if form else "")
    if setting == "default":
        return torch.no_grad()(run)
    with torch.no_grad():
        out = torch.empty_like(run())
    return torch.no_grad()(lambda: run(out=out))
