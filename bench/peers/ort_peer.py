"""Inference in ONNX Runtime, from what torch.onnx exports. Settings: default, all-optimisations."""

import io
import os

import onnxruntime
import torch
import torch_networks
from shared import Unavailable

threads = int(os.environ["TRIVIUM_BENCH_THREADS"])


def versions():
    return {"onnxruntime": onnxruntime.__version__}


def workload(suite, name, batch, setting, dropout):
    if suite != "infer":
        raise Unavailable("ort only infers")
    network, x = torch_networks.inference(name, batch)
    file = io.BytesIO()
    torch.onnx.export(network, (x,), file, input_names=["x"], output_names=["y"], dynamo=False, opset_version=17)
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads
    if setting == "all-optimisations":
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_ALL
        options.execution_mode = onnxruntime.ExecutionMode.ORT_SEQUENTIAL
        options.add_session_config_entry("session.intra_op.allow_spinning", "1")
        options.add_session_config_entry("session.set_denormal_as_zero", "1")
    session = onnxruntime.InferenceSession(file.getvalue(), options, providers=["CPUExecutionProvider"])
    feeds = {"x": x.numpy()}

    def step():
        return session.run(["y"], feeds)[0]

    return step
