"""Goldens of Keras: layers, activations, losses, metrics, optimizers, schedules, initializers and one small `fit`.

    KERAS_BACKEND=tensorflow python tools/goldens/keras_layers.py

Inputs come from `hash_uniform(stream, …)` (formula.py) and are stored as {"stream", "shape", "low", "high"}. Keyword arguments are written
in camelCase, the way the TypeScript door takes them. Files: test/goldens/keras-{layers,losses,metrics,optimizers,initializers,fit}.json.
"""

import contextlib
import io
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
os.environ["COLUMNS"] = "200"  # summaries take their full width

import keras
import numpy as np
import tensorflow as tf
from formula import hash_labels, hash_uniform, number, numbers, versions, write

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "goldens")


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def camel_keys(arguments):
    return {camel(key): list(value) if isinstance(value, tuple) else value for key, value in arguments.items()}


def source(stream, shape, low=-1.0, high=1.0):
    """A generated input: its description for the file, and its values."""
    return {"stream": stream, "shape": list(shape), "low": low, "high": high}, hash_uniform(stream, shape, low, high)


def tensor(array):
    return {"shape": list(np.asarray(array).shape), "data": numbers(array)}


def save(name, content):
    write(os.path.join(GOLDENS, f"keras-{name}.json"), {"writtenBy": "tools/goldens/keras_layers.py", "versions": versions(), **content})


# Layers -------------------------------------------------------------------------------------------------------------

IMAGE = (2, 7, 6, 3)
LAYERS = [
    ("Conv2D", IMAGE, dict(filters=4, kernel_size=(3, 3))),
    ("Conv2D", IMAGE, dict(filters=4, kernel_size=3, strides=2, padding="same", activation="relu")),
    ("Conv2D", IMAGE, dict(filters=2, kernel_size=(2, 3), strides=(2, 1), padding="valid", use_bias=False)),
    ("Conv2D", IMAGE, dict(filters=3, kernel_size=3, padding="same", dilation_rate=2, activation="tanh")),
    ("Conv2D", (2, 5, 5, 4), dict(filters=6, kernel_size=3, groups=2)),
    ("Conv2D", (1, 8, 8, 2), dict(filters=3, kernel_size=4, strides=3, padding="same")),
    ("Conv2D", (2, 4, 4, 5), dict(filters=7, kernel_size=1)),
    ("DepthwiseConv2D", IMAGE, dict(kernel_size=3)),
    ("DepthwiseConv2D", IMAGE, dict(kernel_size=(3, 2), strides=2, padding="same", depth_multiplier=2, activation="relu")),
    ("DepthwiseConv2D", IMAGE, dict(kernel_size=3, padding="same", use_bias=False)),
    ("MaxPooling2D", IMAGE, dict()),
    ("MaxPooling2D", IMAGE, dict(pool_size=(3, 2), strides=(2, 1))),
    ("MaxPooling2D", IMAGE, dict(pool_size=3, strides=2, padding="same")),
    ("AveragePooling2D", IMAGE, dict(pool_size=2)),
    ("AveragePooling2D", IMAGE, dict(pool_size=3, strides=2, padding="same")),
    ("AveragePooling2D", IMAGE, dict(pool_size=(2, 3), strides=1, padding="valid")),
    ("GlobalAveragePooling2D", IMAGE, dict()),
    ("GlobalAveragePooling2D", IMAGE, dict(keepdims=True)),
    ("Flatten", (2, 3, 2, 4), dict()),
    ("Dense", (3, 5), dict(units=4)),
    ("Dense", (3, 5), dict(units=4, activation="sigmoid", use_bias=False)),
    ("Dense", (2, 3, 5), dict(units=4, activation="softmax")),
    ("BatchNormalization", (4, 3), dict()),
    ("BatchNormalization", IMAGE, dict(momentum=0.9, epsilon=1e-5)),
    ("BatchNormalization", (4, 3), dict(center=False, scale=False)),
    ("BatchNormalization", (2, 3, 4, 2), dict(axis=1)),
    ("ReLU", (4, 6), dict()),
    ("ReLU", (4, 6), dict(max_value=0.5, negative_slope=0.1, threshold=0.2)),
    ("LeakyReLU", (4, 6), dict()),
    ("LeakyReLU", (4, 6), dict(negative_slope=0.05)),
    ("Softmax", (3, 5), dict()),
    ("Softmax", (2, 3, 4), dict(axis=1)),
    ("Reshape", (2, 12), dict(target_shape=(3, 4))),
    ("Reshape", (2, 3, 4), dict(target_shape=(2, -1))),
    ("Activation", (3, 4), dict(activation="gelu")),
    ("Dropout", (3, 4), dict(rate=0.4)),
]


def layer_case(index, name, shape, arguments, training):
    layer = getattr(keras.layers, name)(**arguments)
    layer.build(shape)
    weights = []
    for k, variable in enumerate(layer.weights):
        low, high = (0.25, 1.5) if "variance" in variable.name or variable.name == "gamma" else (-0.5, 0.5)
        described, values = source(1000 + 10 * index + k, tuple(variable.shape), low, high)
        variable.assign(values)
        weights.append({"name": variable.name, "trainable": bool(variable.trainable), **described})
    described_x, x_values = source(100 + index, shape, -2.0, 2.0)
    x = tf.Variable(x_values)
    with tf.GradientTape() as tape:
        y = layer(x, training=training)
        described_seed, seed = source(500 + index, tuple(y.shape))
        objective = tf.reduce_sum(y * seed)
    gradients = tape.gradient(objective, [x] + [v.value for v in layer.trainable_weights])
    return {
        "layer": name,
        "arguments": camel_keys(arguments),
        "training": training,
        "x": described_x,
        "weights": weights,
        "outputSeed": described_seed,
        "y": tensor(y.numpy()),
        "gradients": [tensor(g.numpy()) for g in gradients],
        "weightsAfter": [tensor(v.numpy()) for v in layer.non_trainable_weights if "seed" not in v.name],
    }


ACTIVATIONS = (
    "relu relu6 leaky_relu sigmoid hard_sigmoid tanh softmax log_softmax softplus softsign elu selu gelu silu swish mish exponential linear"
).split()


def activation_case(name):
    x_values = np.array([[-50.0, -6.5, -3.0, -2.5, -1.0, -0.5, -0.0], [0.0, 1e-3, 0.5, 1.0, 2.5, 6.5, 50.0]], "float32")
    if name == "exponential":
        x_values = np.clip(x_values, -50, 20)
    x = tf.Variable(x_values)
    _, seed = source(77, x_values.shape)
    with tf.GradientTape() as tape:
        y = keras.activations.get(name)(x)
        objective = tf.reduce_sum(y * seed)
    return {"activation": name, "x": tensor(x_values), "outputSeedStream": 77, "y": tensor(y.numpy()), "gradient": tensor(tape.gradient(objective, x).numpy())}


def layers():
    cases = []
    for index, (name, shape, arguments) in enumerate(LAYERS):
        cases.append(layer_case(index, name, shape, arguments, False))
        if name == "BatchNormalization":
            cases.append(layer_case(index, name, shape, arguments, True))
    save("layers", {"layers": cases, "activations": [activation_case(name) for name in ACTIVATIONS]})


# Losses and metrics -------------------------------------------------------------------------------------------------


def one_hot(labels, classes):
    return np.eye(classes, dtype="float32")[labels]


def softmax(x):
    e = np.exp(x - x.max(-1, keepdims=True))
    return (e / e.sum(-1, keepdims=True)).astype("float32")


LOGITS = hash_uniform(10, (5, 4), -3, 3)
PROBABILITIES = softmax(LOGITS)
LABELS = hash_labels(11, 5, 4)
BINARY = hash_labels(12, 6, 2).reshape(6, 1).astype("float32")
BINARY_PROBABILITIES = hash_uniform(13, (6, 1), 0.02, 0.98)
BINARY_LOGITS = hash_uniform(14, (6, 1), -4, 4)
REAL, PREDICTED = hash_uniform(15, (5, 3), -2, 2), hash_uniform(16, (5, 3), -2, 2)
WEIGHTS = hash_uniform(17, (6,), 0.0, 2.0)
HARD = np.array([[1, 0, 0, 0], [0, 1, 0, 0], [0, 0, 1, 0]], "float32")
LOSSES = [
    ("CategoricalCrossentropy", dict(), one_hot(LABELS, 4), PROBABILITIES),
    ("CategoricalCrossentropy", dict(from_logits=True), one_hot(LABELS, 4), LOGITS),
    ("CategoricalCrossentropy", dict(from_logits=True, label_smoothing=0.1), one_hot(LABELS, 4), LOGITS),
    ("CategoricalCrossentropy", dict(), HARD, np.array([[0, 1, 0, 0], [0, 1, 0, 0], [0.2, 0.2, 0.2, 0.2]], "float32")),
    ("SparseCategoricalCrossentropy", dict(), LABELS, PROBABILITIES),
    ("SparseCategoricalCrossentropy", dict(from_logits=True), LABELS, LOGITS),
    ("SparseCategoricalCrossentropy", dict(from_logits=True, ignore_class=1), LABELS, LOGITS),
    ("BinaryCrossentropy", dict(), BINARY, BINARY_PROBABILITIES),
    ("BinaryCrossentropy", dict(from_logits=True), BINARY, BINARY_LOGITS),
    ("BinaryCrossentropy", dict(label_smoothing=0.2), BINARY, BINARY_PROBABILITIES),
    ("BinaryCrossentropy", dict(), np.array([[1], [0]], "float32"), np.array([[0], [1]], "float32")),
    ("MeanSquaredError", dict(), REAL, PREDICTED),
    ("MeanAbsoluteError", dict(), REAL, PREDICTED),
    ("Huber", dict(), REAL, PREDICTED),
    ("Huber", dict(delta=0.5), REAL, PREDICTED),
]


def loss_case(name, arguments, target, predicted):
    result = {"loss": name, "arguments": camel_keys(arguments), "yTrue": tensor(target), "yPred": tensor(predicted), "sampleWeight": numbers(WEIGHTS[: len(target)])}
    for key, reduction, weight in (
        ("value", "sum_over_batch_size", None),
        ("weighted", "sum_over_batch_size", WEIGHTS[: len(target)]),
        ("sum", "sum", None),
        ("weightedMean", "mean_with_sample_weight", WEIGHTS[: len(target)]),
        ("each", "none", None),
    ):
        variable = tf.Variable(predicted)
        with tf.GradientTape() as tape:
            value = getattr(keras.losses, name)(**arguments, reduction=reduction)(target, variable, sample_weight=weight)
            total = tf.reduce_sum(value)
        result[key] = numbers(value.numpy()) if key == "each" else number(value.numpy())
        if key in ("value", "weighted"):
            result[f"{key}Gradient"] = tensor(tape.gradient(total, variable).numpy())
    return result


def losses():
    save("losses", {"losses": [loss_case(*row) for row in LOSSES]})


SCORES, SCORED = hash_uniform(31, (40,), 0, 1), hash_labels(32, 40, 2).astype("float32")
METRICS = [
    ("Accuracy", dict(), hash_labels(33, 12, 3).astype("float32"), hash_labels(34, 12, 3).astype("float32")),
    ("BinaryAccuracy", dict(), SCORED, SCORES),
    ("BinaryAccuracy", dict(threshold=0.7), SCORED, SCORES),
    ("CategoricalAccuracy", dict(), one_hot(hash_labels(35, 20, 4), 4), hash_uniform(36, (20, 4), 0, 1)),
    ("SparseCategoricalAccuracy", dict(), hash_labels(35, 20, 4), hash_uniform(36, (20, 4), 0, 1)),
    ("TopKCategoricalAccuracy", dict(k=2), one_hot(hash_labels(35, 20, 4), 4), hash_uniform(36, (20, 4), 0, 1)),
    ("SparseTopKCategoricalAccuracy", dict(k=3), hash_labels(35, 20, 4), hash_uniform(36, (20, 4), 0, 1)),
    ("SparseTopKCategoricalAccuracy", dict(), hash_labels(37, 20, 9), hash_uniform(38, (20, 9), 0, 1)),
    ("TopKCategoricalAccuracy", dict(k=2), HARD, np.full((3, 4), 0.25, "float32")),
    ("Precision", dict(), SCORED, SCORES),
    ("Precision", dict(thresholds=[0.2, 0.8]), SCORED, SCORES),
    ("Precision", dict(), np.array([1.0, 0.0], "float32"), np.array([0.1, 0.2], "float32")),
    ("Precision", dict(top_k=2), one_hot(hash_labels(35, 20, 4), 4), hash_uniform(36, (20, 4), 0, 1)),
    ("Recall", dict(), SCORED, SCORES),
    ("Recall", dict(thresholds=0.3), SCORED, SCORES),
    ("Recall", dict(class_id=1), one_hot(hash_labels(35, 20, 4), 4), hash_uniform(36, (20, 4), 0, 1)),
    ("AUC", dict(), SCORED, SCORES),
    ("AUC", dict(num_thresholds=11), SCORED, SCORES),
    ("AUC", dict(curve="PR"), SCORED, SCORES),
    ("AUC", dict(summation_method="majoring"), SCORED, SCORES),
    ("AUC", dict(multi_label=True), (hash_uniform(39, (20, 3), 0, 1) > 0.5).astype("float32"), hash_uniform(40, (20, 3), 0, 1)),
    ("MeanSquaredError", dict(), REAL, PREDICTED),
    ("MeanAbsoluteError", dict(), REAL, PREDICTED),
    ("RootMeanSquaredError", dict(), REAL, PREDICTED),
    ("CategoricalCrossentropy", dict(), one_hot(LABELS, 4), PROBABILITIES),
    ("BinaryCrossentropy", dict(), BINARY, BINARY_PROBABILITIES),
]


def metric_case(name, arguments, target, predicted):
    """Two updates, half of the examples each; then the same with sample weights."""
    half = (len(target) + 1) // 2
    weights = hash_uniform(41, (len(target),), 0, 2)
    result = {"metric": name, "arguments": camel_keys(arguments), "yTrue": tensor(target), "yPred": tensor(predicted), "split": half, "sampleWeight": numbers(weights)}
    for key, weighted in (("plain", False), ("weighted", True)):
        metric = getattr(keras.metrics, name)(**arguments)
        values = []
        for part in (slice(0, half), slice(half, None)):
            metric.update_state(target[part], predicted[part], sample_weight=weights[part] if weighted else None)
            values.append(numbers(np.asarray(metric.result())))
        result[key] = values
    result["name"] = metric.name
    return result


def metrics():
    save("metrics", {"metrics": [metric_case(*row) for row in METRICS]})


# Optimizers and schedules ---------------------------------------------------------------------------------------------

OPTIMIZERS = [
    ("SGD", dict()),
    ("SGD", dict(learning_rate=0.1, momentum=0.9)),
    ("SGD", dict(learning_rate=0.1, momentum=0.9, nesterov=True)),
    ("SGD", dict(learning_rate=0.1, weight_decay=0.01)),
    ("SGD", dict(learning_rate=0.1, clipnorm=0.5)),
    ("SGD", dict(learning_rate=0.1, clipvalue=0.3)),
    ("SGD", dict(learning_rate=0.1, global_clipnorm=0.5)),
    ("Adam", dict()),
    ("Adam", dict(learning_rate=0.01, beta_1=0.8, beta_2=0.99, epsilon=1e-5)),
    ("Adam", dict(learning_rate=0.01, amsgrad=True)),
    ("AdamW", dict()),
    ("AdamW", dict(learning_rate=0.01, weight_decay=0.1)),
    ("RMSprop", dict()),
    ("RMSprop", dict(learning_rate=0.01, rho=0.8, momentum=0.9)),
    ("RMSprop", dict(learning_rate=0.01, centered=True)),
    ("Adagrad", dict()),
    ("Adagrad", dict(learning_rate=0.1, initial_accumulator_value=0.0)),
    ("Adadelta", dict()),
    ("Adadelta", dict(learning_rate=1.0, rho=0.9)),
]


def optimizer_case(name, arguments):
    variables = [keras.Variable(hash_uniform(50, (4, 3))), keras.Variable(hash_uniform(51, (3,)))]
    optimizer = getattr(keras.optimizers, name)(**arguments)
    optimizer.build(variables)
    steps = []
    for step in range(5):
        gradients = [tf.constant(hash_uniform(60 + 2 * step + k, tuple(v.shape))) for k, v in enumerate(variables)]
        optimizer.apply(gradients, variables)
        steps.append([numbers(v.numpy()) for v in variables])
    config = {camel(k): v for k, v in optimizer.get_config().items() if isinstance(v, (int, float, bool)) or v is None}
    slots = [{"name": v.name, "shape": list(v.shape), "data": numbers(v.numpy())} for v in optimizer.variables]
    return {"optimizer": name, "arguments": camel_keys(arguments), "config": config, "steps": steps, "variablesAfter": slots}


SCHEDULES = [
    ("ExponentialDecay", dict(initial_learning_rate=0.1, decay_steps=5, decay_rate=0.5)),
    ("ExponentialDecay", dict(initial_learning_rate=0.1, decay_steps=5, decay_rate=0.5, staircase=True)),
    ("PiecewiseConstantDecay", dict(boundaries=[3, 7], values=[1.0, 0.5, 0.1])),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=10)),
    ("PolynomialDecay", dict(initial_learning_rate=0.1, decay_steps=4, end_learning_rate=0.01, power=2.0, cycle=True)),
    ("InverseTimeDecay", dict(initial_learning_rate=0.1, decay_steps=2, decay_rate=0.5)),
    ("InverseTimeDecay", dict(initial_learning_rate=0.1, decay_steps=2, decay_rate=0.5, staircase=True)),
    ("CosineDecay", dict(initial_learning_rate=0.1, decay_steps=10, alpha=0.1)),
    ("CosineDecay", dict(initial_learning_rate=0.0, decay_steps=10, warmup_target=0.2, warmup_steps=4)),
    ("CosineDecayRestarts", dict(initial_learning_rate=0.1, first_decay_steps=4)),
]


def schedule_case(name, arguments):
    schedule = getattr(keras.optimizers.schedules, name)(**arguments)
    return {"schedule": name, "arguments": camel_keys(arguments), "values": [number(schedule(step)) for step in range(16)]}


def optimizers():
    save("optimizers", {"initial": [50, 51], "gradientStreams": "60 + 2 * step + variable", "optimizers": [optimizer_case(*row) for row in OPTIMIZERS], "schedules": [schedule_case(*row) for row in SCHEDULES]})


# Initializers ---------------------------------------------------------------------------------------------------------

INITIALIZERS = [
    ("GlorotUniform", dict()), ("GlorotNormal", dict()), ("HeUniform", dict()), ("HeNormal", dict()), ("LecunUniform", dict()), ("LecunNormal", dict()),
    ("RandomUniform", dict()), ("RandomNormal", dict()), ("TruncatedNormal", dict()), ("VarianceScaling", dict()),
    ("VarianceScaling", dict(scale=2.0, mode="fan_avg", distribution="uniform")), ("Zeros", dict()), ("Ones", dict()), ("Constant", dict(value=0.3)), ("Orthogonal", dict()),
]  # fmt: skip


def initializer_case(name, arguments, shape):
    values = np.asarray(getattr(keras.initializers, name)(**arguments)(shape), np.float64)
    return {"initializer": name, "arguments": camel_keys(arguments), "shape": list(shape), "mean": number(values.mean()), "std": number(values.std()), "min": number(values.min()), "max": number(values.max())}


def initializers():
    keras.utils.set_random_seed(1)
    shapes = [(3, 3, 48, 96), (200, 150)]
    save("initializers", {"statistics": [initializer_case(name, arguments, shape) for name, arguments in INITIALIZERS for shape in shapes if not (name == "Orthogonal" and len(shape) > 2)]})


# A small fit ------------------------------------------------------------------------------------------------------------


def small_model():
    model = keras.Sequential([keras.layers.Input((6,)), keras.layers.Dense(8, activation="relu"), keras.layers.Dense(3, activation="softmax")], name="small")
    stream = 80
    for variable in model.trainable_variables:
        variable.assign(hash_uniform(stream, tuple(variable.shape), -0.5, 0.5))
        stream += 1
    return model


FITS = [
    dict(compile=dict(optimizer="sgd"), fit=dict(validation_split=0.3)),
    dict(compile=dict(optimizer="adam"), fit=dict(validation_split=0.3, validation_freq=2, epochs=4)),
    dict(compile=dict(optimizer="rmsprop"), fit=dict(class_weight={0: 1.0, 1: 2.0, 2: 0.5})),
    dict(compile=dict(optimizer="sgd"), fit=dict(sample_weight=True, validation_split=0.3)),
    dict(compile=dict(optimizer="sgd"), fit=dict(steps_per_epoch=2, epochs=3)),
    dict(compile=dict(optimizer="sgd"), fit=dict(initial_epoch=1, epochs=3)),
]


@contextlib.contextmanager
def fixed_clock():
    """Printing must not depend on how long steps took."""
    import time

    original, time.time = time.time, lambda: 1000.0
    try:
        yield
    finally:
        time.time = original


def fit_case(row):
    x, labels = hash_uniform(90, (22, 6)), hash_labels(91, 22, 3)
    weights = hash_uniform(92, (22,), 0, 2)
    model = small_model()
    model.compile(loss="sparse_categorical_crossentropy", metrics=["accuracy"], **row["compile"])
    arguments = dict(epochs=3, batch_size=4, shuffle=False)
    arguments.update(row["fit"])
    described = {k: ({str(c): w for c, w in v.items()} if isinstance(v, dict) else v) for k, v in arguments.items()}
    if arguments.get("sample_weight"):
        arguments["sample_weight"] = weights
    text = {}
    with fixed_clock(), contextlib.redirect_stdout(io.StringIO()) as captured:
        history = model.fit(x, labels, verbose=2, **arguments)
    text["verbose2"] = captured.getvalue()
    evaluated = model.evaluate(x, labels, batch_size=5, verbose=0)
    return {
        "compile": camel_keys(row["compile"]),
        "fit": camel_keys(described),
        "history": {k: [number(v) for v in values] for k, values in history.history.items()},
        "epochs": history.epoch,
        "params": {k: v for k, v in history.params.items()},
        "evaluate": [number(v) for v in evaluated],
        "predict": tensor(model.predict(x[:3], verbose=0)),
        "weightsAfter": [numbers(w) for w in model.get_weights()],
        "stdout": text,
    }


def train_on_batch_case():
    x, labels = hash_uniform(90, (22, 6)), hash_labels(91, 22, 3)
    model = small_model()
    model.compile(optimizer="sgd", loss="sparse_categorical_crossentropy", metrics=["accuracy"])
    return [[number(v) for v in model.train_on_batch(x[i : i + 4], labels[i : i + 4])] for i in (0, 4, 8)]


def summaries():
    layers = keras.layers
    seeds = keras.Sequential(name="sequential")
    seeds.add(layers.Input((28, 28, 1)))
    for k, layer in enumerate((layers.Conv2D(32, 3, name="conv2d"), layers.Conv2D(64, 3, name="conv2d_1"), layers.MaxPooling2D(name="max_pooling2d"), layers.Flatten(name="flatten"), layers.Dense(1024, name="dense"), layers.Dense(10, name="dense_1"))):
        seeds.add(layer)
    frozen = keras.Sequential([layers.Input((8,)), layers.Dense(4, name="dense"), layers.BatchNormalization(name="a_batch_normalization_layer_with_a_long_name"), layers.Dense(2, name="dense_1")], name="frozen")
    frozen.layers[0].trainable = False
    frozen.compile(optimizer="adam", loss="mse")
    frozen.optimizer.build(frozen.trainable_variables)
    unbuilt = keras.Sequential([layers.Dense(4, name="dense"), layers.Dense(2, name="dense_1")], name="unbuilt")
    found = {}
    for name, model, options in (("seeds", seeds, {}), ("frozen", frozen, {}), ("trainable", frozen, dict(show_trainable=True)), ("narrow", seeds, dict(line_length=60)), ("unbuilt", unbuilt, {})):
        lines = []
        model.summary(print_fn=lambda text, **_: lines.append(text), **options)
        found[name] = "\n".join(lines)
    return found


def progress():
    """What Progbar writes when it is not a terminal, and when it is."""
    found = {}
    for name, dynamic in (("piped", False), ("terminal", True)):
        with contextlib.redirect_stdout(io.StringIO()) as captured:
            from keras.src.utils.progbar import Progbar

            clock = [1000.0]
            import time

            original, time.time = time.time, lambda: clock[0]
            try:
                bar = Progbar(target=1875, verbose=1)
                bar._dynamic_display = dynamic
                for step, seconds, loss in ((1, 0.2, 2.3), (469, 1.6, 1.25), (1500, 5.0, 0.0005), (1875, 6.1, 0.12345)):
                    clock[0] = 1000.0 + seconds
                    bar.update(step, [("accuracy", 0.5), ("loss", loss)], finalize=step == 1875)
            finally:
                time.time = original
        found[name] = captured.getvalue()
    return found


def fit():
    save("fit", {"x": 90, "labels": 91, "weights": [80, 81, 82, 83], "sampleWeight": 92, "fits": [fit_case(row) for row in FITS], "trainOnBatch": train_on_batch_case(), "summaries": summaries(), "progress": progress()})


if __name__ == "__main__":
    tf.config.threading.set_intra_op_parallelism_threads(2)
    for part in (layers, losses, metrics, optimizers, initializers, fit):
        part()
