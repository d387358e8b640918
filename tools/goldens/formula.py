"""Numbers that Python and TypeScript both generate, so that goldens need not store them.

Element i of stream s is a 32-bit hash of (s, i), scaled to [low, high) in float64 and rounded once to float32:

    h = i + 0x9E3779B9 * (s + 1)          (mod 2^32)
    h ^= h >> 16;  h *= 0x85EBCA6B;  h ^= h >> 13;  h *= 0xC2B2AE35;  h ^= h >> 16
    value = float32(low + (high - low) * ((h + 0.5) / 2^32))

The TypeScript half is src/testing/hash-uniform.ts.
"""

import json
import math
import platform
import sys

import numpy as np


def hash_uniform(stream, shape, low=-1.0, high=1.0):
    """Array of `shape` with the values of `stream`, in row-major order."""
    count = int(np.prod(shape, dtype=np.int64))
    h = (np.arange(count, dtype=np.uint64) + np.uint64((0x9E3779B9 * (stream + 1)) % 2**32)).astype(np.uint32)
    h ^= h >> np.uint32(16)
    h *= np.uint32(0x85EBCA6B)
    h ^= h >> np.uint32(13)
    h *= np.uint32(0xC2B2AE35)
    h ^= h >> np.uint32(16)
    unit = (h.astype(np.float64) + 0.5) / 4294967296.0
    return (low + (high - low) * unit).astype(np.float32).reshape(shape)


def hash_labels(stream, count, classes):
    """`count` integer labels below `classes`."""
    return np.minimum(np.floor(hash_uniform(stream, (count,), 0.0, 1.0).astype(np.float64) * classes), classes - 1).astype(np.int32)


def glorot_hash_uniform(stream, shape):
    """Values of `stream` within Glorot's limit for a Keras kernel of `shape` (HWIO or in x out)."""
    receptive = int(np.prod(shape[:-2], dtype=np.int64))
    limit = math.sqrt(6.0 / (receptive * shape[-2] + receptive * shape[-1]))
    return hash_uniform(stream, shape, -limit, limit)


def sample_indices(count, samples=16):
    """Where `sampled` looks: evenly spread, first and last element included."""
    if count <= samples:
        return list(range(count))
    return [(k * (count - 1)) // (samples - 1) for k in range(samples)]


def sampled(array):
    """Sum, Euclidean norm and about sixteen elements of a tensor: enough to tell a wrong gradient, small enough to store."""
    flat = np.asarray(array).astype(np.float64).ravel()
    indices = sample_indices(flat.size)
    return {
        "shape": list(np.asarray(array).shape),
        "sum": number(flat.sum()),
        "norm": number(np.sqrt((flat * flat).sum())),
        "indices": indices,
        "values": [number(flat[i]) for i in indices],
    }


def number(value):
    """A float with nine significant digits: enough for any float32."""
    value = float(value)
    if math.isnan(value):
        return "NaN"
    if math.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.9g}")


def numbers(array):
    """All elements in row-major order."""
    return [number(v) for v in np.asarray(array).ravel()]


def versions():
    import keras
    import tensorflow

    return {
        "python": platform.python_version(),
        "numpy": np.__version__,
        "keras": keras.__version__,
        "tensorflow": tensorflow.__version__,
    }


def write(path, content):
    with open(path, "w", encoding="utf8") as file:
        json.dump(content, file, separators=(",", ":"))
        file.write("\n")
    print(f"{path}: {len(json.dumps(content, separators=(',', ':'))):,} bytes", file=sys.stderr)
