"""What both forms of the generator do to a tensor (n, rows, columns, channels), the one that learns and the other."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras.backend import tf

Tensor = Any
_PRIME = 1289  # the cube of what is below it fits 32 bits
_LEVELS = 255  # of a channel of the source that noise tells apart


def own_statistics(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """Bring each channel of each slice to mean beta and standard deviation gamma."""
    centred = x - tf.reduce_mean(x, (1, 2), keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), (1, 2), keepdims=True)
    return centred * (tf.math.rsqrt(variance + epsilon) * tf.cast(gamma, x.dtype)) + tf.cast(
        beta, x.dtype
    )


def apply_fixed_dropout(x: Tensor, rate: float) -> Tensor:
    """Set a share to 0 and scale the rest up, by one mask for all slices, always the same."""
    draw = tf.random.stateless_uniform(tf.concat([[1], tf.shape(x)[1:]], 0), (0, 0))
    return x * tf.cast(draw >= rate, x.dtype) / (1 - rate)


def noise(source: Tensor) -> Tensor:
    """Return white noise of mean 0 for each channel of a source in [0, 1], as strong as the channel.

    The same slice has the same noise, whatever its neighbours in the batch and whatever computes it: a pixel's place
    and the sum of the slice are mixed by cubes modulo a prime (after arXiv 1204.1461), in whole numbers.
    """
    rows = tf.range(tf.shape(source)[1])[:, tf.newaxis]
    columns = tf.range(tf.shape(source)[2])
    # Whole numbers: their sum does not depend on the order it is taken in.
    levels = tf.cast(tf.round(tf.cast(source, tf.float32) * _LEVELS), tf.int32)
    levels = tf.reduce_sum(levels * tf.range(1, tf.shape(source)[3] + 1), -1)
    of_slice = tf.reduce_sum(_mix(_mix(rows) + columns + levels), (1, 2), keepdims=True)
    mixed = _mix(_mix(of_slice + rows) + columns)
    draws = []
    for stride in (37, 74, 111):
        # Without the row two rows would be the same sequence, shifted.
        mixed = _mix(mixed + stride * (rows + 1))
        draws.append(mixed)
    # Three uniform draws have a variance of 1/4 together.
    white = 2 * (tf.cast(sum(draws), tf.float32) / _PRIME - 1.5)
    return source * tf.cast(white[..., tf.newaxis], source.dtype)


def _mix(numbers: Tensor) -> Tensor:
    """Shuffle 0 to `_PRIME` - 1: cubes are all different there, for it is 2 more than a multiple of 3."""
    numbers %= _PRIME
    return numbers * numbers * numbers % _PRIME
