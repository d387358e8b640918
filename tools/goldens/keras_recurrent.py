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


def case(layer, shape, masked, states):
    layer.build(shape)
    for index, weight in enumerate(layer.weights):
        weight.assign(hash_uniform(10 + index, tuple(weight.shape)))
    x = tf.Variable(hash_uniform(1, shape))
    initial = [tf.Variable(hash_uniform(2 + i, (B, U))) for i in range(states)]
    mask = tf.constant(MASK[:, : shape[1]]) if masked else None
    with tf.GradientTape() as tape:
        given = dict(initial_state=[tf.identity(s) for s in initial]) if initial else {}
        result = layer(tf.identity(x), mask=mask, **given)
        results = list(result) if isinstance(result, (list, tuple)) else [result]
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
        "embedded": sampled(model(indices).numpy()),
        "masking": sampled(masking(steps).numpy()),
    },
)
