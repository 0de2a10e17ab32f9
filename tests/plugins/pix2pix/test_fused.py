"""What computes in one operation gives what Keras does in ten."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_keras.backend import compiled, keras, tf
from oasis_gan_keras.optimizers import FusedAdam
from oasis_gan_pix2pix.layers import BatchNormalization

Array = NDArray[np.float32]


def test_adam_moves_variables_as_kerass_does() -> None:
    rng = np.random.default_rng(0)
    start, gradients = (
        rng.normal(size=(7, 5)).astype(np.float32),
        rng.normal(size=(20, 7, 5)).astype(np.float32),
    )
    fused, plain = (
        after_updates(kind, start, gradients) for kind in (FusedAdam, keras.optimizers.Adam)
    )
    assert np.abs(fused[0] - start).max() > 0.1
    for one, other in zip(fused, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=5e-6)


def after_updates(kind: Any, start: Array, gradients: Array) -> list[Array]:  # noqa: ANN401
    """Return a variable after updates, and all that the optimizer remembers."""
    variable = keras.Variable(start)
    optimizer = kind(keras.optimizers.schedules.ExponentialDecay(0.1, 5, 0.5), beta_1=0.5)
    optimizer.build([variable])
    update = compiled(lambda gradient: optimizer.apply([gradient], [variable]))
    for gradient in gradients:
        update(tf.constant(gradient))
    return [np.asarray(v) for v in (variable, *optimizer.variables)]


@pytest.mark.parametrize("shape", [(4, 6, 5, 3), (2, 1, 1, 3), (1, 1, 1, 3)])
def test_batch_norm_norms_learns_and_remembers_as_kerass_does(shape: tuple[int, ...]) -> None:
    rng = np.random.default_rng(0)
    x, weight = (rng.normal(2, 3, shape).astype(np.float32) for _ in range(2))
    seen: list[list[Any]] = []
    for kind in (BatchNormalization, keras.layers.BatchNormalization):
        layer = kind(momentum=0.8, epsilon=1e-3)
        layer.build(shape)
        layer.set_weights(
            [
                np.array(part, np.float32)
                for part in ([1, 2, 3], [0.5, 0, -1], [1, 0, 2], [1, 2, 0.5])
            ]
        )
        source = tf.Variable(x)
        with tf.GradientTape() as tape:
            made = layer(source, training=True)
            loss = tf.reduce_sum(made * weight)
        gradients = tape.gradient(loss, [source, layer.gamma.value, layer.beta.value])
        seen.append([made, *gradients, *layer.get_weights(), layer(source, training=False)])
    for fused, plain in zip(*seen, strict=True):
        np.testing.assert_allclose(fused, plain, rtol=1e-4, atol=1e-4)
