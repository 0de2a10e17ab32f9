"""The networks and losses are those of the paper, checked against independent forms of the same thing."""

from __future__ import annotations

from typing import Literal

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_pix2pix import losses, networks
from oasis_gan_pix2pix.backend import keras, tf
from oasis_gan_pix2pix.layers import InstanceNormalization, ResizeConvolution
from oasis_gan_pix2pix.recipe import DiscriminatorSettings, GeneratorSettings

Norm = Literal["instance", "batch", "none"]
Upsample = Literal["resize", "transposed"]
TUTORIAL_PARAMETERS = 54_425_859
"""Of the generator in TensorFlow's pix2pix tutorial, 3 to 3 channels, as its `model.summary()` counts them."""


def _noise(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("size", [(4, 6), (1, 1), (5, 3)])
def test_a_resize_convolution_is_repetition_followed_by_a_3x3_convolution(size: tuple[int, int]) -> None:
    x = _noise(2, *size, 3)
    layer = ResizeConvolution(5, use_bias=True, kernel_initializer="glorot_uniform")
    layer.build(x.shape)
    layer.bias.assign(_noise(5))
    made = np.asarray(layer(x))
    plain = keras.layers.Conv2D(5, 3, padding="same")
    plain.build((None, None, None, 3))
    plain.set_weights([np.asarray(layer.kernel), np.asarray(layer.bias)])
    np.testing.assert_allclose(made, np.asarray(plain(np.repeat(np.repeat(x, 2, 1), 2, 2))), atol=2e-5)


def test_instance_normalization_is_group_normalization_with_a_channel_a_group() -> None:
    x = _noise(2, 7, 5, 4) * 3 + 1
    plain = keras.layers.GroupNormalization(-1, epsilon=1e-5)
    np.testing.assert_allclose(np.asarray(InstanceNormalization()(x)), np.asarray(plain(x)), atol=1e-4)


def test_the_papers_generator_has_the_parameters_of_the_tutorials() -> None:
    settings = GeneratorSettings(levels=8, filters=64, norm="batch", upsample="transposed", full_skip=False)
    ours = networks.generator(settings, 3, 3).count_params()
    # The tutorial normalises its innermost block (4 numbers a channel), which the paper's erratum takes back; a
    # convolution without a norm has a bias here.
    assert ours == TUTORIAL_PARAMETERS - 4 * 512 + 512 + 64


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("upsample", ["resize", "transposed"])
@pytest.mark.parametrize("full_skip", [True, False])
def test_a_generator_keeps_the_size_of_its_slices(norm: Norm, upsample: Upsample, full_skip: bool) -> None:
    settings = GeneratorSettings(levels=3, filters=4, norm=norm, upsample=upsample, full_skip=full_skip, dropout=0.5)
    model = networks.generator(settings, 3, 2)
    made = np.asarray(model(np.abs(_noise(2, 16, 24, 3)), training=False))
    assert made.shape == (2, 16, 24, 2)
    assert np.abs(made).max() <= 1


def test_dropout_acts_in_training_only() -> None:
    model = networks.generator(GeneratorSettings(levels=3, filters=8, dropout=0.5), 3, 1)
    x = np.abs(_noise(1, 16, 16, 3))
    first, second = (np.asarray(model(x, training=False)) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(np.asarray(model(x, training=True)), first)


@pytest.mark.parametrize(("layers", "field"), [(1, 16), (2, 34), (3, 70), (4, 142), (5, 286)])
def test_a_logit_sees_the_patch_the_paper_names(layers: int, field: int) -> None:
    """Receptive field by gradient: which pixels move the logit in the middle."""
    model = networks.discriminator(DiscriminatorSettings(layers=layers, filters=1, norm="none"), 1, 1)
    for variable in model.trainable_variables:
        variable.assign(tf.ones_like(variable) * 0.1)
    size = 2 ** (layers + 4)
    x = tf.Variable(np.ones((1, size, size, 2), np.float32))
    with tf.GradientTape() as tape:
        logits = model(x, training=False)
        middle = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    seen = np.asarray(tape.gradient(middle, x))[0, ..., 0] != 0
    assert [int(seen.any(axis).sum()) for axis in (0, 1)] == [field, field]


def test_losses_are_those_of_the_paper() -> None:
    real, generated = _noise(3, 4, 4, 1), _noise(3, 4, 4, 1, seed=1)

    def minus_log_sigmoid(x: NDArray[np.float32]) -> float:
        return float(np.mean(np.log1p(np.exp(-x.astype(float)))))

    assert float(losses.l1(real, generated)) == pytest.approx(np.abs(real - generated).mean(), rel=1e-5)
    assert float(losses.adversarial(tf.constant(generated))) == pytest.approx(minus_log_sigmoid(generated), rel=1e-5)
    halved = (minus_log_sigmoid(real) + minus_log_sigmoid(-generated)) / 2
    made = losses.discrimination(tf.constant(real), tf.constant(generated))
    assert float(made) == pytest.approx(halved, rel=1e-5)
