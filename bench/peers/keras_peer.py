"""Workloads in Keras on TensorFlow. Settings: default (Keras decides about XLA), no-jit."""

import os

os.environ["KERAS_BACKEND"] = "tensorflow"
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import seeds_cnn
import tensorflow as tf

threads = int(os.environ["TRIVIUM_BENCH_THREADS"])
tf.config.threading.set_intra_op_parallelism_threads(threads)
tf.config.threading.set_inter_op_parallelism_threads(threads)


def versions():
    return {"keras": keras.__version__, "tensorflow": tf.__version__}


def seeds_cnn_step(batch, setting):
    layers = keras.layers
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
    for variable, kernel in zip([v for v in network.trainable_variables if v.name == "kernel"], seeds_cnn.kernels()):
        variable.assign(kernel)
    jit = {} if setting == "default" else {"jit_compile": False}
    network.compile(optimizer=keras.optimizers.SGD(seeds_cnn.LEARNING_RATE), loss="categorical_crossentropy", **jit)
    images, labels = seeds_cnn.batch_of(batch)
    x, y = tf.constant(images), tf.constant(keras.utils.to_categorical(labels, 10))

    def step():
        # The loss metric is a running mean: reset so that the first value is the first step's loss.
        network.reset_metrics()
        return float(network.train_on_batch(x, y))

    return step


def workload(name, batch, setting):
    if name == "seeds-cnn" and setting in ("default", "no-jit"):
        return seeds_cnn_step(batch, setting)
    raise ValueError(f"keras peer has no workload {name} with setting {setting}")
