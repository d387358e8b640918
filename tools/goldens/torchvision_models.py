"""Goldens of trivium/models: what torchvision's networks compute, with what names, shapes and printed form.

    python tools/goldens/torchvision_models.py        (npm run goldens uses the interpreter that TRIVIUM_PYTHON names)

No weights are stored: every entry of a state dict is a stream of `hash_uniform` (formula.py) whose number is a hash of the entry's name, between
bounds that follow from its kind (`state_value`, and test/models/formula-state.ts for the other side). Names, shapes and printed forms are stored as
hashes, logits in full. File: test/goldens/torchvision-models.json.
"""

import hashlib
import math
import os
import platform
import re

import numpy as np
import torch
import torchvision
from formula import hash_labels, hash_uniform, numbers, sampled, write
from PIL import Image

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "goldens")
INPUT_STREAM = 77

NAMES = [
    "densenet121", "densenet161", "densenet169", "densenet201", "mobilenet_v2",
    "resnet18", "resnet34", "resnet50", "resnet101", "resnet152",
    "resnext50_32x4d", "resnext101_32x8d", "resnext101_64x4d", "wide_resnet50_2", "wide_resnet101_2",
    "vgg11", "vgg11_bn", "vgg13", "vgg13_bn", "vgg16", "vgg16_bn", "vgg19", "vgg19_bn",
]  # fmt: skip

# forward passes in eval mode: network, options, batch, edge of the image
FORWARDS = [
    ("resnet18", {}, 2, 224),
    ("resnet34", {"num_classes": 10, "zero_init_residual": True}, 1, 64),
    ("resnet50", {}, 2, 224),
    ("resnet101", {"num_classes": 10}, 1, 64),
    ("resnet152", {}, 1, 64),
    ("resnet50", {"num_classes": 7, "replace_stride_with_dilation": [False, True, True]}, 1, 64),
    ("resnext50_32x4d", {"num_classes": 10}, 1, 64),
    ("mobilenet_v2", {}, 2, 224),
    ("mobilenet_v2", {"num_classes": 5, "width_mult": 0.35}, 2, 64),
    ("mobilenet_v2", {"num_classes": 5, "width_mult": 1.4, "round_nearest": 4}, 1, 64),
    ("vgg16", {}, 2, 32),
    ("densenet121", {}, 2, 224),
    ("DenseNet", {"num_classes": 10, "growth_rate": 12, "block_config": [2, 3, 2], "num_init_features": 24, "bn_size": 2}, 1, 32),
]


def camel(name):
    return re.sub(r"_([a-z])", lambda match: match.group(1).upper(), name)


def stream_of(name):
    """FNV-1a of the name, 31 bits."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) % 2**32
    return value >> 1


def state_value(name, shape):
    """Weights keep the variance of what passes through rectifiers; statistics and what follows them stay near those of a normal input."""
    if name.endswith("num_batches_tracked"):
        return np.array(3, dtype=np.int64)
    if name.endswith("running_var"):
        low, high = 0.7, 1.3
    elif len(shape) > 1:
        high = math.sqrt(6 / int(np.prod(shape[1:], dtype=np.int64)))
        low = -high
    elif name.endswith("weight"):
        low, high = 0.5, 1.2
    else:
        low, high = -0.2, 0.2
    return hash_uniform(stream_of(name), shape, low, high)


def set_state(model):
    with torch.no_grad():
        for name, entry in model.state_dict().items():
            entry.copy_(torch.from_numpy(np.asarray(state_value(name, tuple(entry.shape)))))


def image(batch, edge):
    """Patches of 8 by 8 to an image, and noise: pure noise looks the same everywhere to a network, and so do its logits."""
    place = np.arange(edge) * 8 // edge
    patches = hash_uniform(INPUT_STREAM, (batch, 3, 8, 8), -2.0, 2.0)[:, :, place][:, :, :, place]
    return torch.from_numpy(patches + hash_uniform(INPUT_STREAM + 1, (batch, 3, edge, edge), -0.5, 0.5))


def digest(text):
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def structure(name):
    with torch.device("meta"):
        model = torchvision.models.get_model(name)
    state = model.state_dict()
    lines = "\n".join(f"{key} [{','.join(map(str, entry.shape))}]" for key, entry in state.items())
    # the classes of dense networks are private in torchvision
    text = re.sub(r"\b_(?=Dense|Transition)", "", str(model))
    return {
        "parameters": sum(p.numel() for p in model.parameters()),
        "entries": len(state),
        "state": digest(lines),
        "text": digest(text),
    }


def forward(name, options, batch, edge):
    make = getattr(torchvision.models, name)
    model = make(**options).eval()
    set_state(model)
    with torch.inference_mode():
        logits = model(image(batch, edge))
    spread = "" if batch == 1 else f", rows differ by {(logits[0] - logits[1]).abs().max() / logits.abs().max():.2g}"
    print(f"{name} {options}: largest logit {logits.abs().max():.3g}, deviation {logits.std():.3g}{spread}")
    digits = [float(f"{v:.6g}") for v in logits.double().numpy().ravel()]
    # a thousand classes: every eighth
    step = 8 if logits.shape[1] == 1000 else 1
    return {
        "model": name,
        "options": {camel(key): value for key, value in options.items()},
        "batch": batch,
        "edge": edge,
        "largest": float(f"{logits.abs().max():.6g}"),
        "step": step,
        "logits": digits[::step],
    }


def training():
    """A step of ResNet-18 on small images: loss, gradients and what the running statistics become."""
    batch, edge, classes = 4, 32, 10
    model = torchvision.models.resnet18(num_classes=classes)
    set_state(model)
    model.train()
    labels = torch.from_numpy(hash_labels(INPUT_STREAM + 2, batch, classes)).long()
    x = image(batch, edge).requires_grad_(True)
    logits = model(x)
    loss = torch.nn.functional.cross_entropy(logits, labels)
    loss.backward()
    gradients = {name: sampled(p.grad) for name, p in model.named_parameters()}
    kept = ("bn1.running_mean", "bn1.running_var", "layer4.1.bn2.running_mean", "layer4.1.bn2.running_var")
    return {
        "batch": batch,
        "edge": edge,
        "classes": classes,
        "logits": numbers(logits.detach()),
        "loss": float(f"{loss.item():.9g}"),
        "inputGradient": sampled(x.grad),
        "gradients": {name: {"norm": g["norm"], "indices": g["indices"], "values": g["values"]} for name, g in gradients.items() if name in WANTED},
        "norms": {name: float(f"{g['norm']:.6g}") for name, g in gradients.items()},
        "buffers": {name: sampled(model.state_dict()[name]) for name in kept},
        "batchesTracked": int(model.bn1.num_batches_tracked),
    }


WANTED = (
    "conv1.weight", "bn1.weight", "layer1.0.conv1.weight", "layer2.0.downsample.0.weight", "layer2.0.downsample.1.bias",
    "layer4.1.conv2.weight", "layer4.1.bn2.weight", "fc.weight", "fc.bias",
)  # fmt: skip


def classification():
    """The likeliest classes of an image, resized, cropped and normalized as torchvision does it for its weights."""
    name, width, height, patch = "mobilenet_v2", 320, 288, 32
    patches = hash_labels(INPUT_STREAM + 3, (height // patch) * (width // patch) * 3, 256).reshape(height // patch, width // patch, 3)
    pixels = patches.repeat(patch, axis=0).repeat(patch, axis=1).astype(np.uint8)
    model = torchvision.models.get_model(name).eval()
    set_state(model)
    preprocess = torchvision.models.MobileNet_V2_Weights.IMAGENET1K_V1.transforms()
    with torch.inference_mode():
        probabilities = model(preprocess(Image.fromarray(pixels)).unsqueeze(0)).softmax(1)[0]
    values, classes = probabilities.topk(5)
    return {
        "model": name,
        "width": width,
        "height": height,
        "patch": patch,
        "classes": classes.tolist(),
        "percent": [float(f"{100 * v:.3f}") for v in values.tolist()],
    }


def starts():
    """Standard deviations and means of what weights start as, for the kinds that a network sets."""
    entries = {
        "resnet18": ["conv1.weight", "layer4.1.conv2.weight", "bn1.weight", "bn1.bias", "fc.weight", "fc.bias"],
        "mobilenet_v2": ["features.1.conv.0.0.weight", "features.18.0.weight", "features.18.1.weight", "classifier.1.weight", "classifier.1.bias"],
        "densenet121": ["features.conv0.weight", "features.denseblock4.denselayer16.conv2.weight", "features.norm5.weight", "classifier.weight", "classifier.bias"],
    }
    result = {}
    for name, keys in entries.items():
        torch.manual_seed(0)
        state = torchvision.models.get_model(name).state_dict()
        result[name] = {key: {"mean": float(f"{state[key].mean():.4g}"), "deviation": float(f"{state[key].std(unbiased=False):.4g}"), "largest": float(f"{state[key].abs().max():.4g}")} for key in keys}
    return result


def main():
    torch.set_num_threads(2)
    content = {
        "versions": {"python": platform.python_version(), "torch": torch.__version__, "torchvision": torchvision.__version__},
        "structures": {name: structure(name) for name in NAMES},
        "forwards": [forward(*case) for case in FORWARDS],
        "training": training(),
        "classification": classification(),
        "starts": starts(),
    }
    write(os.path.join(GOLDENS, "torchvision-models.json"), content)


main()
