"""Operations that training and translating share, on tensors (n, rows, columns, channels)."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras.backend import tf

Tensor = Any
_PRIME = 1289  # the cube of every smaller number fits into 32 bits
_LEVELS = 255  # how many levels of a source channel the noise distinguishes
_DRAW = 641  # how far apart the sums of the same slice are in neighbouring draws
_STRIDES = (37, 74, 111)  # one for each uniform number


def normalise_slices(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """Return slices in which each channel has the mean beta and the standard deviation gamma."""
    centred = x - tf.reduce_mean(x, (1, 2), keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), (1, 2), keepdims=True)
    factor = tf.math.rsqrt(variance + epsilon) * tf.cast(gamma, x.dtype)
    return centred * factor + tf.cast(beta, x.dtype)


def apply_fixed_dropout(x: Tensor, rate: float, draw: Tensor | int = 0) -> Tensor:
    """Set a fraction of the numbers to 0 by a constant mask, and scale the others up.

    Each whole number ``draw`` has a mask of its own.
    """
    shape = tf.concat([[1], tf.shape(x)[1:]], 0)
    uniform = tf.random.stateless_uniform(shape, tf.stack([0, draw]))
    return x * tf.cast(uniform >= rate, x.dtype) / (1 - rate)


def make_noise(source: Tensor, draw: Tensor | int = 0) -> Tensor:
    """Return white noise in proportion to each channel of a source in [0, 1].

    Each whole number ``draw`` gives noise of its own. With the same one, a slice always gets the
    same noise, whatever the rest of the batch and whatever computes it. The position of a pixel
    and the sum of its slice are mixed by cubes modulo a prime (after arXiv 1204.1461), in whole
    numbers.
    """
    rows = tf.range(tf.shape(source)[1])[:, tf.newaxis]
    columns = tf.range(tf.shape(source)[2])
    # The sum of whole numbers does not depend on the order of summation.
    rounded = tf.round(tf.cast(source, tf.float32) * _LEVELS)
    levels = tf.cast(rounded, tf.int32)
    channels = tf.shape(source)[3]
    weighted = levels * tf.range(1, channels + 1)
    pixels = _mix(_mix(rows) + columns + tf.reduce_sum(weighted, -1))
    slice_sum = tf.reduce_sum(pixels, (1, 2), keepdims=True)
    mixed = _mix(_mix(slice_sum + _DRAW * draw + rows) + columns)
    draws = []
    for stride in _STRIDES:
        # Without the row, two rows could have the same sequence, shifted.
        mixed = _mix(mixed + stride * (rows + 1))
        draws.append(mixed)
    # The sum of three uniform numbers has a variance of 1/4.
    uniform = tf.cast(sum(draws), tf.float32) / _PRIME
    white = 2 * (uniform - 1.5)
    return source * tf.cast(white[..., tf.newaxis], source.dtype)


def _mix(numbers: Tensor) -> Tensor:
    """Permute the numbers from 0 to `_PRIME` - 1 by their cubes.

    The cubes are all different, because the prime is 2 more than a multiple of 3.
    """
    numbers %= _PRIME
    return numbers * numbers * numbers % _PRIME
