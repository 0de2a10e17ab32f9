"""The objectives of Pix2Pix: equations 1 to 4 of arXiv 1611.07004, as the paper's section 3.3 trains them.

Every loss takes slices (n, rows, columns, channels) and returns one number for each, (n,): who takes their mean
decides over how many devices.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from .backend import tf

Tensor = Any
Criterion = Callable[[Tensor, float], Tensor]
_WINDOW = 7  # pixels
_STABILISERS = (0.02**2, 0.06**2)  # (K1 L)^2 and (K2 L)^2 for images in [-1, 1]


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


def adversarial(criterion: Criterion, generated_logits: Tensor) -> Tensor:
    """Return the generator's loss: how far the discriminator is from calling real what was generated."""
    return criterion(generated_logits, 1.0)


def discrimination(criterion: Criterion, real_logits: Tensor, generated_logits: Tensor, halved: bool) -> Tensor:
    """Return the discriminator's loss; halved it learns more slowly, relative to the generator (section 3.3)."""
    return (criterion(real_logits, 1.0) + criterion(generated_logits, 0.0)) * (0.5 if halved else 1.0)


def dissimilarity(real: Tensor, generated: Tensor) -> Tensor:
    """Return 1 - SSIM of images in [-1, 1], the mean over windows of 7x7.

    Wang et al. 2004, https://doi.org/10.1109/TIP.2003.819861, with uniform windows.
    """
    maps = (real, generated, real**2, generated**2, real * generated)
    mean_real, mean_generated, *squares = tf.split(_local_means(tf.concat(maps, -1)), 5, -1)
    variances = squares[0] - mean_real**2 + squares[1] - mean_generated**2
    covariance = squares[2] - mean_real * mean_generated
    first, second = _STABILISERS
    products = (2 * mean_real * mean_generated + first) * (2 * covariance + second)
    return 1 - _each(products / ((mean_real**2 + mean_generated**2 + first) * (variances + second)))


def _local_means(images: Tensor) -> Tensor:
    """Return the means of all windows that lie inside (n, rows, columns, channels).

    As products with banded matrices: the gradient of pooling is several times slower on a processor.
    """
    rows, columns = tf.unstack(tf.shape(images)[1:3])
    along_rows = tf.einsum("nrcm,ri->nicm", images, _band(rows))
    return tf.einsum("nicm,cj->nijm", along_rows, _band(columns))


def _band(length: Tensor) -> Tensor:
    """Return the matrix (length, windows) that takes the mean over windows of an axis."""
    band = tf.linalg.band_part(tf.fill((length, length), 1 / _WINDOW), _WINDOW - 1, 0)
    return band[:, : length - _WINDOW + 1]


def _each(errors: Tensor) -> Tensor:
    return tf.reduce_mean(errors, (1, 2, 3))
