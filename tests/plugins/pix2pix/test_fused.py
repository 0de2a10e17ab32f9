"""Operations that replace ten of Keras give the same results."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_keras.backend import compile_graph, keras, tf
from oasis_gan_keras.optimizers import FusedAdam
from oasis_gan_pix2pix.layers import BatchNormalization

Array = NDArray[np.float32]


def test_adam_updates_variables_as_keras_does() -> None:
    rng = np.random.default_rng(0)
    start = rng.normal(size=(7, 5)).astype(np.float32)
    gradients = rng.normal(size=(20, 7, 5)).astype(np.float32)
    fused = run_updates(FusedAdam, start, gradients)
    plain = run_updates(keras.optimizers.Adam, start, gradients)
    assert np.abs(fused[0] - start).max() > 0.1
    for one, other in zip(fused, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=5e-6)


def run_updates(kind: Any, start: Array, gradients: Array) -> list[Array]:  # noqa: ANN401
    """Return a variable and the state of the optimizer after updates."""
    variable = keras.Variable(start)
    optimizer = kind(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5), beta_1=0.5)
    optimizer.build([variable])
    update = compile_graph(lambda gradient: optimizer.apply([gradient], [variable]))
    for gradient in gradients:
        update(tf.constant(gradient))
    return [np.asarray(v) for v in (variable, *optimizer.variables)]


@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (2, 1, 1, 3), (1, 1, 1, 3)])
def test_batch_norm_has_the_outputs_gradients_and_statistics_of_keras(
    shape: tuple[int, ...],
) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(2, 3, shape).astype(np.float32)
    weight = rng.normal(2, 3, shape).astype(np.float32)
    seen: list[list[Any]] = []
    for kind in (BatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.8, epsilon=1e-3)
        layer.build(shape)
        weights = ([1, 2, 3], [0.5, 0, -1], [1, 0, 2], [1, 2, 0.5])
        layer.set_weights([np.array(part, np.float32) for part in weights])
        source = tf.Variable(x)
        with tf.GradientTape() as tape:
            made = layer(source, training=True)
            loss = tf.reduce_sum(made * weight)
        gradients = tape.gradient(loss, [source, layer.gamma.value, layer.beta.value])
        seen.append([made, *gradients, *layer.get_weights(), layer(source, training=False)])
    for fused, plain in zip(*seen, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-4, atol=1e-4)
