"""Goldens of torch.nn: what every layer computes, its gradients, state names, printed form and initial values; losses with every option.

    python tools/goldens/torch_layers.py        (npm run goldens uses the interpreter that TRIVIUM_PYTHON names)

Inputs, parameters and output gradients come from `hash_uniform(stream, …)` (formula.py), so that only results are stored: whole where they are
small, otherwise their sum, norm and twelve elements. Files: test/goldens/torch-layers.json, torch-losses.json,
torch-functional.json, torch-initial.json.
"""

import os
import platform
import re

import numpy as np
import torch
import torch.nn as nn
import torch.nn.functional as F
from formula import hash_labels, hash_uniform, sample_indices, write

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "goldens")
PARAMETER_STREAM = 1000
SEED_STREAM = 500


def camel(name):
    return re.sub(r"_([a-z0-9])", lambda match: match.group(1).upper(), name)


def short(value):
    value = float(value)
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.7g}")


def result(tensor):
    """Shape and values, or a digest of them."""
    array = tensor.detach().to(torch.float64).numpy()
    flat = array.ravel()
    if flat.size <= 12:
        return {"shape": list(array.shape), "values": [short(v) for v in flat]}
    return {
        "shape": list(array.shape),
        "sum": short(flat.sum()),
        "norm": short(np.sqrt((flat * flat).sum())),
        "samples": [short(flat[i]) for i in sample_indices(flat.size, 12)],
    }


class X:
    """An input by formula: floats, floats with many ties, class numbers, or a mask."""

    def __init__(self, stream, *shape, low=-1.0, high=1.0, ties=False, classes=0, mask=None):
        self.spec = {"stream": stream, "shape": list(shape), "low": low, "high": high}
        if ties:
            self.spec["ties"] = True
        if classes:
            self.spec["classes"] = classes
        if mask is not None:
            self.spec["mask"] = mask

    def tensor(self):
        spec = self.spec
        shape = tuple(spec["shape"])
        if spec.get("classes"):
            return torch.from_numpy(hash_labels(spec["stream"], int(np.prod(shape)), spec["classes"]).reshape(shape)).long()
        values = hash_uniform(spec["stream"], shape, spec["low"], spec["high"])
        if spec.get("mask") is not None:
            return torch.from_numpy(values < spec["mask"])
        if spec.get("ties"):
            values = (np.round(values * 4) / 4).astype(np.float32)
        return torch.from_numpy(np.ascontiguousarray(values)).requires_grad_(True)


def plain(value):
    return {"input": value.spec} if isinstance(value, X) else value


def options_of(kwargs):
    return {camel(name): plain(value) for name, value in kwargs.items()}


def live(value):
    if isinstance(value, X):
        return value.tensor().detach()
    return tuple(value) if isinstance(value, list) else value


def set_parameters(module):
    for index, parameter in enumerate(module.parameters()):
        values = hash_uniform(PARAMETER_STREAM + index, tuple(parameter.shape), -0.5, 0.5)
        with torch.no_grad():
            parameter.copy_(torch.from_numpy(values))


def run(module, inputs, call):
    tensors = [x.tensor() for x in inputs]
    given = {name: live(value) for name, value in call.items()}
    outputs = module(*tensors, **given)
    outputs = [y for y in (outputs if isinstance(outputs, tuple) else (outputs,)) if y is not None]
    total = 0
    for index, y in enumerate(outputs):
        if y.requires_grad:
            total = total + (y * torch.from_numpy(hash_uniform(SEED_STREAM + index, tuple(y.shape)))).sum()
    if torch.is_tensor(total):
        total.backward()
    return tensors, outputs


def layer(name, args, kwargs, inputs, call=None, evaluate=False):
    module = getattr(nn, name)(*[live(a) for a in args], **{k: live(v) for k, v in kwargs.items()})
    text = str(module)
    set_parameters(module)
    module.train(not evaluate)
    tensors, outputs = run(module, inputs, call or {})
    case = {
        "layer": name,
        "args": [plain(a) for a in args],
        "options": options_of(kwargs),
        "inputs": [x.spec for x in inputs],
        "outputs": [result(y) for y in outputs],
        "inputGradients": [None if t.grad is None else result(t.grad) for t in tensors],
        "parameterGradients": [None if p.grad is None else result(p.grad) for p in module.parameters()],
        "state": [[key, list(value.shape)] for key, value in module.state_dict().items()],
        "text": text,
    }
    if call:
        case["call"] = options_of(call)
    if evaluate:
        case["evaluate"] = True
    return case


def layers():
    image = lambda stream, *shape: X(stream, *shape)
    cases = [
        layer("Linear", [5, 3], {}, [X(1, 4, 5)]),
        layer("Linear", [5, 3], {"bias": False}, [X(2, 2, 3, 5)]),
        layer("Linear", [4, 1], {}, [X(3, 4)]),
        layer("Bilinear", [3, 4, 2], {}, [X(4, 5, 3), X(5, 5, 4)]),
        layer("Conv1d", [4, 6, 3], {}, [X(6, 2, 4, 9)]),
        layer("Conv1d", [4, 6, 4], {"stride": 2, "padding": 2, "dilation": 2, "groups": 2}, [X(7, 3, 4, 13)]),
        layer("Conv1d", [2, 3, 4], {"padding": "same"}, [X(8, 2, 7)]),
        layer("Conv1d", [2, 3, 3], {"padding": 2, "padding_mode": "circular"}, [X(9, 2, 2, 7)]),
        layer("Conv2d", [1, 3, 3], {}, [image(10, 2, 1, 5, 5)]),
        layer("Conv2d", [3, 4, [3, 5]], {"stride": [2, 1], "padding": [1, 2]}, [image(11, 2, 3, 7, 6)]),
        layer("Conv2d", [4, 6, 3], {"groups": 2, "dilation": 2, "bias": False}, [image(12, 2, 4, 7, 9)]),
        layer("Conv2d", [4, 8, 3], {"groups": 4, "padding": 1, "stride": 2}, [image(13, 3, 4, 6, 5)]),
        layer("Conv2d", [2, 3, [2, 4]], {"padding": "same", "dilation": [1, 3]}, [image(14, 1, 2, 5, 11)]),
        layer("Conv2d", [2, 3, 2], {"padding": "valid"}, [image(15, 2, 3, 4)]),
        layer("Conv2d", [2, 3, 3], {"padding": [2, 1], "padding_mode": "reflect"}, [image(16, 2, 2, 4, 5)]),
        layer("Conv2d", [2, 3, 3], {"padding": 1, "padding_mode": "replicate"}, [image(17, 2, 2, 4, 5)]),
        layer("Conv2d", [5, 7, 1], {"stride": 2}, [image(18, 2, 5, 5, 4)]),
        layer("ConvTranspose1d", [4, 2, 3], {"stride": 3, "output_padding": 1}, [X(19, 2, 4, 5)]),
        layer("ConvTranspose2d", [3, 2, 3], {}, [image(20, 2, 3, 4, 5)]),
        layer("ConvTranspose2d", [4, 6, 3], {"stride": 2, "padding": 1, "output_padding": 1}, [image(21, 2, 4, 4, 5)]),
        layer("ConvTranspose2d", [4, 6, [2, 3]], {"stride": [3, 1], "padding": [0, 2], "groups": 2, "dilation": [1, 2], "bias": False}, [image(22, 2, 4, 3, 6)]),
        layer("ConvTranspose2d", [2, 3, 3], {"dilation": 3, "output_padding": 2, "padding": 1}, [image(23, 2, 2, 4, 3)]),
        layer("ConvTranspose2d", [2, 3, 2], {"dilation": 4, "output_padding": [3, 2]}, [image(24, 2, 3, 4)]),
        layer("MaxPool1d", [3], {}, [X(30, 2, 3, 10)]),
        layer("MaxPool1d", [3], {"stride": 2, "padding": 1, "dilation": 2, "ceil_mode": True}, [X(31, 2, 3, 11, ties=True)]),
        layer("MaxPool2d", [2], {}, [image(32, 2, 3, 5, 7)]),
        layer("MaxPool2d", [[2, 3], [1, 2]], {}, [X(33, 2, 2, 5, 6, ties=True)]),
        layer("MaxPool2d", [3], {"stride": 2, "padding": 1, "ceil_mode": True}, [X(34, 1, 2, 6, 6, ties=True)]),
        layer("MaxPool2d", [2], {"dilation": [2, 1], "ceil_mode": True}, [image(35, 3, 5, 5)]),
        layer("AvgPool1d", [3], {"padding": 1, "count_include_pad": False}, [X(36, 2, 3, 8)]),
        layer("AvgPool2d", [2], {}, [image(37, 2, 3, 5, 7)]),
        layer("AvgPool2d", [3], {"stride": 2, "padding": 1, "ceil_mode": True}, [image(38, 2, 2, 6, 5)]),
        layer("AvgPool2d", [[3, 2]], {"stride": 2, "padding": [1, 0], "ceil_mode": True, "count_include_pad": False}, [image(39, 2, 2, 6, 5)]),
        layer("AvgPool2d", [2], {"divisor_override": 3}, [image(40, 2, 2, 4, 4)]),
        layer("AdaptiveAvgPool1d", [3], {}, [X(41, 2, 3, 8)]),
        layer("AdaptiveAvgPool2d", [1], {}, [image(42, 2, 3, 5, 4)]),
        layer("AdaptiveAvgPool2d", [[2, 3]], {}, [image(43, 2, 3, 4, 6)]),
        layer("AdaptiveAvgPool2d", [[3, None]], {}, [image(44, 2, 2, 7, 5)]),
        layer("AdaptiveAvgPool2d", [[5, 4]], {}, [image(45, 2, 3, 6)]),
        layer("AdaptiveMaxPool1d", [4], {}, [X(46, 2, 3, 9, ties=True)]),
        layer("AdaptiveMaxPool2d", [[3, 4]], {}, [X(47, 2, 2, 7, 10, ties=True)]),
        layer("AdaptiveMaxPool2d", [1], {}, [X(48, 2, 2, 4, 4, ties=True)]),
        layer("BatchNorm1d", [4], {}, [X(50, 6, 4)]),
        layer("BatchNorm1d", [3], {"eps": 1e-3, "affine": False}, [X(51, 2, 3, 5)]),
        layer("BatchNorm2d", [3], {}, [image(52, 3, 3, 4, 5)]),
        layer("BatchNorm2d", [3], {}, [image(53, 3, 3, 4, 5)], evaluate=True),
        layer("BatchNorm2d", [3], {"track_running_stats": False}, [image(54, 3, 3, 2, 5)], evaluate=True),
        layer("LayerNorm", [6], {}, [X(55, 4, 6)]),
        layer("LayerNorm", [[3, 4]], {"bias": False}, [X(56, 2, 3, 4)]),
        layer("LayerNorm", [5], {"elementwise_affine": False, "eps": 0.01}, [X(57, 2, 3, 5)]),
        layer("RMSNorm", [6], {}, [X(58, 4, 6)]),
        layer("RMSNorm", [[3, 4]], {"eps": 0.01}, [X(59, 2, 3, 4)]),
        layer("GroupNorm", [2, 6], {}, [image(60, 2, 6, 3, 4)]),
        layer("GroupNorm", [2, 6], {"affine": False}, [X(61, 4, 6)]),
        layer("GroupNorm", [1, 4], {"eps": 0.1}, [X(62, 2, 4, 5)]),
        layer("InstanceNorm1d", [3], {"affine": True}, [X(63, 2, 3, 6)]),
        layer("InstanceNorm2d", [3], {}, [image(64, 2, 3, 3, 4)]),
        layer("InstanceNorm2d", [3], {"affine": True, "track_running_stats": True}, [image(65, 2, 3, 3, 4)]),
        layer("Embedding", [7, 3], {}, [X(66, 2, 4, classes=7)]),
        layer("Embedding", [5, 3], {"padding_idx": -2}, [X(67, 9, classes=5)]),
        layer("Embedding", [7, 3], {"max_norm": 0.8}, [X(66, 2, 4, classes=7)]),
        layer("Embedding", [5, 3], {"max_norm": 0.5, "norm_type": 1.5, "padding_idx": 1}, [X(67, 9, classes=5)]),
        layer("MultiheadAttention", [8, 2], {}, [X(70, 5, 2, 8), X(71, 4, 2, 8), X(72, 4, 2, 8)]),
        layer("MultiheadAttention", [8, 4], {"batch_first": True, "bias": False}, [X(73, 2, 5, 8), X(74, 2, 3, 8), X(75, 2, 3, 8)], {"key_padding_mask": X(76, 2, 3, mask=-0.4), "average_attn_weights": False}),
        layer("MultiheadAttention", [6, 3], {"kdim": 4, "vdim": 5}, [X(77, 3, 2, 6), X(78, 4, 2, 4), X(79, 4, 2, 5)], {"attn_mask": X(80, 3, 4)}),
        layer("MultiheadAttention", [6, 2], {}, [X(81, 4, 6), X(82, 5, 6), X(83, 5, 6)], {"attn_mask": X(84, 2, 4, 5, mask=-0.5)}),
        layer("TransformerEncoderLayer", [8, 2], {"dim_feedforward": 12, "dropout": 0.0}, [X(85, 5, 2, 8)]),
        layer("TransformerEncoderLayer", [8, 2], {"dim_feedforward": 6, "dropout": 0.0, "activation": "gelu", "norm_first": True, "batch_first": True}, [X(86, 2, 5, 8)], {"src_mask": X(87, 5, 5, mask=-0.5)}),
        layer("TransformerEncoderLayer", [4, 1], {"dim_feedforward": 6, "dropout": 0.0, "bias": False, "batch_first": True}, [X(88, 2, 5, 4)], {"src_key_padding_mask": X(89, 2, 5, mask=-0.3)}),
        layer("Flatten", [], {}, [X(90, 2, 3, 4)]),
        layer("Flatten", [0, 1], {}, [X(91, 2, 3, 4)]),
        layer("Unflatten", [1, [2, 3]], {}, [X(92, 2, 6)]),
        layer("Identity", [], {}, [X(93, 2, 6)]),
        layer("Upsample", [], {"scale_factor": 2}, [image(94, 1, 2, 3, 4)]),
        layer("Upsample", [], {"size": [5, 3]}, [image(95, 1, 2, 3, 7)]),
        layer("Upsample", [], {"scale_factor": 1.7, "mode": "nearest"}, [X(96, 2, 2, 5)]),
        layer("Upsample", [], {"scale_factor": 2, "mode": "bilinear"}, [image(97, 1, 2, 3, 4)]),
        layer("Upsample", [], {"scale_factor": 2.6, "mode": "bilinear"}, [image(98, 1, 1, 3, 4)]),
        layer("Upsample", [], {"size": [2, 9], "mode": "bilinear", "align_corners": True}, [image(99, 1, 2, 5, 4)]),
        layer("Upsample", [], {"size": 7, "mode": "linear"}, [X(100, 2, 2, 4)]),
        layer("PixelShuffle", [2], {}, [image(101, 2, 8, 2, 3)]),
        layer("PixelUnshuffle", [3], {}, [image(102, 2, 1, 6, 3)]),
        layer("ZeroPad2d", [[1, 0, 2, 3]], {}, [image(103, 1, 2, 3, 2)]),
        layer("ZeroPad2d", [-1], {}, [image(104, 1, 2, 4, 5)]),
        layer("ConstantPad2d", [1, 3.5], {}, [image(105, 1, 2, 3, 2)]),
        layer("ReflectionPad2d", [[1, 2, 0, 1]], {}, [image(106, 1, 2, 3, 4)]),
        layer("ReplicationPad2d", [2], {}, [image(107, 1, 2, 2, 3)]),
        layer("CircularPad2d", [[2, 1, 1, 0]], {}, [image(108, 1, 2, 2, 3)]),
        layer("Softmax", [], {"dim": 1}, [X(109, 2, 3, 4, low=-5, high=5)]),
        layer("LogSoftmax", [], {"dim": -1}, [X(110, 2, 3, 4, low=-5, high=5)]),
        layer("Softmin", [], {"dim": 0}, [X(111, 3, 4, low=-5, high=5)]),
        layer("GLU", [], {}, [X(112, 3, 4)]),
        layer("GLU", [1], {}, [X(113, 2, 6, 3)]),
        layer("PReLU", [], {}, [X(114, 3, 4)]),
        layer("PReLU", [4], {}, [X(115, 2, 4, 3)]),
    ]
    activations = [
        ["ReLU", []], ["ReLU6", []], ["LeakyReLU", []], ["LeakyReLU", [0.2]], ["ELU", []], ["ELU", [0.7]], ["SELU", []], ["CELU", []],
        ["CELU", [0.6]], ["GELU", []], ["GELU", ["tanh"]], ["SiLU", []], ["Mish", []], ["Sigmoid", []], ["Hardsigmoid", []], ["Hardswish", []],
        ["Hardtanh", []], ["Hardtanh", [-2, 0.5]], ["LogSigmoid", []], ["Softplus", []], ["Softplus", [2, 3]], ["Softsign", []], ["Tanh", []],
        ["Tanhshrink", []], ["Softshrink", []], ["Softshrink", [1]], ["Hardshrink", []], ["Threshold", [0.1, 20]],
    ]
    # multiples of a quarter: the kinks themselves are among them
    cases += [layer(name, args, {}, [X(120, 4, 10, low=-7, high=7, ties=True)]) for name, args in activations]
    return cases


def running(name, args, kwargs, shape, steps=3):
    """Statistics after several training steps, and the output after eval()."""
    module = getattr(nn, name)(*args, **kwargs)
    set_parameters(module)
    history = []
    for step in range(steps):
        module(X(200 + step, *shape).tensor() * (step + 1) + step)
        history.append({key: result(value) for key, value in module.named_buffers()})
    module.eval()
    return {
        "layer": name, "args": args, "options": options_of(kwargs), "shape": list(shape), "history": history,
        "evaluated": result(module(X(210, *shape).tensor())),
    }


def runnings():
    return [
        running("BatchNorm1d", [3], {}, (5, 3)),
        running("BatchNorm1d", [3], {"momentum": None}, (4, 3, 2)),
        running("BatchNorm2d", [2], {"momentum": 0.3}, (2, 2, 3, 3)),
        running("BatchNorm2d", [2], {"affine": False}, (3, 2, 2, 1)),
        running("InstanceNorm2d", [2], {"track_running_stats": True, "momentum": 0.2}, (3, 2, 3, 2)),
    ]


def initial(name, args, kwargs=None):
    """Mean, deviation and bounds of initial values over seeds."""
    values = {}
    for seed in range(5):
        torch.manual_seed(seed)
        for key, parameter in getattr(nn, name)(*args, **(kwargs or {})).named_parameters():
            values.setdefault(key, []).append(parameter.detach().double().numpy().ravel())
    statistics = {}
    for key, parts in values.items():
        all_values = np.concatenate(parts)
        statistics[key] = {
            "count": int(all_values.size), "mean": short(all_values.mean()), "std": short(all_values.std()),
            "min": short(all_values.min()), "max": short(all_values.max()),
        }
    return {"layer": name, "args": args, "options": options_of(kwargs or {}), "parameters": statistics}


def init_function(name, shape, **kwargs):
    torch.manual_seed(0)
    t = torch.empty(*shape)
    getattr(nn.init, name)(t, **kwargs)
    v = t.double().numpy()
    return {
        "function": name, "shape": list(shape), "options": options_of(kwargs), "mean": short(v.mean()), "std": short(v.std()),
        "min": short(v.min()), "max": short(v.max()),
    }


def initials():
    return {
        "layers": [
            initial("Linear", [80, 60]), initial("Bilinear", [12, 20, 16]), initial("Conv1d", [16, 24, 5]), initial("Conv2d", [8, 32, 5]),
            initial("Conv2d", [16, 32, [3, 5]], {"groups": 4}), initial("ConvTranspose2d", [12, 24, 4]),
            initial("ConvTranspose2d", [16, 32, 3], {"groups": 2}), initial("Embedding", [100, 40]), initial("Embedding", [100, 40], {"padding_idx": 3}),
            initial("BatchNorm2d", [5]), initial("LayerNorm", [5]), initial("GroupNorm", [1, 5]), initial("PReLU", []),
            initial("MultiheadAttention", [48, 4]), initial("MultiheadAttention", [48, 4], {"kdim": 24, "vdim": 30}),
            initial("TransformerEncoderLayer", [32, 4], {"dim_feedforward": 48}),
        ],
        "functions": [
            init_function("uniform_", (100, 50), a=-2.0, b=3.0), init_function("normal_", (100, 50), mean=1.0, std=2.0),
            init_function("trunc_normal_", (200, 50), mean=0.5, std=1.5, a=-1.0, b=2.0), init_function("trunc_normal_", (200, 50), mean=0.0, std=0.02),
            init_function("constant_", (3, 4), val=2.5), init_function("eye_", (3, 5)), init_function("dirac_", (6, 2, 3, 3), groups=2),
            init_function("xavier_uniform_", (100, 50)), init_function("xavier_normal_", (100, 50, 3), gain=2.0),
            init_function("kaiming_uniform_", (100, 50), a=0.3, mode="fan_out"), init_function("kaiming_normal_", (100, 50, 3), nonlinearity="relu"),
            init_function("orthogonal_", (40, 30), gain=1.5), init_function("orthogonal_", (10, 3, 5)),
        ],
        "gains": {name: short(nn.init.calculate_gain(name)) for name in ["linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"]},
    }


def loss(name, kwargs, inputs):
    module = getattr(nn, name)(**{k: live(v) for k, v in kwargs.items()})
    tensors = [x.tensor() for x in inputs]
    y = module(tensors[0], tensors[1].detach())
    seed = torch.from_numpy(hash_uniform(SEED_STREAM, tuple(y.shape)))
    (y * seed).sum().backward()
    return {
        "loss": name, "options": options_of(kwargs), "inputs": [x.spec for x in inputs], "output": result(y), "gradient": result(tensors[0].grad),
    }


def losses():
    cases = []
    logits, labels = X(1, 5, 4, low=-4, high=4), X(2, 5, classes=4)
    deep, deep_labels = X(3, 2, 3, 2, 3, low=-4, high=4), X(4, 2, 2, 3, classes=3)
    weight4, weight3 = X(5, 4, low=0.1, high=2), X(6, 3, low=0.1, high=2)
    for reduction in ["mean", "sum", "none"]:
        cases += [
            loss("CrossEntropyLoss", {"reduction": reduction}, [logits, labels]),
            loss("CrossEntropyLoss", {"reduction": reduction, "weight": weight4, "label_smoothing": 0.1, "ignore_index": 1}, [logits, labels]),
            loss("CrossEntropyLoss", {"reduction": reduction, "weight": weight3}, [deep, deep_labels]),
            loss("CrossEntropyLoss", {"reduction": reduction, "label_smoothing": 0.3}, [deep, deep_labels]),
            loss("CrossEntropyLoss", {"reduction": reduction, "weight": weight4, "label_smoothing": 0.2}, [logits, X(7, 5, 4, low=0, high=1)]),
            loss("CrossEntropyLoss", {"reduction": reduction}, [deep, X(8, 2, 3, 2, 3, low=0, high=1)]),
            loss("NLLLoss", {"reduction": reduction, "weight": weight4, "ignore_index": 0}, [logits, labels]),
            loss("NLLLoss", {"reduction": reduction}, [deep, deep_labels]),
            loss("BCELoss", {"reduction": reduction}, [X(9, 4, 3, low=0.01, high=0.99), X(10, 4, 3, low=0, high=1)]),
            loss("BCELoss", {"reduction": reduction, "weight": X(11, 3, low=0.1, high=2)}, [X(12, 4, 3, low=0.01, high=0.99), X(13, 4, 3, low=0, high=1)]),
            loss("BCEWithLogitsLoss", {"reduction": reduction}, [X(14, 4, 3, low=-30, high=30), X(15, 4, 3, low=0, high=1)]),
            loss("BCEWithLogitsLoss", {"reduction": reduction, "pos_weight": X(16, 3, low=0.5, high=4), "weight": X(17, 4, 1, low=0.1, high=2)}, [X(18, 4, 3, low=-3, high=3), X(19, 4, 3, low=0, high=1)]),
            loss("MSELoss", {"reduction": reduction}, [X(20, 4, 3), X(21, 4, 3)]),
            loss("L1Loss", {"reduction": reduction}, [X(22, 4, 3, ties=True), X(23, 4, 3, ties=True)]),
            loss("SmoothL1Loss", {"reduction": reduction}, [X(24, 4, 3, low=-2, high=2, ties=True), X(25, 4, 3, low=-2, high=2, ties=True)]),
            loss("SmoothL1Loss", {"reduction": reduction, "beta": 0.5}, [X(26, 4, 3, low=-2, high=2, ties=True), X(27, 4, 3, low=-2, high=2, ties=True)]),
            loss("SmoothL1Loss", {"reduction": reduction, "beta": 0.0}, [X(28, 4, 3), X(29, 4, 3)]),
            loss("HuberLoss", {"reduction": reduction}, [X(30, 4, 3, low=-2, high=2, ties=True), X(31, 4, 3, low=-2, high=2, ties=True)]),
            loss("HuberLoss", {"reduction": reduction, "delta": 0.5}, [X(32, 4, 3, low=-2, high=2, ties=True), X(33, 4, 3, low=-2, high=2, ties=True)]),
        ]
    for reduction in ["mean", "sum", "none", "batchmean"]:
        cases += [
            loss("KLDivLoss", {"reduction": reduction}, [X(34, 4, 3, low=-3, high=0), X(35, 4, 3, low=0, high=1)]),
            loss("KLDivLoss", {"reduction": reduction, "log_target": True}, [X(36, 4, 3, low=-3, high=0), X(37, 4, 3, low=-3, high=0)]),
        ]
    cases.append(loss("CrossEntropyLoss", {}, [X(38, 4, low=-2, high=2), X(39, classes=4)]))
    cases.append(loss("CrossEntropyLoss", {"ignore_index": 2, "label_smoothing": 0.1}, [X(40, 6, 3), X(41, 6, classes=3)]))
    return cases


def function(name, inputs, args=None, kwargs=None):
    """A function of tensors: its value and the gradients."""
    tensors = [x.tensor() for x in inputs]
    y = getattr(F, name)(*tensors, *[live(a) for a in args or []], **{k: live(v) for k, v in (kwargs or {}).items()})
    if y.requires_grad:
        (y * torch.from_numpy(hash_uniform(SEED_STREAM, tuple(y.shape)))).sum().backward()
    return {
        "function": camel(name), "inputs": [x.spec for x in inputs], "args": [plain(a) for a in args or []], "options": options_of(kwargs or {}),
        "output": result(y), "gradients": [None if t.grad is None else result(t.grad) for t in tensors],
    }


def functions():
    qkv = lambda stream: [X(stream, 2, 3, 4, 6), X(stream + 1, 2, 3, 5, 6), X(stream + 2, 2, 3, 5, 7)]
    return [
        function("scaled_dot_product_attention", qkv(300)),
        function("scaled_dot_product_attention", qkv(303), kwargs={"is_causal": True}),
        function("scaled_dot_product_attention", qkv(306), kwargs={"attn_mask": X(309, 4, 5, mask=0.6), "scale": 0.3}),
        function("scaled_dot_product_attention", qkv(310), kwargs={"attn_mask": X(313, 2, 1, 4, 5)}),
        function("normalize", [X(314, 3, 4)]),
        function("normalize", [X(315, 3, 4, 2)], kwargs={"p": 1.0, "dim": -1}),
        function("cosine_similarity", [X(316, 3, 4), X(317, 3, 4)]),
        function("cosine_similarity", [X(318, 2, 3, 4), X(319, 2, 3, 4)], kwargs={"dim": -1, "eps": 0.1}),
        function("pad", [X(320, 2, 3, 4)], [[1, 2]]),
        function("pad", [X(321, 2, 3, 4)], [[1, -2, -1, 3, 0, 1], "constant", 2.5]),
        function("pad", [X(322, 2, 3, 4)], [[3, 1], "reflect"]),
        function("pad", [X(323, 2, 2, 3, 4)], [[2, 0, 1, 1], "replicate"]),
        function("pad", [X(324, 2, 3, 4)], [[4, 2], "circular"]),
        function("interpolate", [X(325, 1, 2, 5, 7)], kwargs={"size": [3, 4], "mode": "area"}),
        function("interpolate", [X(326, 1, 2, 6)], kwargs={"scale_factor": 0.5, "mode": "linear", "align_corners": False}),
        function("interpolate", [X(327, 1, 2, 4, 5)], kwargs={"scale_factor": [1.5, 0.7], "mode": "bilinear", "recompute_scale_factor": True}),
        function("interpolate", [X(328, 1, 2, 4, 5)], kwargs={"scale_factor": [2.3, 0.61]}),
        function("linear", [X(329, 2, 3, 4), X(330, 5, 4), X(331, 5)]),
        function("conv2d", [X(332, 2, 3, 5, 4), X(333, 4, 3, 2, 2), X(334, 4)]),
        function("conv_transpose1d", [X(335, 2, 3, 4), X(336, 3, 2, 3)]),
        function("max_pool2d", [X(337, 2, 3, 5, 4)], [2]),
        function("avg_pool2d", [X(338, 2, 3, 5, 4)], [[2, 3], 1]),
        function("layer_norm", [X(339, 3, 4)], [[4]]),
        function("group_norm", [X(340, 2, 4, 3)], [2]),
        function("softmax", [X(341, 2, 3)], kwargs={"dim": 0}),
        function("log_softmax", [X(342, 2, 3)], kwargs={"dim": -1}),
        function("glu", [X(343, 2, 6)]),
        function("softplus", [X(344, 4, 3, low=-30, high=30)]),
        function("hardtanh", [X(345, 4, 3, low=-3, high=3, ties=True)]),
        function("prelu", [X(346, 2, 3, 2), X(347, 3)]),
        function("one_hot", [X(348, 2, 3, classes=4)], [5]),
        function("unfold", [X(349, 2, 3, 5, 4)], [[2, 3]]),
        function("unfold", [X(350, 1, 2, 6, 5)], [2], {"dilation": 2, "padding": 1, "stride": [2, 1]}),
        function("pairwise_distance", [X(351, 3, 4), X(352, 3, 4)]),
    ]


if __name__ == "__main__":
    versions = {"python": platform.python_version(), "numpy": np.__version__, "torch": torch.__version__}
    torch.manual_seed(0)
    write(os.path.join(GOLDENS, "torch-layers.json"), {"versions": versions, "layers": layers(), "running": runnings()})
    write(os.path.join(GOLDENS, "torch-losses.json"), {"versions": versions, "losses": losses()})
    write(os.path.join(GOLDENS, "torch-functional.json"), {"versions": versions, "functions": functions()})
    write(os.path.join(GOLDENS, "torch-initial.json"), {"versions": versions, **initials()})
