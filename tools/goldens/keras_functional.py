"""Functional models of Keras: training over several inputs and outputs, shared and nested layers, regularizers, constraints, masks, merging.

    KERAS_BACKEND=tensorflow python tools/goldens/keras_functional.py

Writes test/goldens/keras-functional.json. Inputs and weights come from formula.py: weight i of a model is stream 100 + i, scaled to [-0.5, 0.5).
"""

import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ["COLUMNS"] = "200"  # summaries take their full width

import keras
import numpy as np
import tensorflow as tf
from formula import hash_labels, hash_uniform, number, versions, write
from keras import layers, ops

HERE = os.path.dirname(os.path.abspath(__file__))


def fill(model):
    for index, weight in enumerate(model.weights):
        weight.assign(hash_uniform(100 + index, tuple(weight.shape), -0.5, 0.5))
    return model


def entry(array):
    array = np.asarray(array)
    return {"shape": list(array.shape), "data": [float(f"{float(v):.7g}") for v in array.ravel()]}


def history(model, *args, **options):
    log = model.fit(*args, verbose=0, shuffle=False, **options)
    return {name: [number(v) for v in values] for name, values in log.history.items()}


def two_towers():
    left = keras.Input((4,), name="left")
    right = keras.Input((4,), name="right")
    extra = keras.Input((3,), name="extra")
    shared = layers.Dense(5, activation="tanh", name="shared")
    hidden = layers.Concatenate(name="join")([shared(left), shared(right), extra])
    out_a = layers.Dense(3, activation="softmax", name="out_a")(hidden)
    deeper = layers.Dense(4, activation="relu", name="deeper")(hidden)
    out_b = layers.Dense(1, name="out_b")(layers.Add(name="sum")([deeper, layers.Dense(4, name="skip")(extra)]))
    return [left, right, extra], [out_a, out_b]


# Whole batches only: on TensorFlow a short last batch counts as much as a whole one in the loss of an output, on other backends by its size.
N = 12
X = {"left": hash_uniform(1, (N, 4)), "right": hash_uniform(2, (N, 4)), "extra": hash_uniform(3, (N, 3))}
Y = {"out_a": hash_labels(4, N, 3), "out_b": hash_uniform(5, (N, 1))}
W = hash_uniform(6, (N,), 0.1, 1.0)
WB = hash_uniform(7, (N,), 0.1, 1.0)


def training():
    cases = {}

    def run(name, outputs_as, compile_options, y, sample_weight=None, by_name=False):
        keras.backend.clear_session()
        inputs, outputs = two_towers()
        outs = {"out_a": outputs[0], "out_b": outputs[1]} if outputs_as == "dict" else outputs
        model = fill(keras.Model(inputs, outs, name="towers"))
        model.compile(optimizer=keras.optimizers.SGD(0.02, momentum=0.9), **compile_options)
        x = X if by_name else [X["left"], X["right"], X["extra"]]
        log = history(model, x, y, batch_size=4, epochs=3, sample_weight=sample_weight, validation_data=(x, y))
        values = model.evaluate(x, y, batch_size=4, verbose=0, sample_weight=sample_weight)
        named = model.evaluate(x, y, batch_size=4, verbose=0, sample_weight=sample_weight, return_dict=True)
        cases[name] = {
            "history": log,
            "evaluate": [number(v) for v in np.atleast_1d(values)],
            "named": {key: number(v) for key, v in named.items()},
            "weights": [number(np.abs(w).sum()) for w in model.get_weights()],
        }

    by_output = {"out_a": "sparse_categorical_crossentropy", "out_b": "mse"}
    listed = [Y["out_a"], Y["out_b"]]
    run(
        "names",
        "list",
        dict(loss=by_output, loss_weights={"out_a": 0.3, "out_b": 2.0}, metrics={"out_a": ["accuracy"], "out_b": "mae"}),
        Y,
        by_name=True,
    )
    run(
        "lists",
        "list",
        dict(loss=["sparse_categorical_crossentropy", "mae"], loss_weights=[1.0, 0.5], metrics=[["accuracy"], ["mse", "mae"]]),
        listed,
    )
    run("record of outputs", "dict", dict(loss=by_output, metrics={"out_b": ["mae"]}, weighted_metrics={"out_b": ["mae"]}), Y)
    run("sample weights", "list", dict(loss=by_output, weighted_metrics={"out_a": ["accuracy"]}), listed, sample_weight=[W, WB])
    run("one loss", "list", dict(loss=[None, "mse"]), listed)
    inputs, outputs = two_towers()
    model = keras.Model(inputs, outputs, name="towers")
    lines = []
    model.summary(print_fn=lines.append, line_length=108)
    return {
        "cases": cases,
        "layers": [layer.name for layer in model.layers],
        "weights": [w.path for w in model.weights],
        "summary": "\n".join(lines),
    }


def nested():
    """A model used twice inside another; gradients of every weight."""
    keras.backend.clear_session()
    inner_in = keras.Input((4,), name="inner_in")
    h = layers.Dense(5, activation="tanh", name="inner_dense")(inner_in)
    inner = keras.Model(inner_in, [layers.Dense(3, name="inner_a")(h), layers.Dense(2, name="inner_b")(h)], name="inner")
    tail = keras.Sequential([layers.Dense(4, activation="relu", name="tail_dense"), layers.Dense(2, name="tail_last")], name="tail")
    p, q = keras.Input((4,), name="p"), keras.Input((4,), name="q")
    pa, pb = inner(p)
    qa, qb = inner(q)
    joined = layers.Concatenate(name="joined")([layers.Subtract(name="minus")([pa, qa]), layers.Multiply(name="times")([pb, qb])])
    model = fill(keras.Model([p, q], [tail(joined), pb], name="outer"))
    x = [hash_uniform(1, (6, 4)), hash_uniform(2, (6, 4))]
    with tf.GradientTape() as tape:
        first, second = model(x)
        loss = ops.sum(ops.square(first)) + ops.sum(ops.sin(second))
    grads = tape.gradient(loss, [w.value for w in model.trainable_weights])
    return {
        "layers": [layer.name for layer in model.layers],
        "weights": [list(w.shape) for w in model.weights],
        "outputs": [entry(first), entry(second)],
        "gradients": [entry(g) for g in grads],
    }


def regularization():
    keras.backend.clear_session()
    x = keras.Input((4,), name="x")
    h = layers.Dense(
        5,
        kernel_regularizer=keras.regularizers.L1L2(0.01, 0.02),
        bias_regularizer="l2",
        activity_regularizer=keras.regularizers.L2(0.03),
        kernel_constraint=keras.constraints.MaxNorm(0.7),
        name="first",
    )(x)
    out = layers.Dense(
        3, kernel_regularizer=keras.regularizers.OrthogonalRegularizer(0.1), kernel_constraint="unit_norm", bias_constraint="non_neg", name="last"
    )(h)
    model = fill(keras.Model(x, out, name="penalised"))
    data, goal = hash_uniform(1, (8, 4)), hash_uniform(2, (8, 3))
    model(data)
    losses = [number(v) for v in model.losses]
    model.compile(optimizer=keras.optimizers.Adam(0.05), loss="mse")
    log = history(model, data, goal, batch_size=4, epochs=3)
    value = model.evaluate(data, goal, batch_size=4, verbose=0)
    w = ops.convert_to_tensor(hash_uniform(9, (4, 3)))
    return {
        "losses": losses,
        "history": log,
        "evaluate": number(value),
        "weights": [entry(v) for v in model.get_weights()],
        "regularizers": {
            "l1": number(keras.regularizers.get("l1")(w)),
            "l2": number(keras.regularizers.get("l2")(w)),
            "l1_l2": number(keras.regularizers.L1L2(0.01, 0.01)(w)),
            "rows": number(keras.regularizers.OrthogonalRegularizer(0.5)(w)),
            "columns": number(keras.regularizers.OrthogonalRegularizer(0.5, "columns")(w)),
        },
        "constraints": {
            "max_norm": entry(keras.constraints.MaxNorm(0.8)(w)),
            "unit_norm": entry(keras.constraints.UnitNorm(axis=1)(w)),
            "non_neg": entry(keras.constraints.NonNeg()(w)),
            "min_max_norm": entry(keras.constraints.MinMaxNorm(0.5, 0.9, 0.6, axis=0)(w)),
        },
    }


def masking():
    """A mask from the inputs through layers into loss and metrics."""
    data = hash_uniform(1, (5, 4, 3))
    for row, length in enumerate([4, 2, 0, 3, 1]):
        data[row, length:] = 0.0
    goal = hash_uniform(2, (5, 4, 2))
    classes = hash_labels(3, 20, 2).reshape(5, 4)
    weights = hash_uniform(4, (5, 1), 0.1, 1.0)
    results = {}
    for name, loss, y, sample_weight in [
        ("mse", "mse", goal, None),
        ("weighted", "mse", goal, weights),
        ("sum", keras.losses.MeanSquaredError(reduction="sum"), goal, None),
        ("classes", "sparse_categorical_crossentropy", classes, None),
    ]:
        keras.backend.clear_session()
        x = keras.Input((4, 3))
        h = layers.Dense(3, activation="tanh")(layers.Masking()(x))
        h = layers.Dropout(0.0)(h)
        out = layers.Dense(2, activation="softmax" if name == "classes" else None)(layers.Add()([h, layers.Masking()(x)]))
        model = fill(keras.Model(x, out))
        metrics = ["accuracy"] if name == "classes" else ["mae"]
        model.compile(optimizer=keras.optimizers.SGD(0.1), loss=loss, metrics=metrics, weighted_metrics=["mse"] if name == "weighted" else None)
        results[name] = history(model, data, y, batch_size=5, epochs=2, sample_weight=sample_weight)
    keras.backend.clear_session()
    a, b = hash_uniform(5, (2, 3, 2)), hash_uniform(6, (2, 3, 2))
    a[0, 1:] = 0.0
    b[1, 2:] = 0.0
    merged = {}
    for kind in ["Maximum", "Minimum", "Add", "Concatenate"]:
        layer = getattr(layers, kind)(axis=1) if kind == "Concatenate" else getattr(layers, kind)()
        out = layer([layers.Masking()(a), layers.Masking()(b)])
        merged[kind] = {"values": entry(out), "mask": np.asarray(keras.src.backend.get_keras_mask(out)).astype(int).ravel().tolist()}
    return {"training": results, "merged": merged}


def merging():
    a, b, c = hash_uniform(1, (2, 3, 4)), hash_uniform(2, (2, 3, 4)), hash_uniform(3, (2, 1, 4))
    flat = hash_uniform(4, (2, 4))
    d = hash_uniform(5, (2, 4, 5))
    cases = {
        "Add": (layers.Add(), [a, b, c]),
        "Add of ranks": (layers.Add(), [a, flat]),
        "Subtract": (layers.Subtract(), [a, c]),
        "Multiply": (layers.Multiply(), [a, b, c]),
        "Average": (layers.Average(), [a, b, c]),
        "Maximum": (layers.Maximum(), [a, b, c]),
        "Minimum": (layers.Minimum(), [a, c]),
        "Concatenate": (layers.Concatenate(), [a, b]),
        "Concatenate along 1": (layers.Concatenate(axis=1), [a, b, c]),
        "Dot along 2, 1": (layers.Dot(axes=(2, 1)), [a, d]),
        "Dot along -1": (layers.Dot(axes=-1), [a, b]),
        "Dot of vectors": (layers.Dot(axes=1), [flat, hash_uniform(6, (2, 4))]),
        "cosine": (layers.Dot(axes=1, normalize=True), [flat, hash_uniform(6, (2, 4))]),
    }
    return {name: entry(layer(inputs)) for name, (layer, inputs) in cases.items()}


def main():
    content = {
        "versions": versions(),
        "training": training(),
        "nested": nested(),
        "regularization": regularization(),
        "masking": masking(),
        "merging": merging(),
    }
    write(os.path.join(HERE, "..", "..", "test", "goldens", "keras-functional.json"), content)


if __name__ == "__main__":
    main()
