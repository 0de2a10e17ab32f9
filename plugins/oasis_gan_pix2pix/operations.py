"""Operations that training and translating share, on tensors (n, rows, columns, channels)."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras.backend import tf

Tensor = Any
_PRIME = 1289  # the cube of every smaller number fits into 32 bits
_LEVELS = 255  # how many levels of a source channel the noise distinguishes
_DRAW = 641  # how far apart the sums of the same slice are in neighbouring draws
_STRIDES = (37, 74, 111)  # one for each uniform number
_ROWS_AND_COLUMNS = (1, 2)  # axes


def normalise_slices(
    x: Tensor,
    gamma: Tensor,
    beta: Tensor,
    epsilon: float,
) -> Tensor:
    """Return slices in which each channel has the mean beta and the standard deviation gamma."""
    scale = tf.cast(gamma, x.dtype)
    shift = tf.cast(beta, x.dtype)
    mean = tf.reduce_mean(x, _ROWS_AND_COLUMNS, keepdims=True)
    centred = x - mean
    squared = tf.square(centred)
    variance = tf.reduce_mean(squared, _ROWS_AND_COLUMNS, keepdims=True)
    factor = tf.math.rsqrt(variance + epsilon) * scale
    return centred * factor + shift


def apply_fixed_dropout(x: Tensor, rate: float, draw: Tensor | int = 0) -> Tensor:
    """Set a fraction of the numbers to 0 by a constant mask, and scale the others up.

    Each whole number ``draw`` has a mask of its own.
    """
    shape_of_slice = tf.shape(x)[1:]
    shape = tf.concat([[1], shape_of_slice], 0)
    seed = tf.stack([0, draw])
    uniform = tf.random.stateless_uniform(shape, seed)
    is_kept = tf.cast(uniform >= rate, x.dtype)
    return x * is_kept / (1 - rate)


def make_noise(source: Tensor, draw: Tensor | int = 0) -> Tensor:
    """Return white noise in proportion to each channel of a source in [0, 1].

    Each whole number ``draw`` gives noise of its own. With the same one, a slice always gets the
    same noise, whatever the rest of the batch and whatever computes it. The position of a pixel
    and the sum of its slice are mixed by cubes modulo a prime (after arXiv 1204.1461), in whole
    numbers.
    """
    shape = tf.shape(source)
    rows = tf.range(shape[1])[:, tf.newaxis]
    columns = tf.range(shape[2])
    slice_sum = _sum_slices(source, rows, columns)
    mixed_rows = _mix(slice_sum + _DRAW * draw + rows)
    mixed = _mix(mixed_rows + columns)
    draws = []
    for stride in _STRIDES:
        # Without the row, two rows could have the same sequence, shifted.
        mixed = _mix(mixed + stride * (rows + 1))
        draws.append(mixed)
    # The sum of three uniform numbers has a variance of 1/4.
    uniform = tf.cast(sum(draws), tf.float32) / _PRIME
    white = 2 * (uniform - 1.5)
    # All channels of a pixel have the same noise.
    white = white[..., tf.newaxis]
    return source * tf.cast(white, source.dtype)


def _sum_slices(source: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return a whole number for each slice, (n, 1, 1), which depends on all its pixels."""
    # The sum of whole numbers does not depend on the order of summation.
    rounded = tf.round(tf.cast(source, tf.float32) * _LEVELS)
    levels = tf.cast(rounded, tf.int32)
    channels = tf.shape(source)[3]
    weighted = levels * tf.range(1, channels + 1)
    pixels = _mix(_mix(rows) + columns + tf.reduce_sum(weighted, -1))
    return tf.reduce_sum(pixels, _ROWS_AND_COLUMNS, keepdims=True)


def _mix(numbers: Tensor) -> Tensor:
    """Permute the numbers from 0 to `_PRIME` - 1 by their cubes.

    The cubes are all different, because the prime is 2 more than a multiple of 3.
    """
    numbers %= _PRIME
    return numbers * numbers * numbers % _PRIME
