"""The seeds' training step in JAX, one jitted function. Setting: default."""

import os

threads = int(os.environ["TRIVIUM_BENCH_THREADS"])
flags = os.environ.get("XLA_FLAGS", "")
os.environ["XLA_FLAGS"] = f"{flags} --xla_cpu_multi_thread_eigen={'true' if threads > 1 else 'false'}".strip()

import jax
import jax.numpy as jnp
import shared
from jax import lax


def versions():
    return {"jax": jax.__version__}


def workload(suite, name, batch, setting, dropout):
    if suite != "train" or name != "seeds-cnn":
        raise shared.Unavailable(f"jax has no workload {name} in {suite}")
    images, labels = shared.keras_data(name, batch)
    x, y = jnp.asarray(images), jnp.asarray(labels)
    parameters = [(jnp.asarray(kernel), jnp.zeros(kernel.shape[-1])) for kernel in shared.keras_weights(name)]

    def convolve(value, kernel, bias):
        value = lax.conv_general_dilated(value, kernel, (1, 1), "VALID", dimension_numbers=("NHWC", "HWIO", "NHWC"))
        return jax.nn.relu(value + bias)

    def loss_of(parameters):
        (k1, b1), (k2, b2), (k3, b3), (k4, b4) = parameters
        value = convolve(convolve(x, k1, b1), k2, b2)
        value = lax.reduce_window(value, -jnp.inf, lax.max, (1, 2, 2, 1), (1, 2, 2, 1), "VALID")
        value = jax.nn.relu(value.reshape(batch, -1) @ k3 + b3) @ k4 + b4
        return -jnp.mean(jnp.take_along_axis(jax.nn.log_softmax(value), y[:, None], axis=1))

    @jax.jit
    def update(parameters):
        loss, slopes = jax.value_and_grad(loss_of)(parameters)
        return loss, jax.tree.map(lambda value, slope: value - 0.01 * slope, parameters, slopes)

    def step():
        nonlocal parameters
        loss, parameters = update(parameters)
        return float(loss)

    return step
