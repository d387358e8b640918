"""Goldens of PyTorch: convolutions, pooling, losses, activations, sorting and running products, with first gradients.

    python tools/goldens/torch_ops.py        (npm run goldens uses the interpreter that TRIVIUM_PYTHON names)

Inputs come from `hash_uniform(stream, …)` (formula.py); images are NCHW here and NHWC in the file. File: test/goldens/torch-ops.json.
"""

import os
import platform

import numpy as np
import torch
import torch.nn.functional as F
from formula import hash_labels, hash_uniform, numbers, write

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "goldens", "torch-ops.json")


def tensor(array):
    return {"shape": list(np.asarray(array).shape), "data": numbers(array)}


def nhwc(t):
    return tensor(t.detach().numpy().transpose(0, 2, 3, 1))


def leaf(array):
    return torch.from_numpy(np.ascontiguousarray(array)).requires_grad_(True)


def rounded(stream, shape):
    """Quarters in [-1, 1]: many ties."""
    return (np.round(hash_uniform(stream, shape) * 4) / 4).astype(np.float32)


def convolution(stream, image, filters, kernel, **options):
    groups = options.get("groups", 1)
    x = leaf(hash_uniform(stream, image))
    w = leaf(hash_uniform(stream + 1, (filters, image[1] // groups, *kernel)))
    y = F.conv2d(x, w, **options)
    seed = torch.from_numpy(hash_uniform(stream + 2, tuple(y.shape)))
    dx, dw = torch.autograd.grad(y, (x, w), seed)
    return {
        "options": options,
        "x": nhwc(x),
        "w": tensor(w.detach().numpy().transpose(2, 3, 1, 0)),
        "seed": nhwc(seed),
        "y": nhwc(y),
        "dx": nhwc(dx),
        "dw": tensor(dw.numpy().transpose(2, 3, 1, 0)),
    }


def pooling(kind, stream, image, kernel, ties=False, **options):
    x = leaf(rounded(stream, image) if ties else hash_uniform(stream, image))
    y = (F.max_pool2d if kind == "max" else F.avg_pool2d)(x, kernel, **options)
    seed = torch.from_numpy(hash_uniform(stream + 1, tuple(y.shape)))
    (dx,) = torch.autograd.grad(y, x, seed)
    return {"kind": kind, "kernel": kernel, "options": options, "x": nhwc(x), "seed": nhwc(seed), "y": nhwc(y), "dx": nhwc(dx)}


def loss(name, function, scores, target, **options):
    x = leaf(scores)
    given = {key: torch.tensor(value) if key == "weight" else value for key, value in options.items()}
    y = function(x, target, **given)
    (dx,) = torch.autograd.grad(y.sum(), x)
    return {"name": name, "options": options, "x": tensor(x.detach()), "target": tensor(target), "y": tensor(y.detach()), "dx": tensor(dx)}


def activation(name, function):
    x = leaf(np.array([-50, -6, -3, -1.5, -1, -0.5, -0.0, 0, 1e-3, 0.5, 1, 3, 6, 7, 50], dtype=np.float32))
    y = function(x)
    (dx,) = torch.autograd.grad(y.sum(), x)
    return {"name": name, "x": tensor(x.detach()), "y": tensor(y.detach()), "dx": tensor(dx)}


def unary(name, x, function, seed_stream):
    x = leaf(x)
    y = function(x)
    seed = torch.from_numpy(hash_uniform(seed_stream, tuple(y.shape)))
    (dx,) = torch.autograd.grad(y, x, seed)
    return {"name": name, "x": tensor(x.detach()), "seed": tensor(seed), "y": tensor(y.detach()), "dx": tensor(dx)}


def main():
    labels = torch.from_numpy(hash_labels(30, 5, 4).astype(np.int64))
    pixels = torch.from_numpy(hash_labels(31, 12, 4).astype(np.int64).reshape(2, 2, 3))
    ignored = labels.clone()
    ignored[1] = -100
    scores = hash_uniform(32, (5, 4), -3, 3)
    images = hash_uniform(33, (2, 4, 2, 3), -3, 3)
    soft = torch.softmax(torch.from_numpy(hash_uniform(34, (5, 4))), 1)
    weights = [0.5, 1.0, 2.0, 0.25]
    logp = torch.log_softmax(torch.from_numpy(scores), 1).numpy()
    zeros = np.array([[0.5, 0.0, -2.0, 0.0], [1.5, -0.5, 0.0, 2.0]], dtype=np.float32)
    special = np.array([3.0, np.nan, -0.0, 0.0, np.inf, -np.inf, np.nan, 3.0, -1.0], dtype=np.float32)
    content = {
        "writtenBy": "tools/goldens/torch_ops.py",
        "versions": {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__},
        "convolutions": [
            convolution(1, (2, 3, 6, 5), 4, (3, 3)),
            convolution(4, (1, 2, 7, 6), 3, (3, 2), stride=(2, 3), padding=(1, 2)),
            convolution(7, (1, 2, 8, 9), 3, (3, 3), dilation=(2, 3), padding=2),
            convolution(10, (2, 4, 5, 5), 6, (3, 3), groups=2, stride=2, padding=1),
            convolution(13, (1, 3, 5, 4), 6, (2, 2), groups=3),
            convolution(16, (1, 2, 5, 5), 1, (1, 1), stride=2),
        ],
        "pooling": [
            pooling("max", 40, (2, 3, 6, 5), 2, ties=True),
            pooling("max", 42, (1, 2, 7, 7), 3, ties=True, stride=2, padding=1),
            pooling("max", 44, (1, 2, 7, 6), 3, ties=True, stride=2, ceil_mode=True),
            pooling("max", 46, (1, 1, 7, 8), 2, ties=True, stride=3, padding=1, ceil_mode=True),
            pooling("max", 48, (1, 2, 8, 8), 3, stride=1, dilation=2, padding=1),
            pooling("average", 50, (2, 2, 6, 6), 2),
            pooling("average", 52, (1, 2, 7, 7), 3, stride=2, padding=1),
            pooling("average", 54, (1, 2, 7, 7), 3, stride=2, padding=1, count_include_pad=False),
            pooling("average", 56, (1, 2, 7, 6), 3, stride=2, padding=1, ceil_mode=True),
            pooling("average", 58, (1, 2, 7, 6), 3, stride=2, ceil_mode=True, count_include_pad=False),
        ],
        "losses": [
            loss("crossEntropy", F.cross_entropy, scores, labels),
            loss("crossEntropy", F.cross_entropy, scores, labels, reduction="sum"),
            loss("crossEntropy", F.cross_entropy, scores, labels, reduction="none"),
            loss("crossEntropy", F.cross_entropy, scores, ignored, weight=weights),
            loss("crossEntropy", F.cross_entropy, scores, ignored, weight=weights, label_smoothing=0.1),
            loss("crossEntropy", F.cross_entropy, scores, ignored, label_smoothing=0.2),
            loss("crossEntropy", F.cross_entropy, images, pixels),
            loss("crossEntropy", F.cross_entropy, scores, soft, label_smoothing=0.1),
            loss("crossEntropy", F.cross_entropy, scores, soft, weight=weights),
            loss("nllLoss", F.nll_loss, logp, labels, weight=weights),
        ],
        "activations": [
            activation("relu6", F.relu6),
            activation("leakyRelu", lambda x: F.leaky_relu(x, 0.2)),
            activation("elu", F.elu),
            activation("selu", F.selu),
            activation("softplus", lambda x: F.softplus(x, threshold=100)),
            activation("logSigmoid", F.logsigmoid),
            activation("softsign", F.softsign),
            activation("silu", F.silu),
            activation("gelu", F.gelu),
            activation("geluApproximate", lambda x: F.gelu(x, approximate="tanh")),
            activation("hardSigmoid", F.hardsigmoid),
            activation("hardSilu", F.hardswish),
            activation("mish", F.mish),
        ],
        "unary": [
            unary("cumulativeProduct", zeros, lambda x: torch.cumprod(x, 1), 60),
            unary("cumulativeSum", zeros, lambda x: torch.cumsum(x, 0), 61),
            unary("sort", hash_uniform(62, (3, 5)), lambda x: torch.sort(x, 1, descending=True)[0], 63),
            unary("topK", hash_uniform(64, (3, 5)), lambda x: torch.topk(x, 2, 1)[0], 65),
            unary("variance", hash_uniform(66, (3, 5)), lambda x: torch.var(x, 1, correction=1), 67),
            unary("logSumExp", hash_uniform(68, (3, 5), -50, 50), lambda x: torch.logsumexp(x, 1), 69),
        ],
        "order": {
            "x": tensor(special),
            "ascending": [int(i) for i in torch.argsort(torch.from_numpy(special), stable=True)],
            "descending": [int(i) for i in torch.argsort(torch.from_numpy(special), stable=True, descending=True)],
        },
    }
    write(PATH, content)


main()
