"""The networks and losses are those of the paper, checked against independent implementations."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Literal

import numpy as np
import oasis_gan_pix2pix
import pytest
from numpy.typing import NDArray
from oasis_gan_keras.backend import keras, tf
from oasis_gan_pix2pix import losses, networks
from oasis_gan_pix2pix.layers import Dropout, InstanceNormalization, Noise, ResizeConvolution
from oasis_gan_pix2pix.recipe import DiscriminatorSettings, GeneratorSettings, parse_recipe
from scipy.stats import wasserstein_distance

Norm = Literal["instance", "batch", "none"]
Upsample = Literal["resize", "transposed"]
Field = Literal[1, 16, 34, 70, 142, 286]
FIELDS: tuple[Field, ...] = (1, 16, 34, 70, 142, 286)
RECIPES = Path(oasis_gan_pix2pix.__file__).parent / "recipes"
TUTORIAL_PARAMETERS = 54_425_859
"""The parameters of the generator in TensorFlow's pix2pix tutorial, from 3 to 3 channels."""
TUTORIAL_DISCRIMINATOR = 2_770_433
"""The parameters of its discriminator."""


def draw_noise(*shape: int, seed: int = 0) -> NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("size", [(4, 6), (1, 1), (5, 3)])
def test_a_resize_convolution_is_repetition_followed_by_a_3x3_convolution(
    size: tuple[int, int],
) -> None:
    x = draw_noise(2, *size, 3)
    layer = ResizeConvolution(5, use_bias=True, kernel_initializer="glorot_uniform")
    layer.build(x.shape)
    layer.bias.assign(draw_noise(5))
    made = np.asarray(layer(x))
    plain = keras.layers.Conv2D(5, 3, padding="same")
    plain.build((None, None, None, 3))
    plain.set_weights([np.asarray(layer.kernel), np.asarray(layer.bias)])
    doubled = np.repeat(np.repeat(x, 2, 1), 2, 2)
    np.testing.assert_allclose(made, np.asarray(plain(doubled)), atol=2e-5)


def test_instance_normalization_is_group_normalization_with_one_channel_per_group() -> None:
    x = draw_noise(2, 7, 5, 4) * 3 + 1
    plain = keras.layers.GroupNormalization(-1, epsilon=1e-5)
    normalised = np.asarray(InstanceNormalization()(x))
    np.testing.assert_allclose(normalised, np.asarray(plain(x)), atol=1e-4)


def test_the_papers_generator_has_the_parameters_of_the_tutorials() -> None:
    settings = GeneratorSettings(
        levels=8, filters=64, norm="batch", upsample="transposed", full_skip=False
    )
    ours = networks.build_generator(settings, 3, 3).count_params()
    # The tutorial normalises its innermost block (4 numbers per channel), which the paper's erratum
    # takes back. Here, a convolution without a norm has a bias.
    assert ours == TUTORIAL_PARAMETERS - 4 * 512 + 512 + 64


def test_the_tutorials_generator_with_its_innermost_norm_has_the_tutorials_parameters() -> None:
    recipe = parse_recipe(tomllib.loads((RECIPES / "tensorflow-tutorial.toml").read_text()))
    # Its outermost block, unlike ours, has no bias: 64 numbers.
    ours = networks.build_generator(recipe.generator, 3, 3).count_params()
    assert ours == TUTORIAL_PARAMETERS + 64


@pytest.mark.parametrize("norm", ["instance", "batch", "none"])
@pytest.mark.parametrize("upsample", ["resize", "transposed"])
@pytest.mark.parametrize("full_skip", [True, False])
def test_a_generator_keeps_the_size_of_its_slices(
    norm: Norm, upsample: Upsample, full_skip: bool
) -> None:
    settings = GeneratorSettings(
        levels=3, filters=4, norm=norm, upsample=upsample, full_skip=full_skip, dropout=0.5
    )
    model = networks.build_generator(settings, 3, 2)
    made = np.asarray(model(np.abs(draw_noise(2, 16, 24, 3)), training=False))
    assert made.shape == (2, 16, 24, 2)
    assert np.abs(made).max() <= 1


def test_dropout_acts_in_training_only() -> None:
    model = networks.build_generator(GeneratorSettings(levels=3, filters=8, dropout=0.5), 3, 1)
    x = np.abs(draw_noise(1, 16, 16, 3))
    first = np.asarray(model(x, training=False))
    second = np.asarray(model(x, training=False))
    np.testing.assert_array_equal(first, second)
    assert not np.array_equal(np.asarray(model(x, training=True)), first)


@pytest.mark.parametrize("field", FIELDS)
def test_a_logit_sees_the_patch_the_paper_names(field: Field) -> None:
    """The receptive field follows from kernels and strides, and from the gradient of a logit."""
    model = networks.build_discriminator(
        DiscriminatorSettings(receptive_field=field, filters=1, norm="none"), 1, 1
    )
    assert networks.compute_receptive_field(model) == field
    for variable in model.trainable_variables:
        variable.assign(tf.ones_like(variable) * 0.1)
    x = tf.Variable(np.ones((1, 2 * field + 32, 2 * field + 32, 2), np.float32))
    with tf.GradientTape() as tape:
        logits = model(x, training=False)
        middle = logits[0, logits.shape[1] // 2, logits.shape[2] // 2, 0]
    seen = np.asarray(tape.gradient(middle, x))[0, ..., 0] != 0
    assert [int(seen.any(axis).sum()) for axis in (0, 1)] == [field, field]


def test_the_papers_discriminator_gives_30_by_30_logits_and_the_tutorials_parameters() -> None:
    settings = DiscriminatorSettings(filters=64, norm="batch", receptive_field=70)
    model = networks.build_discriminator(settings, 3, 3)
    assert model(np.zeros((1, 256, 256, 6), np.float32)).shape == (1, 30, 30, 1)
    # The tutorial's first layer has no bias.
    assert model.count_params() == TUTORIAL_DISCRIMINATOR + 64


def test_an_encoder_decoder_is_a_u_net_without_skips() -> None:
    """The output depends on the input through the innermost block alone."""
    settings = GeneratorSettings(levels=3, filters=4, full_skip=False)
    u_net = networks.build_generator(settings, 1, 1)
    without_skips = settings.model_copy(update={"architecture": "encoder-decoder"})
    encoder_decoder = networks.build_generator(without_skips, 1, 1)
    assert encoder_decoder.count_params() < u_net.count_params()
    assert count_skips(encoder_decoder) == 0
    assert count_skips(u_net) == 2


def count_skips(network: Any) -> int:  # noqa: ANN401 - Keras is untyped here
    return sum(isinstance(layer, keras.layers.Concatenate) for layer in network.layers)


def test_translating_as_in_training_treats_each_slice_alone_and_is_deterministic() -> None:
    settings = GeneratorSettings(
        levels=3, filters=8, norm="batch", dropout=0.5, inference_in_training_mode=True
    )
    model = networks.build_generator(settings, 3, 1)
    x = np.abs(draw_noise(3, 16, 16, 3))
    together = np.asarray(model(x, training=False))
    again = np.asarray(model(x, training=False))
    np.testing.assert_array_equal(together, again)
    np.testing.assert_allclose(np.asarray(model(x[1:2], training=False)), together[1:2], atol=1e-5)
    # Moving statistics play no part.
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            layer.moving_mean.assign(layer.moving_mean + 5)
    np.testing.assert_array_equal(np.asarray(model(x, training=False)), together)


def test_dropout_that_stays_on_drops_its_share_and_keeps_the_mean() -> None:
    ones = np.ones((1, 64, 64, 8), np.float32)
    made = np.asarray(Dropout(0.5, always=True)(ones, training=False))
    assert set(np.unique(made)) == {0.0, 2.0}
    assert made.mean() == pytest.approx(1, abs=0.05)


def test_noise_is_white_in_proportion_to_its_channel_and_depends_on_the_slice() -> None:
    source = np.zeros((3, 96, 80, 4), np.float32)
    source[..., 1] = 0.5
    source[1, 40, 40] = source[2, 40, 41] = (0, 0, 1, 0)
    made = np.asarray(Noise()(source))
    assert not made[..., [0, 3]].any()
    white = 2 * made[..., 1]
    white[1:, 40, 40:42] = 0
    for one in white:
        assert one.mean() == pytest.approx(0, abs=0.03)
        assert one.std() == pytest.approx(1, abs=0.03)
        power = np.abs(np.fft.fft2(one)) ** 2 / one.size
        # A bound for the largest of so many exponential draws.
        assert power.max() < 2 * np.log(one.size)
    assert np.abs(np.corrcoef(white.reshape(3, -1))[np.triu_indices(3, 1)]).max() < 0.05
    np.testing.assert_array_equal(np.asarray(Noise()(source[1:2]))[0], made[1])


def test_every_layer_starts_as_the_paper_says() -> None:
    keras.utils.set_random_seed(0)
    model = networks.build_generator(GeneratorSettings(levels=4, filters=32), 3, 1)
    for variable in model.trainable_variables:
        values = np.asarray(variable)
        if variable.name == "kernel" and values.size > 1000:
            assert values.mean() == pytest.approx(0, abs=0.004)
            assert values.std() == pytest.approx(0.02, rel=0.1)


def test_losses_are_those_of_the_paper_for_each_slice() -> None:
    real = draw_noise(3, 4, 4, 1)
    generated = draw_noise(3, 4, 4, 1, seed=1)
    on_real = tf.constant(real)
    on_generated = tf.constant(generated)
    bce = losses.CRITERIA["bce"]
    squares = losses.CRITERIA["least-squares"]

    def mean(values: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
        return np.asarray(values.astype(float).mean((1, 2, 3)))

    def minus_log_sigmoid(x: NDArray[np.float32]) -> NDArray[np.floating[Any]]:
        return mean(np.log1p(np.exp(-x.astype(float))))

    halved = (minus_log_sigmoid(real) + minus_log_sigmoid(-generated)) / 2
    for made, expected in (
        (losses.l1(real, generated), mean(np.abs(real - generated))),
        (losses.generator_adversarial_loss(bce, on_generated), minus_log_sigmoid(generated)),
        (losses.discriminator_loss(bce, on_real, on_generated, True), halved),
        (losses.discriminator_loss(bce, on_real, on_generated, False), 2 * halved),
        (losses.generator_adversarial_loss(squares, on_generated), mean((generated - 1) ** 2)),
        (
            losses.discriminator_loss(squares, on_real, on_generated, True),
            (mean((real - 1) ** 2) + mean(generated**2)) / 2,
        ),
    ):
        np.testing.assert_allclose(np.asarray(made), expected, rtol=1e-5)


@pytest.mark.parametrize("roughness", [1.0, 1.3])
def test_texture_is_the_distance_between_distributions_of_values_and_changes(
    roughness: float,
) -> None:
    real = draw_noise(2, 12, 9, 1, seed=0)
    generated = draw_noise(2, 12, 9, 1, seed=1) * 0.5

    def features(image: NDArray[np.float32], times: float) -> list[NDArray[np.float32]]:
        return [
            image,
            *(times * (image - np.roll(image, lag, axis)) for lag in (1, 2) for axis in (0, 1)),
        ]

    expected = []
    for a, b in zip(real[..., 0], generated[..., 0], strict=True):
        pairs = zip(features(a, roughness), features(b, 1), strict=True)
        distances = [wasserstein_distance(x.ravel(), y.ravel()) for x, y in pairs]
        expected.append(np.mean(distances))
    np.testing.assert_allclose(
        np.asarray(losses.texture_loss(real, generated, roughness)), expected, rtol=1e-4
    )


def test_texture_does_not_depend_on_the_position_of_pixels() -> None:
    real = draw_noise(1, 8, 8, 1, seed=0)
    moved = np.roll(real, 3, axis=1)
    assert float(losses.texture_loss(real, moved)[0]) < 1e-6 < float(losses.l1(real, moved)[0])
