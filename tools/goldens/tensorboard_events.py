"""What TensorBoard's own protocol buffers make of the events that Trivium writes, and what its reader finds in a folder.

    python tools/goldens/tensorboard_events.py              writes test/goldens/tensorboard-events.json
    python tools/goldens/tensorboard_events.py LOGDIR       prints the scalars and histograms that TensorBoard reads there, as JSON

Needs the package `tensorboard` alone.
"""

import json
import os
import struct
import sys

from tensorboard import __version__
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.compat.proto import event_pb2, summary_pb2, tensor_pb2, tensor_shape_pb2, types_pb2
from tensorboard.compat.tensorflow_stub.pywrap_tensorflow import masked_crc32c
from tensorboard.util.tensor_util import make_ndarray

HERE = os.path.dirname(os.path.abspath(__file__))


def frame(data):
    head = struct.pack("<Q", len(data))
    return head + struct.pack("<I", masked_crc32c(head)) + data + struct.pack("<I", masked_crc32c(data))


def metadata(plugin, data_class):
    return summary_pb2.SummaryMetadata(
        plugin_data=summary_pb2.SummaryMetadata.PluginData(plugin_name=plugin), data_class=data_class
    )


def scalar(tag, value, step, wall_time):
    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_FLOAT, tensor_shape=tensor_shape_pb2.TensorShapeProto(), float_val=[value]
    )
    entry = summary_pb2.Summary.Value(
        tag=tag, tensor=tensor, metadata=metadata("scalars", summary_pb2.DATA_CLASS_SCALAR)
    )
    return event_pb2.Event(wall_time=wall_time, step=step, summary=summary_pb2.Summary(value=[entry]))


def histogram(tag, buckets, step, wall_time):
    dims = [tensor_shape_pb2.TensorShapeProto.Dim(size=size) for size in (len(buckets), 3)]
    tensor = tensor_pb2.TensorProto(
        dtype=types_pb2.DT_DOUBLE,
        tensor_shape=tensor_shape_pb2.TensorShapeProto(dim=dims),
        tensor_content=struct.pack(f"<{3 * len(buckets)}d", *[number for bucket in buckets for number in bucket]),
    )
    entry = summary_pb2.Summary.Value(
        tag=tag, tensor=tensor, metadata=metadata("histograms", summary_pb2.DATA_CLASS_TENSOR)
    )
    return event_pb2.Event(wall_time=wall_time, step=step, summary=summary_pb2.Summary(value=[entry]))


def write_golden():
    first = event_pb2.Event(
        wall_time=1700000000.25,
        file_version="brain.Event:2",
        source_metadata=event_pb2.SourceMetadata(writer="trivium"),
    )
    events = {
        "version": first,
        "scalar": scalar("epoch_loss", 0.625, 3, 1700000001.5),
        "step 0": scalar("epoch_accuracy", -1.5, 0, 1700000001.5),
        "large step": scalar("évaluation", 1e-30, 123456789012, 1700000001.5),
        "histogram": histogram("dense/kernel/histogram", [(-1.0, 0.0, 3.0), (0.0, 2.5, 4.0)], 200, 1700000002.0),
    }
    content = {
        "versions": {"tensorboard": __version__},
        "records": {name: frame(event.SerializeToString(deterministic=True)).hex() for name, event in events.items()},
    }
    with open(os.path.join(HERE, "..", "..", "test", "goldens", "tensorboard-events.json"), "w") as file:
        json.dump(content, file, indent=1)
        file.write("\n")


def read(folder):
    result = {}
    for run in sorted(os.listdir(folder)):
        reader = EventAccumulator(os.path.join(folder, run), size_guidance={"tensors": 0})
        reader.Reload()
        tags = {}
        for tag in reader.Tags()["tensors"]:
            plugin = reader.SummaryMetadata(tag).plugin_data.plugin_name
            tags[tag] = {
                "plugin": plugin,
                "values": [[event.step, make_ndarray(event.tensor_proto).tolist()] for event in reader.Tensors(tag)],
            }
        result[run] = tags
    print(json.dumps(result, indent=1))


if __name__ == "__main__":
    read(sys.argv[1]) if len(sys.argv) > 1 else write_golden()
