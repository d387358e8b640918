"""A tiny CIFAR-10 in the form of its official Python version, for tests: two images in each batch, pickled as Python 2 and as Python 3 would.

    python tools/goldens/cifar_fixtures.py        (npm run goldens uses the interpreter that TRIVIUM_PYTHON names)

Pixels are `hash_uniform(stream, …, 0, 256)` (formula.py), rounded down, compressed in a .tar.gz. File: test/goldens/cifar-fixtures.json (base64).
"""

import base64
import io
import os
import pickle
import struct
import tarfile

import numpy as np
from formula import hash_uniform, write

HERE = os.path.dirname(os.path.abspath(__file__))
PATH = os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "goldens", "cifar-fixtures.json")


def pixels(stream):
    """Two images: sparse, so that they compress."""
    values = np.minimum(255, np.floor(hash_uniform(stream, (2, 48), 0, 256))).astype(np.uint8)
    return np.repeat(values, 64, axis=1)


def batch(number):
    return {"data": pixels(number), "labels": [number % 10, 9 - number], "batch_label": "a batch", "filenames": ["a.png", "b.png"]}


def python2(value):
    """Protocol 2 as Python 2's cPickle wrote the official files: byte strings, NumPy's old module path."""

    def string(text):
        data = text if isinstance(text, bytes) else text.encode("latin1")
        return b"U" + bytes([len(data)]) + data if len(data) < 256 else b"T" + struct.pack("<I", len(data)) + data

    def write_value(item):
        if isinstance(item, dict):
            return b"}(" + b"".join(write_value(key) + write_value(entry) for key, entry in item.items()) + b"u"
        if isinstance(item, list):
            return b"](" + b"".join(write_value(entry) for entry in item) + b"e"
        if isinstance(item, str):
            return string(item)
        if isinstance(item, int):
            return b"K" + bytes([item])
        shape = b"K" + bytes([item.shape[0]]) + b"M" + struct.pack("<H", item.shape[1]) + b"\x86"
        head = b"cnumpy.core.multiarray\n_reconstruct\nq\x02cnumpy\nndarray\nq\x03K\x00\x85U\x01b\x87Rq\x04"
        dtype = b"cnumpy\ndtype\nq\x05U\x02u1K\x00K\x01\x87Rq\x06(K\x03U\x01|NNNJ\xff\xff\xff\xffJ\xff\xff\xff\xffK\x00tb"
        return head + b"(K\x01" + shape + dtype + b"\x89" + string(item.tobytes()) + b"tb"

    return b"\x80\x02" + write_value(value) + b"."


def archive(dump):
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:gz") as tar:
        for number, name in enumerate([f"data_batch_{n}" for n in range(1, 6)] + ["test_batch"], 1):
            content = dump(batch(number))
            entry = tarfile.TarInfo(f"cifar-10-batches-py/{name}")
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return base64.b64encode(data.getvalue()).decode()


assert pickle.loads(python2(batch(1)), encoding="latin1")["data"].tobytes() == batch(1)["data"].tobytes()
fixtures = {"python2": archive(python2)}
for protocol in range(6):
    fixtures[f"protocol {protocol}"] = archive(lambda value, protocol=protocol: pickle.dumps(value, protocol=protocol))
write(PATH, fixtures)
