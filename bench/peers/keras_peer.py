"""Workloads in Keras on TensorFlow. Settings: default (Keras decides about XLA), no-jit."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import shared
import tensorflow as tf

threads = int(os.environ["TRIVIUM_BENCH_THREADS"])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)
layers = keras.layers


def versions():
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


def seeds_cnn(dropout):
    network = keras.Sequential(
        [
            layers.Input((28, 28, 1)),
            layers.Conv2D(32, (3, 3), activation="relu"),
            layers.Conv2D(64, (3, 3), activation="relu"),
            layers.MaxPooling2D((2, 2)),
            layers.Flatten(),
            layers.Dense(1024, activation="relu"),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return network, keras.optimizers.SGD(0.01)


def cifar_cnn(dropout):
    quarter, half = (0.25, 0.5) if dropout else (0.0, 0.0)
    same = {"padding": "same", "activation": "relu"}
    network = keras.Sequential(
        [
            layers.Input((32, 32, 3)),
            layers.Conv2D(50, (3, 3), **same),
            layers.Conv2D(50, (3, 3), **same),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(quarter),
            layers.Conv2D(100, (3, 3), **same),
            layers.Conv2D(100, (3, 3), **same),
            layers.MaxPooling2D((2, 2)),
            layers.Dropout(quarter),
            layers.Flatten(),
            layers.Dense(512, activation="relu"),
            layers.Dropout(half),
            layers.Dense(10, activation="softmax"),
        ]
    )
    return network, keras.optimizers.SGD(0.01, momentum=0.9)


def imdb_gru(dropout):
    network = keras.Sequential(
        [
            layers.Input((150,), dtype="int32"),
            layers.Embedding(30000, 125),
            layers.GRU(100),
            layers.Dense(2, activation="softmax"),
        ]
    )
    return network, keras.optimizers.Adam(1e-3)


networks = {"seeds-cnn": seeds_cnn, "cifar-cnn": cifar_cnn, "imdb-gru": imdb_gru}


def set_weights(network, name):
    weights = shared.keras_weights(name)
    variables = network.trainable_variables
    if name == "seeds-cnn":  # kernels only: biases start at zero
        variables = [variable for variable in variables if variable.name == "kernel"]
    for variable, values in zip(variables, weights, strict=True):
        variable.assign(values)


def workload(suite, name, batch, setting, dropout):
    if suite != "train" or name not in networks or setting not in ("default", "no-jit"):
        raise shared.Unavailable(f"keras has no workload {name} in {suite} with setting {setting}")
    network, optimizer = networks[name](dropout)
    set_weights(network, name)
    jit = {} if setting == "default" else {"jit_compile": False}
    network.compile(optimizer=optimizer, loss="sparse_categorical_crossentropy", **jit)
    x, y = (tf.constant(array) for array in shared.keras_data(name, batch))

    def step():
        # The loss metric is a running mean: reset so that the value is this step's loss.
        network.reset_metrics()
        return float(network.train_on_batch(x, y))

    return step
