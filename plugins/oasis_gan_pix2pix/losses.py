"""Compute the losses of Pix2Pix: equations 1 to 4 of arXiv 1611.07004, used as in section 3.3.

Every loss takes slices (n, rows, columns, channels) and returns one number for each, (n,). The
trainer takes their mean, over all devices.

`compute_image_losses` and `compute_adversarial_losses` return the losses by their names in the
table of losses, and `find_weights` returns their weights. Losses that are not part of Pix2Pix are
files of their own: see `oasis_gan_keras.losses`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from oasis_gan_keras import LossInputs, compute_loss
from oasis_gan_keras.backend import tf

from .recipe import OWN_TERMS, LossSettings

Tensor = Any
Criterion = Callable[[Tensor, float], Tensor]
L1, TEXTURE, ADVERSARIAL, DISCRIMINATOR = OWN_TERMS
_LAGS = (1, 2)  # pixels


def l1(real: Tensor, generated: Tensor) -> Tensor:
    """Return the mean absolute difference (equation 3)."""
    return _mean_per_slice(tf.abs(real - generated))


def cross_entropy(logits: Tensor, truth: float) -> Tensor:
    """Return the cross-entropy of logits with the truth for all patches (equation 1).

    The truth is 1 for real and 0 for generated.
    """
    labels = tf.fill(tf.shape(logits), truth)
    errors = tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits)
    return _mean_per_slice(errors)


def least_squares(logits: Tensor, truth: float) -> Tensor:
    """Return the mean squared distance of logits from ``truth``.

    These are the least squares of arXiv 1611.04076, with a = 0, b = 1 and c = 1.
    """
    return _mean_per_slice(tf.square(logits - truth))


CRITERIA: dict[str, Criterion] = {
    "bce": cross_entropy,
    "least-squares": least_squares,
}


def compute_image_losses(
    settings: LossSettings,
    inputs: LossInputs,
    l1_target: Tensor,
    *,
    adversarial: bool,
) -> dict[str, Tensor]:
    """Return the losses that compare generated slices with real ones, by name.

    Args:
        settings: The losses of the recipe.
        inputs: The slices to compare.
        l1_target: The slices that generated ones should match pixel by pixel.
        adversarial: Whether the discriminator takes part in this update; only then is texture
            trained.
    """
    terms = {L1: l1(l1_target, inputs.generated)}
    if adversarial and settings.texture_weight:
        terms[TEXTURE] = texture_loss(
            inputs.real,
            inputs.generated,
            settings.texture_gain,
        )
    for name in settings.terms:
        terms[name] = compute_loss(name, inputs)
    return terms


def compute_adversarial_losses(
    settings: LossSettings,
    real_logits: Tensor,
    generated_logits: Tensor,
) -> dict[str, Tensor]:
    """Return the adversarial losses of the generator and the discriminator, by name."""
    criterion = CRITERIA[settings.gan]
    return {
        ADVERSARIAL: generator_adversarial_loss(criterion, generated_logits),
        DISCRIMINATOR: discriminator_loss(
            criterion,
            real_logits,
            generated_logits,
            settings.halve_discriminator_loss,
        ),
    }


def find_names(settings: LossSettings) -> tuple[str, ...]:
    """Return the names of all losses, including those that the recipe does not use."""
    return (L1, TEXTURE, *settings.terms, ADVERSARIAL, DISCRIMINATOR)


def find_names_in_use(settings: LossSettings) -> tuple[str, ...]:
    """Return the names of the losses to report: L1, and the others that the recipe uses."""
    unused = set()
    if not settings.texture_weight:
        unused.add(TEXTURE)
    if not settings.adversarial:
        unused |= {ADVERSARIAL, DISCRIMINATOR}
    return tuple(name for name in find_names(settings) if name not in unused)


def find_weights(settings: LossSettings) -> dict[str, float]:
    """Return the weight of each term of the generator's loss (equation 4)."""
    weights = {
        TEXTURE: settings.texture_weight,
        **settings.terms,
        ADVERSARIAL: settings.gan_weight,
    }
    if settings.pixelwise:
        weights[L1] = settings.l1_weight
    return weights


def generator_adversarial_loss(criterion: Criterion, generated_logits: Tensor) -> Tensor:
    """Return how far the discriminator is from taking generated slices for real."""
    return criterion(generated_logits, 1.0)


def discriminator_loss(
    criterion: Criterion,
    real_logits: Tensor,
    generated_logits: Tensor,
    halve: bool,
) -> Tensor:
    """Return the discriminator's loss.

    Halving it slows the discriminator relative to the generator (section 3.3).
    """
    on_real = criterion(real_logits, 1.0)
    on_generated = criterion(generated_logits, 0.0)
    factor = 0.5 if halve else 1.0
    return (on_real + on_generated) * factor


def texture_loss(real: Tensor, generated: Tensor, gain: float = 1.0) -> Tensor:
    """Return how much slices differ in the distribution of intensities and local differences.

    Differences are taken between pixels one and two apart. The loss is the mean distance between
    sorted values, which is the Wasserstein distance of their distributions. It depends on how many
    pixels are bright or differ from their neighbours, and not on where they lie. This is the sliced
    Wasserstein loss of arXiv 2006.07229 along fixed directions.

    Args:
        real: The real slices.
        generated: The generated slices.
        gain: The factor by which differences should be larger than in the real slices.
    """
    real_values = tf.sort(_list_features(real, gain), axis=-1)
    generated_values = tf.sort(_list_features(generated), axis=-1)
    distances = tf.abs(real_values - generated_values)
    return tf.reduce_mean(distances, (1, 2))


def _list_features(images: Tensor, gain: float = 1.0) -> Tensor:
    """Return the intensities and the differences along each axis, (n, features, pixels)."""
    features = [images]
    for lag in _LAGS:
        for axis in (1, 2):
            difference = images - tf.roll(images, lag, axis)
            features.append(gain * difference)
    n = tf.shape(images)[0]
    lists = [tf.reshape(feature, (n, -1)) for feature in features]
    return tf.stack(lists, 1)


def _mean_per_slice(errors: Tensor) -> Tensor:
    return tf.reduce_mean(errors, (1, 2, 3))
