"""The objectives of Pix2Pix: equations 1 to 4 of arXiv 1611.07004, as the paper's section 3.3 trains them.

Every loss takes slices (n, rows, columns, channels) and returns one number for each, (n,): who takes their mean
decides over how many devices.

`compare` and `judge` return the terms by name, as they stand in the table of losses; `find_weights` says what each
weighs. A loss that is no part of Pix2Pix is a file of its own, see `oasis_gan_keras.losses`.
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
    return _each(tf.abs(real - generated))


def cross_entropy(logits: Tensor, truth: float) -> Tensor:
    """Return how far logits are from calling all patches real (1) or generated (0): equation 1."""
    labels = tf.fill(tf.shape(logits), truth)
    return _each(tf.nn.sigmoid_cross_entropy_with_logits(labels=labels, logits=logits))


def least_squares(logits: Tensor, truth: float) -> Tensor:
    """Return the mean squared distance of logits from ``truth`` (arXiv 1611.04076, with its a, b, c of 0, 1, 1)."""
    return _each(tf.square(logits - truth))


CRITERIA: dict[str, Criterion] = {"bce": cross_entropy, "least-squares": least_squares}


def compare(
    settings: LossSettings, inputs: LossInputs, goal: Tensor, *, adversarial: bool
) -> dict[str, Tensor]:
    """Return what generated slices differ by from real ones, by name.

    Args:
        settings: Which losses there are.
        inputs: The slices.
        goal: What generated slices should come near, pixel by pixel.
        adversarial: Whether the discriminator takes part in this update; texture is learnt only then.
    """
    terms = {L1: l1(goal, inputs.generated)}
    if adversarial and settings.texture_weight:
        terms[TEXTURE] = texture(inputs.real, inputs.generated, settings.roughness)
    for name in settings.terms:
        terms[name] = compute_loss(name, inputs)
    return terms


def judge(
    settings: LossSettings, real_logits: Tensor, generated_logits: Tensor
) -> dict[str, Tensor]:
    """Return the losses that the discriminator's logits give, by name: the generator's and its own."""
    criterion = CRITERIA[settings.gan]
    return {
        ADVERSARIAL: adversarial(criterion, generated_logits),
        DISCRIMINATOR: discriminator_loss(
            criterion, real_logits, generated_logits, settings.halved
        ),
    }


def find_names(settings: LossSettings) -> tuple[str, ...]:
    """Return the names of all losses, those that are not in use among them."""
    return (L1, TEXTURE, *settings.terms, ADVERSARIAL, DISCRIMINATOR)


def find_names_in_use(settings: LossSettings) -> tuple[str, ...]:
    """Return the names of the losses that are worth a look: L1 always, the others if the recipe has them."""
    unused = set()
    if not settings.texture_weight:
        unused.add(TEXTURE)
    if not settings.adversarial:
        unused |= {ADVERSARIAL, DISCRIMINATOR}
    return tuple(name for name in find_names(settings) if name not in unused)


def find_weights(settings: LossSettings) -> dict[str, float]:
    """Return what each term of the generator's loss weighs (equation 4)."""
    weights = {TEXTURE: settings.texture_weight, **settings.terms, ADVERSARIAL: settings.gan_weight}
    if settings.pixelwise:
        weights[L1] = settings.l1_weight
    return weights


def adversarial(criterion: Criterion, generated_logits: Tensor) -> Tensor:
    """Return the generator's loss: how far the discriminator is from calling real what was generated."""
    return criterion(generated_logits, 1.0)


def discriminator_loss(
    criterion: Criterion, real_logits: Tensor, generated_logits: Tensor, halved: bool
) -> Tensor:
    """Return the discriminator's loss; halved it learns more slowly, relative to the generator (section 3.3)."""
    return (criterion(real_logits, 1.0) + criterion(generated_logits, 0.0)) * (
        0.5 if halved else 1.0
    )


def texture(real: Tensor, generated: Tensor, roughness: float = 1.0) -> Tensor:
    """Return how differently intensities are distributed, and differences of pixels one and two apart.

    The mean distance between sorted values, which is the Wasserstein distance of their distributions: where a bright
    or rough pixel lies is not asked, only how many of them there are. As the sliced Wasserstein loss of
    arXiv 2006.07229, along directions that are given.

    Args:
        real: Slices.
        generated: Slices.
        roughness: How many times as large as in the real slices the differences are to be.
    """
    wanted = tf.sort(_features(real, roughness), axis=-1)
    generated = tf.sort(_features(generated), axis=-1)
    return tf.reduce_mean(tf.abs(wanted - generated), (1, 2))


def _features(images: Tensor, roughness: float = 1.0) -> Tensor:
    """Return (n, features, pixels) of (n, rows, columns, channels): the values, and how they change along each axis."""
    n = tf.shape(images)[0]
    changes = [
        roughness * (images - tf.roll(images, lag, axis)) for lag in _LAGS for axis in (1, 2)
    ]
    return tf.stack([tf.reshape(feature, (n, -1)) for feature in (images, *changes)], 1)


def _each(errors: Tensor) -> Tensor:
    return tf.reduce_mean(errors, (1, 2, 3))
