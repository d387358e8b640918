"""Goldens of Keras' layers beyond the first ones: sequences, transposed and separable convolutions, shapes, normalisation, attention, images.

    KERAS_BACKEND=tensorflow python tools/goldens/keras_more_layers.py

Inputs, weights and the factors of the objective come from formula.py: input k of case i is stream 1000 + 10 * i + k, weight k is stream
100 + k, the factors are stream 50. Of large tensors only sum, norm and some elements are stored. File: test/goldens/keras-more-layers.json.
"""

import inspect
import os

os.environ.setdefault("KERAS_BACKEND", "tensorflow")
os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")

import keras
import numpy as np
import tensorflow as tf
from formula import hash_uniform, sample_indices, versions, write

HERE = os.path.dirname(os.path.abspath(__file__))


def camel(name):
    head, *rest = name.split("_")
    return head + "".join(part.capitalize() for part in rest)


def plain(value):
    return [plain(entry) for entry in value] if isinstance(value, (tuple, list)) else value


def short(value):
    return "NaN" if np.isnan(value) else float(f"{float(value):.7g}")


def digest(array):
    """All of a small tensor; sum, norm and sixteen elements of a large one."""
    array = np.asarray(array)
    flat = array.astype(np.float64).ravel()
    if flat.size <= 24:
        return {"shape": list(array.shape), "data": [short(v) for v in flat]}
    values = [short(flat[i]) for i in sample_indices(flat.size)]
    return {"shape": list(array.shape), "sum": short(flat.sum()), "norm": short(np.sqrt((flat * flat).sum())), "values": values}


IMAGE, SEQUENCE = (2, 5, 6, 4), (2, 7, 4)
LAYERS = [
    ("Conv1D", SEQUENCE, dict(filters=3, kernel_size=3)),
    ("Conv1D", SEQUENCE, dict(filters=3, kernel_size=2, strides=2, padding="same", activation="tanh")),
    ("Conv1D", SEQUENCE, dict(filters=3, kernel_size=3, dilation_rate=2, padding="causal")),
    ("Conv1D", SEQUENCE, dict(filters=3, kernel_size=3, strides=3, padding="causal", use_bias=False)),
    ("Conv1D", SEQUENCE, dict(filters=4, kernel_size=2, groups=2)),
    ("SeparableConv1D", SEQUENCE, dict(filters=3, kernel_size=3, depth_multiplier=2, padding="same", strides=2)),
    ("SeparableConv2D", IMAGE, dict(filters=3, kernel_size=(3, 2))),
    ("SeparableConv2D", IMAGE, dict(filters=5, kernel_size=3, strides=2, padding="same", depth_multiplier=2, activation="relu")),
    ("Conv2DTranspose", IMAGE, dict(filters=3, kernel_size=3)),
    ("Conv2DTranspose", IMAGE, dict(filters=3, kernel_size=3, strides=2, padding="same")),
    ("Conv2DTranspose", IMAGE, dict(filters=2, kernel_size=(4, 2), strides=2, padding="same", use_bias=False)),
    ("Conv2DTranspose", IMAGE, dict(filters=2, kernel_size=3, strides=2, padding="same", output_padding=0)),
    ("Conv2DTranspose", IMAGE, dict(filters=2, kernel_size=3, strides=2, padding="same", output_padding=1)),
    ("Conv2DTranspose", IMAGE, dict(filters=2, kernel_size=(2, 4), strides=3, padding="valid")),
    ("Conv2DTranspose", IMAGE, dict(filters=2, kernel_size=3, strides=(2, 3), padding="valid", output_padding=1)),
    ("Conv2DTranspose", IMAGE, dict(filters=2, kernel_size=5, strides=2, padding="same", activation="tanh")),
    ("Conv1DTranspose", SEQUENCE, dict(filters=3, kernel_size=4, strides=2, padding="same")),
    ("Conv1DTranspose", SEQUENCE, dict(filters=3, kernel_size=2, strides=3)),
    ("ZeroPadding1D", SEQUENCE, dict(padding=(1, 2))),
    ("ZeroPadding2D", IMAGE, dict(padding=((1, 0), (2, 3)))),
    ("ZeroPadding2D", IMAGE, dict(padding=(1, 2))),
    ("ZeroPadding2D", IMAGE, dict()),
    ("Cropping1D", SEQUENCE, dict(cropping=(1, 2))),
    ("Cropping2D", IMAGE, dict(cropping=((1, 0), (2, 1)))),
    ("Cropping2D", IMAGE, dict(cropping=(1, 2))),
    ("UpSampling1D", SEQUENCE, dict(size=3)),
    ("UpSampling2D", IMAGE, dict(size=(2, 3))),
    ("UpSampling2D", IMAGE, dict(size=(3, 2), interpolation="bilinear")),
    ("MaxPooling1D", SEQUENCE, dict()),
    ("MaxPooling1D", SEQUENCE, dict(pool_size=3, strides=2, padding="same")),
    ("AveragePooling1D", SEQUENCE, dict(pool_size=3, strides=2, padding="same")),
    ("AveragePooling1D", SEQUENCE, dict(pool_size=2, strides=1)),
    ("GlobalMaxPooling1D", SEQUENCE, dict()),
    ("GlobalMaxPooling2D", IMAGE, dict(keepdims=True)),
    ("GlobalAveragePooling1D", SEQUENCE, dict(keepdims=True)),
    ("LayerNormalization", (3, 5), dict()),
    ("LayerNormalization", IMAGE, dict(axis=(1, 3), epsilon=1e-5)),
    ("LayerNormalization", SEQUENCE, dict(axis=[2, 1], center=False)),
    ("GroupNormalization", IMAGE, dict(groups=2)),
    ("GroupNormalization", SEQUENCE, dict(groups=-1, scale=False, epsilon=1e-5)),
    ("GroupNormalization", (2, 4, 3, 5), dict(groups=2, axis=1)),
    ("RMSNormalization", SEQUENCE, dict()),
    ("UnitNormalization", SEQUENCE, dict()),
    ("UnitNormalization", SEQUENCE, dict(axis=(1, 2))),
    ("Permute", IMAGE, dict(dims=(3, 1, 2))),
    ("RepeatVector", (2, 4), dict(n=3)),
    ("ELU", (3, 5), dict(alpha=0.7)),
    ("PReLU", (3, 5), dict()),
    ("PReLU", IMAGE, dict(shared_axes=[1, 2])),
    ("ReLU", (3, 5), dict(max_value=1.0, negative_slope=0.2, threshold=0.3)),
    ("Rescaling", IMAGE, dict(scale=0.25, offset=-1.5)),
    ("Rescaling", SEQUENCE, dict(scale=[1.0, 2.0, 3.0, 4.0])),
    ("Normalization", SEQUENCE, dict(mean=[0.1, 0.2, 0.3, 0.4], variance=[1.0, 2.0, 0.5, 0.25])),
    ("Normalization", SEQUENCE, dict(axis=None, mean=0.5, variance=2.0, invert=True)),
    ("Normalization", SEQUENCE, dict(axis=(1, -1))),
    ("Resizing", IMAGE, dict(height=8, width=3)),
    ("Resizing", IMAGE, dict(height=3, width=11, interpolation="nearest")),
    ("Resizing", IMAGE, dict(height=4, width=3, crop_to_aspect_ratio=True)),
    ("Resizing", IMAGE, dict(height=7, width=4, pad_to_aspect_ratio=True, fill_value=0.5)),
    ("CenterCrop", IMAGE, dict(height=2, width=3)),
    ("CenterCrop", IMAGE, dict(height=8, width=4)),
    ("GaussianNoise", SEQUENCE, dict(stddev=0.3)),
    ("GaussianDropout", SEQUENCE, dict(rate=0.3)),
    ("AlphaDropout", SEQUENCE, dict(rate=0.3)),
    ("SpatialDropout1D", SEQUENCE, dict(rate=0.3)),
    ("SpatialDropout2D", IMAGE, dict(rate=0.3)),
    ("RandomFlip", IMAGE, dict(mode="horizontal")),
    ("RandomRotation", IMAGE, dict(factor=0.2, fill_mode="constant", fill_value=0.5)),
    ("RandomTranslation", IMAGE, dict(height_factor=0.2, width_factor=(-0.1, 0.3))),
    ("RandomZoom", IMAGE, dict(height_factor=0.2)),
    ("RandomZoom", IMAGE, dict(height_factor=(-0.3, 0.2), width_factor=0.1, interpolation="nearest")),
    ("RandomContrast", IMAGE, dict(factor=0.4, value_range=(0, 1))),
    ("RandomBrightness", IMAGE, dict(factor=(-0.2, 0.3), value_range=(-1, 1))),
]
# shapes with open sizes that these layers are asked about
OPEN = (
    "Conv1D SeparableConv1D SeparableConv2D Conv2DTranspose Conv1DTranspose ZeroPadding1D ZeroPadding2D Cropping1D Cropping2D "
    "UpSampling1D UpSampling2D MaxPooling1D AveragePooling1D GlobalMaxPooling1D GlobalMaxPooling2D GlobalAveragePooling1D Resizing CenterCrop"
).split()


def own_weights(layer):
    return [w for w in layer.weights if "seed" not in w.path]


def described(layer):
    return {
        "weights": [{"name": w.path[len(layer.name) + 1 :], "shape": list(w.shape), "trainable": bool(w.trainable)} for w in own_weights(layer)],
        "parameters": int(sum(np.prod(w.shape) for w in own_weights(layer))),
    }


def fill(layer):
    for index, weight in enumerate(own_weights(layer)):
        low, high = (0.25, 1.5) if weight.name in ("variance", "gamma", "scale") else (-0.5, 0.5)
        if weight.name != "count":
            weight.assign(hash_uniform(100 + index, tuple(weight.shape), low, high))
    if hasattr(layer, "finalize_state"):
        layer.finalize_state()


def layer_case(index, name, shape, arguments):
    layer = getattr(keras.layers, name)(**arguments)
    layer.build((None, *shape[1:]))
    fill(layer)
    x = tf.Variable(hash_uniform(1000 + 10 * index, shape, -2, 2))
    with tf.GradientTape() as tape:
        # layers of chance act in direct calls unless told otherwise
        in_use = {"training": False} if "training" in inspect.signature(layer.call).parameters else {}
        y = layer(tf.convert_to_tensor(x), **in_use)
        objective = tf.reduce_sum(y * hash_uniform(50, tuple(y.shape)))
    variables = [x] + [w.value for w in layer.trainable_weights if "seed" not in w.path]
    gradients = [digest(g) for g in tape.gradient(objective, variables)]
    closed = list(layer.compute_output_shape((None, *shape[1:])))
    result = {"layer": name, "arguments": {camel(k): plain(v) for k, v in arguments.items()}, "shape": list(shape), "outputShape": closed}
    if name in OPEN and not (name.endswith("Resizing") and len(arguments) > 2):
        result["openShape"] = list(layer.compute_output_shape((None, *(None for _ in shape[1:-1]), shape[-1])))
    return {**result, **described(layer), "y": digest(y), "gradients": gradients}


def mask_of(stream, shape):
    mask = hash_uniform(stream, shape, 0, 1) > 0.4
    mask[0] = True
    return mask


def attention():
    q, v, k = hash_uniform(1, (2, 4, 6)), hash_uniform(2, (2, 5, 3)), hash_uniform(3, (2, 5, 7))
    queries, values, keys = mask_of(4, (2, 4)), mask_of(5, (2, 5)), mask_of(6, (2, 5))
    allowed = mask_of(7, (2, 4, 5))
    cases = {}

    def run(name, options, inputs, masks=(), **call):
        layer = keras.layers.MultiHeadAttention(**options)
        layer.build(*[x.shape for x in inputs])
        fill(layer)
        variables = [tf.Variable(x) for x in inputs]
        tensors = []
        with tf.GradientTape() as tape:
            for i, variable in enumerate(variables):
                tensor = tf.convert_to_tensor(variable)
                if i < len(masks) and masks[i] is not None:
                    keras.src.backend.set_keras_mask(tensor, tf.constant(masks[i]))
                tensors.append(tensor)
            result = layer(*tensors, **call)
            output = result[0] if isinstance(result, tuple) else result
            objective = tf.reduce_sum(output * hash_uniform(50, tuple(output.shape)))
        gradients = tape.gradient(objective, variables + [w.value for w in layer.trainable_weights])
        cases[name] = {
            "options": {camel(a): plain(b) for a, b in options.items()},
            **described(layer),
            "output": digest(output),
            "scores": digest(result[1]) if isinstance(result, tuple) else None,
            "gradients": [digest(g) for g in gradients],
        }

    plain_options = dict(num_heads=2, key_dim=3)
    run("self", plain_options, [q, q])
    run("other values", dict(num_heads=2, key_dim=3, value_dim=4), [q, v])
    run("keys", dict(num_heads=2, key_dim=3, output_shape=5, use_bias=False), [q, v, k])
    run("shape", dict(num_heads=1, key_dim=2, output_shape=(2, 3)), [q, v])
    run("causal", plain_options, [q, q], use_causal_mask=True)
    run("scores", plain_options, [q, v], return_attention_scores=True)
    run("attention mask", plain_options, [q, v], attention_mask=tf.constant(allowed))
    run("masks", plain_options, [q, v, k], masks=[queries, values, keys])
    run("masks and scores", plain_options, [q, v, k], masks=[queries, values, keys], return_attention_scores=True, use_causal_mask=True)

    dots = {}
    layer = keras.layers.Attention()
    dots["plain"] = digest(layer([q, q]))
    layer = keras.layers.Attention(use_scale=True)
    layer.build([q.shape, q.shape])
    layer.scale.assign(0.7)
    output, scores = layer([q, q], mask=[tf.constant(queries), tf.constant(queries)], return_attention_scores=True, use_causal_mask=True)
    dots["masked"], dots["scores"] = digest(output), digest(scores)
    return {"multiHead": cases, "dot": dots}


def masks():
    x = hash_uniform(1, (3, 5, 2))
    mask = hash_uniform(2, (3, 5), 0, 1) > 0.4
    mask[2] = False
    scores = hash_uniform(3, (3, 5))
    return {
        "mean": digest(keras.layers.GlobalAveragePooling1D()(x, mask=tf.constant(mask))),
        "softmax": digest(keras.layers.Softmax()(scores, mask=tf.constant(mask))),
    }


def adapted():
    data = hash_uniform(1, (7, 3, 4), -3, 5)
    results = {}
    for name, axis in [("last", -1), ("all", None), ("both", (1, 2))]:
        layer = keras.layers.Normalization(axis=axis)
        layer.adapt(data)
        results[name] = {"weights": [digest(w) for w in layer.get_weights()[:2]], "y": digest(layer(data))}
    return results


def images():
    """Transformations with numbers that are given instead of drawn."""
    x = hash_uniform(1, (2, 5, 6, 2), 0, 1)
    transforms = np.array([[0.9, 0.25, -3.1, -0.3, 1.15, 2.35, 0, 0], [-0.8, 0.4, 7.3, 0.55, 0.7, -4.2, 0, 0]], "float32")
    affine = {}
    for mode in ["constant", "nearest", "reflect", "wrap"]:
        for interpolation in ["nearest", "bilinear"]:
            y = keras.ops.image.affine_transform(x, transforms, interpolation=interpolation, fill_mode=mode, fill_value=0.25)
            affine[f"{mode} {interpolation}"] = digest(y)
    layers = keras.layers
    rotation = layers.RandomRotation(0.5)
    angles = np.array([33.0, -121.0], "float32")
    zero, one = tf.zeros([2]), tf.ones([2])
    matrix = rotation._compute_affine_matrix(0.5, 0.5, tf.constant(angles), zero, zero, one, zero, zero, 5, 6)
    rotated = rotation._transform_images(tf.constant(x), {"rotation_matrix": matrix}, "bilinear")
    zoom = layers.RandomZoom(0.2)
    zoomed = zoom._zoom_inputs(tf.constant(x), {"height_zoom": tf.constant([[0.7], [1.3]]), "width_zoom": tf.constant([[1.2], [0.6]])}, "bilinear")
    translation = layers.RandomTranslation(0.2, 0.2)
    translated = translation._translate_inputs(tf.constant(x), {"translations": tf.constant([[1.3, -0.4], [-2.2, 3.1]])}, "bilinear")
    contrast = layers.RandomContrast(0.5, value_range=(0, 1)).transform_images(tf.constant(x), {"contrast_factor": tf.constant([0.4, 1.7], shape=(2, 1, 1, 1))})
    brightness = layers.RandomBrightness(0.5, value_range=(0, 1)).transform_images(tf.constant(x), {"rgb_delta": tf.constant([0.4, -0.3], shape=(2, 1, 1, 1))})
    changed = {"rotation": rotated, "zoom": zoomed, "translation": translated, "contrast": contrast, "brightness": brightness}
    return {"transforms": transforms[:, :6].ravel().tolist(), "affine": affine, **{name: digest(y) for name, y in changed.items()}}


# not sparsemax: Keras 3.15 sums all partial sums instead of taking the last, so that its results do not sum to 1
ACTIVATIONS = "celu glu hard_shrink hard_silu hard_tanh log_sigmoid soft_shrink sparse_plus sparse_sigmoid squareplus tanh_shrink".split()


def activations():
    results = {}
    for name in ACTIVATIONS:
        x = tf.Variable(np.array([[-50.0, -3.2, -1.1, -0.3], [0.2, 0.6, 1.4, 40.0], [0.3, 0.25, -0.1, 0.28]], "float32"))
        with tf.GradientTape() as tape:
            y = keras.activations.get(name)(x)
            objective = tf.reduce_sum(y * hash_uniform(50, tuple(y.shape)))
        results[name] = {"y": digest(y), "gradient": digest(tape.gradient(objective, x))}
    return results


# windows by numpy, since Keras takes the named ones from SciPy
STFT = [
    (dict(), np.hanning(8)),
    (dict(side="imag", window="hamming", scaling="spectrum", periodic=True), np.hamming(9)[:-1]),
    (dict(window=None), None),
    (dict(side="imag", window="blackman", scaling=None), np.blackman(8)),
]


def short_time_fourier(options, window):
    given = {**options, "window": None if window is None else window.astype("float32")}
    return {"options": options, "kernel": digest(keras.initializers.STFT(**given)((8, 1, 5)))}


def main():
    content = {
        "versions": versions(),
        "layers": [layer_case(index, *case) for index, case in enumerate(LAYERS)],
        "attention": attention(),
        "masks": masks(),
        "adapted": adapted(),
        "images": images(),
        "activations": activations(),
        "stft": [short_time_fourier(*case) for case in STFT],
        "names": {
            "activations": sorted(name for name in dir(keras.activations) if not name.startswith("_")),
            "initializers": sorted(name for name in dir(keras.initializers) if not name.startswith("_")),
        },
    }
    write(os.path.join(HERE, "..", "..", "test", "goldens", "keras-more-layers.json"), content)


if __name__ == "__main__":
    main()
