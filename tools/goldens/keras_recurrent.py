"""Recurrent layers of Keras: outputs, states, masks and gradients. Usage: KERAS_BACKEND=tensorflow python keras_recurrent.py FOLDER

The input is stream 1, initial states are streams 2, 3, …, weights (in the order of `weights`) streams 10, 11, …, the factors of the outputs in the loss streams
40, 41, …. A mask leaves out what MASK says.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import tensorflow as tf
from formula import hash_uniform, sampled, versions, write

B, T, I, U = 3, 5, 4, 6
# the first row is whole, the second begins and ends masked, the third has a hole
MASK = np.array([[1, 1, 1, 1, 1], [0, 1, 1, 0, 0], [1, 0, 0, 1, 1]], dtype=bool)

LAYERS = [
    ("SimpleRNN", {}, T, False, 0),
    ("SimpleRNN", dict(activation="relu", use_bias=False, return_sequences=True, go_backwards=True), T, True, 0),
    ("LSTM", dict(return_sequences=True), T, True, 0),
    ("LSTM", dict(return_sequences=True, return_state=True), T, True, 2),
    ("LSTM", dict(go_backwards=True, return_state=True, recurrent_activation="hard_sigmoid"), T, True, 0),
    ("GRU", dict(return_sequences=True), T, False, 0),
    ("GRU", dict(reset_after=False, return_sequences=True), T, True, 1),
    ("GRU", dict(use_bias=False, return_state=True), 1, False, 1),
    ("GRU", dict(reset_after=False, use_bias=False), T, False, 0),
]
BIDIRECTIONAL = [
    ("LSTM", dict(return_sequences=True), dict(), True),
    ("GRU", dict(return_sequences=True, return_state=True), dict(merge_mode="sum"), True),
    ("SimpleRNN", dict(), dict(merge_mode="ave"), False),
    ("GRU", dict(return_sequences=True), dict(merge_mode=None), False),
]


def camel(arguments):
    def one(name):
        head, *rest = name.split("_")
        return head + "".join(part.capitalize() for part in rest)

    return {one(key): value for key, value in arguments.items()}


class Readout(keras.layers.Layer):
    """A cell of two states whose output is neither of them."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.state_size = [U, 2]
        self.output_size = 3

    def build(self, shape):
        self.kernel = self.add_weight(shape=(shape[-1], U), name="kernel")
        self.recurrent = self.add_weight(shape=(U, U), name="recurrent")
        self.readout = self.add_weight(shape=(U, 3), name="readout")

    def call(self, inputs, states):
        hidden, count = states
        after = keras.ops.tanh(keras.ops.matmul(inputs, self.kernel) + keras.ops.matmul(hidden, self.recurrent))
        return keras.ops.matmul(after, self.readout) * count[:, :1], [after, count * 0.5 + 1.0]


CELLS = keras.layers
# what makes the cells, the options of RNN, masked, widths of given states, wrapped in Bidirectional
RNNS = [
    ("LSTMCell+GRUCell", lambda: [CELLS.LSTMCell(U), CELLS.GRUCell(5)], dict(return_sequences=True, return_state=True), True, [U, U, 5], False),
    ("LSTMCell+GRUCell", lambda: [CELLS.LSTMCell(U), CELLS.GRUCell(5)], dict(), False, [], False),
    ("SimpleRNNCell", lambda: CELLS.SimpleRNNCell(U), dict(return_sequences=True, zero_output_for_mask=True), True, [], False),
    ("GRUCell", lambda: CELLS.GRUCell(U), dict(return_sequences=True), True, [], True),
    ("Readout", Readout, dict(return_state=True), False, [U, 2], False),
    ("Readout", Readout, dict(return_sequences=True, return_state=True), True, [], False),
    ("Readout", Readout, dict(return_sequences=True, go_backwards=True), True, [U, 2], False),
]


def one_step(cell, sizes):
    """A cell by itself: the output and the states after one step."""
    cell.build((B, I))
    for index, weight in enumerate(cell.weights):
        weight.assign(hash_uniform(10 + index, tuple(weight.shape)))
    states = [hash_uniform(2 + i, (B, size)) for i, size in enumerate(sizes)]
    output, after = cell(tf.constant(hash_uniform(1, (B, I))), states)
    return {"cell": type(cell).__name__, "results": [sampled(r.numpy()) for r in [output, *tf.nest.flatten(after)]]}


def case(layer, shape, masked, states, sizes=None):
    layer.build(shape)
    for index, weight in enumerate(layer.weights):
        weight.assign(hash_uniform(10 + index, tuple(weight.shape)))
    x = tf.Variable(hash_uniform(1, shape))
    initial = [tf.Variable(hash_uniform(2 + i, (B, size))) for i, size in enumerate(sizes or [U] * states)]
    mask = tf.constant(MASK[:, : shape[1]]) if masked else None
    with tf.GradientTape() as tape:
        values = [tf.identity(s) for s in initial]
        if len(values) == 3:  # several cells: Keras takes a list for each
            values = [values[:2], values[2]]
        given = dict(initial_state=values) if initial else {}
        result = layer(tf.identity(x), mask=mask, **given)
        results = tf.nest.flatten(result)
        loss = sum(tf.reduce_sum(r * hash_uniform(40 + i, tuple(r.shape))) for i, r in enumerate(results))
    weights = [weight.value for weight in layer.trainable_weights]
    gradients = tape.gradient(loss, [x, *initial, *weights])
    return {
        "shape": list(shape),
        "masked": masked,
        "weights": [[w.name, list(w.shape)] for w in layer.weights],
        "results": [sampled(r.numpy()) for r in results],
        "gradients": [sampled(g.numpy()) for g in gradients],
        "states": states,
        **({"sizes": sizes} if sizes is not None else {}),
    }


layers = [
    {"layer": name, "arguments": camel(options), **case(getattr(keras.layers, name)(U, **options), (B, steps, I), masked, states)}
    for name, options, steps, masked, states in LAYERS
]
both = [
    {
        "layer": name,
        "arguments": camel(options),
        "wrapper": camel(wrapper),
        **case(keras.layers.Bidirectional(getattr(keras.layers, name)(U, **options), **wrapper), (B, T, I), masked, 0),
    }
    for name, options, wrapper, masked in BIDIRECTIONAL
]

def rnn(make, options, both):
    layer = keras.layers.RNN(make(), **options)
    return keras.layers.Bidirectional(layer) if both else layer


rnns = [
    {"cells": name, "arguments": camel(options), "both": both, **case(rnn(make, options, both), (B, T, I), masked, len(sizes), sizes)}
    for name, make, options, masked, sizes, both in RNNS
]
steps_of_cells = [
    one_step(CELLS.SimpleRNNCell(U), [U]),
    one_step(CELLS.LSTMCell(U), [U, U]),
    one_step(CELLS.GRUCell(U), [U]),
    one_step(CELLS.StackedRNNCells([CELLS.GRUCell(5), CELLS.SimpleRNNCell(U)]), [5, U]),
]

# masks that travel: Embedding(mask_zero) or Masking, two layers, a Dense at every step
indices = np.array([[3, 1, 4, 1, 5], [9, 2, 6, 0, 0], [5, 3, 0, 0, 0]], dtype="int32")
model = keras.Sequential(
    [
        keras.layers.Embedding(10, I, mask_zero=True),
        keras.layers.GRU(U, return_sequences=True),
        keras.layers.TimeDistributed(keras.layers.Dense(4, activation="tanh")),
        keras.layers.Bidirectional(keras.layers.LSTM(U)),
    ]
)
model.build((B, T))
for index, weight in enumerate(model.weights):
    weight.assign(hash_uniform(10 + index, tuple(weight.shape)))
masking = keras.Sequential([keras.layers.Masking(0.5), keras.layers.LSTM(U)])
steps = hash_uniform(1, (B, T, I)).copy()
steps[0, 3:] = 0.5
steps[2, 1] = 0.5
masking.build((B, T, I))
for index, weight in enumerate(masking.weights):
    weight.assign(hash_uniform(10 + index, tuple(weight.shape)))

write(
    f"{sys.argv[1]}/keras-recurrent.json",
    {
        "writtenBy": "tools/goldens/keras_recurrent.py",
        "versions": versions(),
        "mask": MASK.astype(int).tolist(),
        "layers": layers,
        "bidirectional": both,
        "rnns": rnns,
        "cells": steps_of_cells,
        "embedded": sampled(model(indices).numpy()),
        "masking": sampled(masking(steps).numpy()),
    },
)
