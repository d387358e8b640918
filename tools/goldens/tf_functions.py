"""Goldens of TensorFlow: functions of tf and tf.nn with first gradients, tape semantics and optimizers of version 1.

    python tools/goldens/tf_functions.py     (the interpreter that TRIVIUM_PYTHON names)

Inputs come from `hash_uniform(stream, …)` (formula.py) and are not stored. Files: test/goldens/tf-convolutions.json, tf-functions.json.
"""

import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

import numpy as np
import tensorflow as tf
from formula import hash_labels, hash_uniform, versions, write

HERE = os.path.dirname(os.path.abspath(__file__))
GOLDENS = os.path.join(os.path.dirname(os.path.dirname(HERE)), "test", "goldens")


def short(value):
    value = float(value)
    if np.isnan(value):
        return "NaN"
    if np.isinf(value):
        return "Infinity" if value > 0 else "-Infinity"
    return float(f"{value:.7g}")


def tensor(t):
    array = np.asarray(t)
    return {"shape": list(array.shape), "data": [short(v) for v in array.astype(np.float64).ravel()]}


def case(name, inputs, function, **settings):
    """Value of a function and the gradients of Σ value·seed. `inputs`: (stream, shape, low, high) for each."""
    xs = [tf.constant(hash_uniform(stream, shape, low, high)) for stream, shape, low, high in inputs]
    with tf.GradientTape() as tape:
        for x in xs:
            tape.watch(x)
        y = function(*xs)
    seed = tf.constant(hash_uniform(999, tuple(y.shape)))
    gradients = tape.gradient(y, xs, output_gradients=seed) if y.dtype.is_floating else [None] * len(xs)
    return {
        "name": name,
        "inputs": [{"stream": s, "shape": list(shape), "low": low, "high": high} for s, shape, low, high in inputs],
        "settings": settings,
        "y": tensor(y),
        "gradients": [None if g is None else tensor(g) for g in gradients],
    }


def convolutions():
    rows = []
    shapes = [(5, 6), (4, 4), (7, 5)]
    for number, (height, width) in enumerate(shapes):
        for kernel in [(2, 2), (3, 3), (1, 4)]:
            for strides in [(1, 1), (2, 2), (2, 1)]:
                for padding in ["SAME", "VALID"]:
                    if (number + kernel[0] + strides[0] + strides[1]) % 2 and padding == "VALID":
                        continue
                    rows.append(
                        case(
                            "conv2d",
                            [(number, (1, height, width, 2), -1, 1), (50 + number, (*kernel, 2, 2), -1, 1)],
                            lambda x, w: tf.nn.conv2d(x, w, strides=[1, *strides, 1], padding=padding),
                            strides=[1, *strides, 1],
                            padding=padding,
                        )
                    )
    explicit = [[0, 0], [2, 1], [0, 3], [0, 0]]
    rows.append(case("conv2d", [(3, (1, 4, 3, 1), -1, 1), (53, (3, 2, 1, 2), -1, 1)], lambda x, w: tf.nn.conv2d(x, w, strides=2, padding=explicit), strides=2, padding=explicit))
    rows.append(case("conv2d", [(4, (1, 7, 6, 1), -1, 1), (54, (3, 2, 1, 1), -1, 1)], lambda x, w: tf.nn.conv2d(x, w, strides=1, padding="SAME", dilations=[2, 3]), strides=1, padding="SAME", dilations=[2, 3]))
    for strides, padding in [(1, "SAME"), (2, "SAME"), (2, "VALID")]:
        rows.append(
            case(
                "depthwiseConv2d",
                [(5, (1, 5, 4, 2), -1, 1), (55, (3, 2, 2, 2), -1, 1)],
                lambda x, w: tf.nn.depthwise_conv2d(x, w, strides=[1, strides, strides, 1], padding=padding),
                strides=[1, strides, strides, 1],
                padding=padding,
            )
        )
    for shape, strides, padding in [((1, 6, 5, 2), 2, "SAME"), ((1, 3, 3, 2), 1, "SAME"), ((1, 7, 6, 2), 2, "VALID")]:
        size = [-(-shape[1] // strides), -(-shape[2] // strides)] if padding == "SAME" else [(shape[1] - 3) // strides + 1, (shape[2] - 2) // strides + 1]
        rows.append(
            case(
                "conv2dTranspose",
                [(6, (1, *size, 3), -1, 1), (56, (3, 2, 2, 3), -1, 1)],
                lambda x, w: tf.nn.conv2d_transpose(x, w, shape, strides=strides, padding=padding),
                outputShape=list(shape),
                strides=strides,
                padding=padding,
            )
        )
    for name, function in [("maxPool2d", tf.nn.max_pool2d), ("avgPool2d", tf.nn.avg_pool2d)]:
        for size in [(5, 6), (4, 7)]:
            for ksize, strides in [(2, 2), (3, 2), (2, 1), ([3, 2], [1, 3])]:
                for padding in ["SAME", "VALID"]:
                    rows.append(
                        case(name, [(7, (1, *size, 2), -1, 1)], lambda x: function(x, ksize, strides, padding), ksize=ksize, strides=strides, padding=padding)
                    )
    rows.append(case("biasAdd", [(8, (2, 3, 2), -1, 1), (58, (2,), -1, 1)], tf.nn.bias_add))
    return rows


def losses():
    logits = (10, (4, 5), -6, 6)
    weights = hash_uniform(11, (4, 5), 0, 1)
    weights = weights / weights.sum(axis=1, keepdims=True)
    labels = hash_labels(12, 4, 5)
    # TensorFlow's gradient is right for labels that sum to 1 only
    columns = np.abs(hash_uniform(13, (3, 4)))
    columns = columns / columns.sum(axis=0, keepdims=True)
    rows = [
        case("softmaxCrossEntropyWithLogits", [logits], lambda x: tf.nn.softmax_cross_entropy_with_logits(labels=weights, logits=x), labels=tensor(weights)),
        case("softmaxCrossEntropyWithLogits", [(10, (3, 4), -6, 6)], lambda x: tf.nn.softmax_cross_entropy_with_logits(labels=columns, logits=x, axis=0), labels=tensor(columns), axis=0),
        case("sparseSoftmaxCrossEntropyWithLogits", [logits], lambda x: tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=x), labels=tensor(labels)),
        case("sigmoidCrossEntropyWithLogits", [(14, (3, 4), -60, 60)], lambda x: tf.nn.sigmoid_cross_entropy_with_logits(labels=np.abs(hash_uniform(13, (3, 4))), logits=x), labels=tensor(np.abs(hash_uniform(13, (3, 4))))),
        case("weightedCrossEntropyWithLogits", [(14, (3, 4), -4, 4)], lambda x: tf.nn.weighted_cross_entropy_with_logits(labels=np.abs(hash_uniform(13, (3, 4))), logits=x, pos_weight=2.5), labels=tensor(np.abs(hash_uniform(13, (3, 4)))), posWeight=2.5),
    ]
    return rows


def functions():
    x = (20, (3, 4), -2, 2)
    y = (21, (3, 4), -2, 2)
    positive = (22, (3, 4), 0.1, 3)
    cube = (23, (2, 3, 4), -1, 1)
    unary = {
        "abs": tf.abs, "sign": tf.sign, "exp": tf.exp, "square": tf.square, "tanh": tf.tanh, "sigmoid": tf.sigmoid, "relu": tf.nn.relu, "relu6": tf.nn.relu6,
        "elu": tf.nn.elu, "selu": tf.nn.selu, "leakyRelu": tf.nn.leaky_relu, "gelu": tf.nn.gelu, "swish": tf.nn.swish, "softplus": tf.nn.softplus,
        "erf": tf.math.erf, "erfc": tf.math.erfc, "sin": tf.sin, "cos": tf.cos, "tan": tf.tan, "sinh": tf.sinh, "cosh": tf.cosh, "asinh": tf.asinh, "round": tf.round, "floor": tf.floor, "ceil": tf.math.ceil,
        "neg": tf.negative, "expm1": tf.math.expm1,
    }
    rows = [case(name, [x], function) for name, function in unary.items()]
    for name, function in {"log": tf.math.log, "log1p": tf.math.log1p, "sqrt": tf.sqrt, "rsqrt": tf.math.rsqrt, "reciprocal": tf.math.reciprocal}.items():
        rows.append(case(name, [positive], function))
    for name, function in {
        "add": tf.add, "sub": tf.subtract, "mul": tf.multiply, "div": tf.divide, "maximum": tf.maximum, "minimum": tf.minimum, "squaredDifference": tf.math.squared_difference,
        "floorDiv": tf.math.floordiv, "mod": tf.math.floormod, "atan2": tf.atan2, "divNoNan": tf.math.divide_no_nan, "less": tf.less, "greaterEqual": tf.greater_equal,
    }.items():
        rows.append(case(name, [x, (21, (4,), -2, 2)], function))
    rows.append(case("pow", [positive, y], tf.pow))
    axes = [{}, {"axis": 0}, {"axis": [0, 2], "keepdims": True}, {"axis": -1}]
    reductions = {"sum": tf.reduce_sum, "mean": tf.reduce_mean, "prod": tf.reduce_prod, "max": tf.reduce_max, "min": tf.reduce_min, "logSumExp": tf.reduce_logsumexp, "reduceVariance": tf.math.reduce_variance, "reduceStd": tf.math.reduce_std}
    for name, function in reductions.items():
        for settings in axes:
            rows.append(case(name, [cube], lambda t: function(t, **settings), **settings))
    for axis in [0, 1, -1]:
        rows.append(case("argMax", [cube], lambda t: tf.argmax(t, axis), axis=axis))
        for exclusive in [False, True]:
            for reverse in [False, True]:
                rows.append(case("cumsum", [cube], lambda t: tf.cumsum(t, axis, exclusive, reverse), axis=axis, exclusive=exclusive, reverse=reverse))
    for exclusive in [False, True]:
        rows.append(case("cumprod", [cube], lambda t: tf.math.cumprod(t, 1, exclusive), axis=1, exclusive=exclusive))
    for axis in [-1, 1]:
        rows.append(case("softmax", [cube], lambda t: tf.nn.softmax(t, axis), axis=axis))
        rows.append(case("logSoftmax", [cube], lambda t: tf.nn.log_softmax(t, axis), axis=axis))
    for transpose in [(False, False), (True, False), (False, True), (True, True)]:
        a = (4, 3) if transpose[0] else (3, 4)
        b = (5, 4) if transpose[1] else (4, 5)
        rows.append(case("matMul", [(24, a, -1, 1), (25, b, -1, 1)], lambda s, t: tf.matmul(s, t, transpose_a=transpose[0], transpose_b=transpose[1]), transposeA=transpose[0], transposeB=transpose[1]))
    rows.append(case("matMul", [(24, (2, 3, 4), -1, 1), (25, (2, 4, 2), -1, 1)], tf.matmul))
    rows.append(case("einsum", [(24, (2, 3, 4), -1, 1), (25, (2, 4, 2), -1, 1)], lambda s, t: tf.einsum("bij,bjk->bki", s, t), equation="bij,bjk->bki"))
    rows.append(case("transpose", [cube], tf.transpose))
    rows.append(case("transpose", [cube], lambda t: tf.transpose(t, [1, 2, 0]), perm=[1, 2, 0]))
    rows.append(case("tile", [x], lambda t: tf.tile(t, [2, 3]), multiples=[2, 3]))
    rows.append(case("pad", [x], lambda t: tf.pad(t, [[1, 0], [0, 2]], constant_values=3.5), paddings=[[1, 0], [0, 2]], value=3.5))
    rows.append(case("slice", [cube], lambda t: tf.slice(t, [0, 1, 1], [1, -1, 2]), begin=[0, 1, 1], size=[1, -1, 2]))
    strided = [
        {"begin": [0, 2, 0], "end": [2, 0, 4], "strides": [1, -1, 2]},
        {"begin": [0, 0], "end": [1, 3], "strides": [1, 1], "masks": {"shrinkAxisMask": 1, "endMask": 2}},
        {"begin": [0, 1], "end": [0, 3], "strides": [1, 1], "masks": {"ellipsisMask": 1}},
        {"begin": [0, 0, -1], "end": [0, 0, 0], "strides": [1, 1, -2], "masks": {"newAxisMask": 1, "endMask": 6, "beginMask": 2}},
    ]
    for settings in strided:
        m = settings.get("masks", {})
        rows.append(
            case(
                "stridedSlice",
                [cube],
                lambda t: tf.strided_slice(t, settings["begin"], settings["end"], settings["strides"], begin_mask=m.get("beginMask", 0), end_mask=m.get("endMask", 0), ellipsis_mask=m.get("ellipsisMask", 0), new_axis_mask=m.get("newAxisMask", 0), shrink_axis_mask=m.get("shrinkAxisMask", 0)),
                **settings,
            )
        )
    rows.append(case("gather", [cube], lambda t: tf.gather(t, [[2, 0], [1, 1]], axis=1), indices=[[2, 0], [1, 1]], axis=1))
    rows.append(case("gatherND", [cube], lambda t: tf.gather_nd(t, [[1, 2], [0, 0], [1, 2]]), indices=[[1, 2], [0, 0], [1, 2]]))
    rows.append(case("reverse", [cube], lambda t: tf.reverse(t, [0, 2]), axis=[0, 2]))
    rows.append(case("clipByValue", [x], lambda t: tf.clip_by_value(t, -0.5, 1.25), least=-0.5, most=1.25))
    rows.append(case("clipByNorm", [x], lambda t: tf.clip_by_norm(t, 1.5), clipNorm=1.5))
    rows.append(case("clipByNorm", [x], lambda t: tf.clip_by_norm(t, 1.5, axes=[1]), clipNorm=1.5, axes=[1]))
    rows.append(case("clipByGlobalNorm", [x, (21, (2, 2), -1, 1)], lambda s, t: tf.clip_by_global_norm([s, t], 1.2)[0][0], clipNorm=1.2))
    for settings in [{"ord": "euclidean"}, {"ord": 1, "axis": 1}, {"ord": "Infinity", "axis": 0}, {"ord": 3}]:
        order = {"Infinity": np.inf}.get(settings["ord"], settings["ord"])
        rows.append(case("norm", [x], lambda t: tf.norm(t, order, settings.get("axis")), **settings))
    rows.append(case("l2Normalize", [x], lambda t: tf.math.l2_normalize(t, 1), axis=1))
    rows.append(case("l2Loss", [x], tf.nn.l2_loss))
    rows.append(case("batchNormalization", [(26, (2, 2, 2, 3), -1, 1), (27, (3,), -1, 1), (28, (3,), 0.1, 1), (29, (3,), -1, 1), (30, (3,), -1, 1)], lambda t, m, v, o, s: tf.nn.batch_normalization(t, m, v, o, s, 1e-3)))
    rows.append(case("moments", [(26, (2, 2, 2, 3), -1, 1)], lambda t: tf.nn.moments(t, [0, 1, 2])[1], axes=[0, 1, 2]))
    rows.append(case("topk", [x], lambda t: tf.math.top_k(t, 2)[0], k=2))
    rows.append(case("where", [x, y], lambda s, t: tf.where(s > t, s, t * 2)))
    return rows


def first_steps():
    """Values of a variable in the first ten steps of the optimizers of version 1 on Σ (w − c)²·k."""
    rows = []
    v1 = tf.compat.v1
    for name, make in {
        "GradientDescentOptimizer": lambda: v1.train.GradientDescentOptimizer(0.1),
        "MomentumOptimizer": lambda: v1.train.MomentumOptimizer(0.05, 0.9),
        "MomentumOptimizer nesterov": lambda: v1.train.MomentumOptimizer(0.05, 0.9, use_nesterov=True),
        "AdamOptimizer": lambda: v1.train.AdamOptimizer(0.1),
        "AdagradOptimizer": lambda: v1.train.AdagradOptimizer(0.1),
        "AdadeltaOptimizer": lambda: v1.train.AdadeltaOptimizer(1.0),
        "RMSPropOptimizer": lambda: v1.train.RMSPropOptimizer(0.1),
        "RMSPropOptimizer momentum": lambda: v1.train.RMSPropOptimizer(0.1, decay=0.8, momentum=0.5),
        "RMSPropOptimizer centered": lambda: v1.train.RMSPropOptimizer(0.1, centered=True),
    }.items():
        with tf.Graph().as_default():
            w = v1.Variable(hash_uniform(40, (3,)))
            loss = tf.reduce_sum(tf.square(w - hash_uniform(41, (3,))) * tf.constant(np.array([1, 2, 3], dtype=np.float32)))
            step = make().minimize(loss)
            with v1.Session() as session:
                session.run(v1.global_variables_initializer())
                values = []
                for _ in range(10):
                    session.run(step)
                    values.append(session.run(w))
        rows.append({"name": name, "values": tensor(np.array(values))})
    return rows


if __name__ == "__main__":
    write(os.path.join(GOLDENS, "tf-convolutions.json"), {"versions": versions(), "cases": convolutions()})
    write(os.path.join(GOLDENS, "tf-functions.json"), {"versions": versions(), "cases": losses() + functions(), "optimizers": first_steps()})
