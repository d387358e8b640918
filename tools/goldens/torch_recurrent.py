"""Recurrent layers of PyTorch: outputs, states and all gradients. Usage: python torch_recurrent.py FOLDER

Inputs, states and weights come from formula.py: the input is stream 1, states are streams 2 and 3, the weights (in the order of `state_dict`) streams 10, 11, …
The loss is Σ outputs·w (stream 4) + Σ of every final state·w (streams 5 and 6).
"""

import sys

import torch

from formula import hash_uniform, sampled, write

T, B, I, H = 5, 3, 4, 6

CASES = [
    ("RNN", {}, T, False),
    ("RNN", dict(nonlinearity="relu", bidirectional=True), T, True),
    ("LSTM", {}, T, False),
    ("LSTM", dict(num_layers=2, bidirectional=True, batch_first=True), T, True),
    ("LSTM", dict(bias=False), 1, True),
    ("GRU", {}, T, True),
    ("GRU", dict(num_layers=2, bidirectional=True), T, False),
    ("GRU", dict(bias=False, batch_first=True), 1, False),
]
# sequences of different lengths; the input's padding is noise that must have no influence
PACKED = [
    ("LSTM", dict(num_layers=2, bidirectional=True), [5, 3, 2], True, True),
    ("GRU", dict(batch_first=True), [2, 5, 3], False, True),
    ("RNN", dict(bidirectional=True), [1, 4, 4], False, False),
]
CELLS = [("RNNCell", dict(nonlinearity="relu")), ("LSTMCell", {}), ("GRUCell", {}), ("GRUCell", dict(bias=False))]


def data(stream, shape):
    return torch.from_numpy(hash_uniform(stream, tuple(shape)))


def fill(module):
    with torch.no_grad():
        for index, parameter in enumerate(module.state_dict(keep_vars=True).values()):
            parameter.copy_(data(10 + index, parameter.shape))


def finish(module, x, states, outputs, finals):
    loss = sum((tensor * data(4 + index, tensor.shape)).sum() for index, tensor in enumerate([*outputs, *finals]))
    loss.backward()
    return {
        "outputs": [sampled(tensor.detach()) for tensor in outputs],
        "finals": [sampled(tensor.detach()) for tensor in finals],
        "input": sampled(x.grad),
        "states": [sampled(state.grad) for state in states],
        "weights": {
            name: sampled(parameter.grad) for name, parameter in module.state_dict(keep_vars=True).items()
        },
    }


def layer(name, options, steps, given):
    module = getattr(torch.nn, name)(I, H, **options)
    fill(module)
    shape = (B, steps, I) if options.get("batch_first") else (steps, B, I)
    x = data(1, shape).requires_grad_()
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    states = [data(2 + i, (count, B, H)).requires_grad_() for i in range(2 if name == "LSTM" else 1)] if given else []
    output, final = module(x, (tuple(states) if name == "LSTM" else states[0]) if given else None)
    finals = list(final) if name == "LSTM" else [final]
    return {"name": name, "options": options, "shape": shape, "given": given, **finish(module, x, states, [output], finals)}


def packed(name, options, lengths, is_sorted, given):
    rnn = torch.nn.utils.rnn
    batch_first = options.get("batch_first", False)
    module = getattr(torch.nn, name)(I, H, **options)
    fill(module)
    x = data(1, (B, T, I) if batch_first else (T, B, I)).requires_grad_()
    count = options.get("num_layers", 1) * (2 if options.get("bidirectional") else 1)
    states = [data(2 + i, (count, B, H)).requires_grad_() for i in range(2 if name == "LSTM" else 1)] if given else []
    sequences = rnn.pack_padded_sequence(x, lengths, batch_first=batch_first, enforce_sorted=is_sorted)
    output, final = module(sequences, (tuple(states) if name == "LSTM" else states[0]) if given else None)
    finals = list(final) if name == "LSTM" else [final]
    padded, _ = rnn.pad_packed_sequence(output, batch_first=batch_first, padding_value=-0.5, total_length=T)
    return {
        "name": name,
        "options": options,
        "shape": list(x.shape),
        "given": given,
        "lengths": lengths,
        "sorted": is_sorted,
        "packed": sampled(output.data.detach()),
        "batchSizes": output.batch_sizes.tolist(),
        **finish(module, x, states, [padded], finals),
    }


def cell(name, options):
    module = getattr(torch.nn, name)(I, H, **options)
    fill(module)
    x = data(1, (B, I)).requires_grad_()
    states = [data(2 + i, (B, H)).requires_grad_() for i in range(2 if name == "LSTMCell" else 1)]
    final = module(x, tuple(states) if name == "LSTMCell" else states[0])
    finals = list(final) if name == "LSTMCell" else [final]
    return {"name": name, "options": options, "shape": [B, I], "given": True, **finish(module, x, states, [], finals)}


write(
    f"{sys.argv[1]}/torch-recurrent.json",
    {
        "versions": {"torch": torch.__version__},
        "layers": [layer(*case) for case in CASES],
        "packed": [packed(*case) for case in PACKED],
        "cells": [cell(*case) for case in CELLS],
    },
)
