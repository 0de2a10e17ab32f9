"""The layers Keras does not have, or has only in a slower form."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .backend import keras, tf

Tensor = Any
Array = NDArray[Any]
_PRIME = 1289  # the cube of what is below it fits 32 bits
_LEVELS = 255  # of a channel of the source that noise tells apart

# Doubling by repetition and then a 3-tap kernel (a, b, c) is a transposed convolution by the taps (c, b+c, a+b, a).
_REPEAT = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


class InstanceNormalization(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped here
    """Each channel of each slice to mean 0 and variance 1, then scaled and shifted (arXiv 1607.08022).

    `keras.layers.GroupNormalization(-1)` gives the same numbers in more steps.
    """

    def __init__(self, epsilon: float = 1e-5, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.epsilon = epsilon

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make scale and shift, one each a channel."""
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(shape[-1],), initializer="zeros", name="beta")

    def call(self, x: Tensor) -> Tensor:
        """Normalise (n, rows, columns, channels)."""
        return _own_statistics(x, self.gamma, self.beta, self.epsilon)


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Batch norm that can go by each slice's own statistics when it translates, as the paper's section 3.4 does.

    With more than one slice at a time those of the batch would make a slice depend on its neighbours.
    """

    def __init__(self, own_statistics: bool = False, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.own_statistics = own_statistics

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Normalise (n, rows, columns, channels)."""
        if self.own_statistics and not training:
            return _own_statistics(x, self.gamma, self.beta, self.epsilon)
        return super().call(x, training=training)


def _own_statistics(x: Tensor, gamma: Tensor, beta: Tensor, epsilon: float) -> Tensor:
    """Bring each channel of each slice to mean beta and standard deviation gamma."""
    centred = x - tf.reduce_mean(x, (1, 2), keepdims=True)
    variance = tf.reduce_mean(tf.square(centred), (1, 2), keepdims=True)
    return centred * (tf.math.rsqrt(variance + epsilon) * tf.cast(gamma, x.dtype)) + tf.cast(beta, x.dtype)


class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Dropout that can stay on when it translates, as in the paper: then one mask for all slices, always the same."""

    def __init__(self, rate: float, always: bool = False, **options: Any) -> None:  # noqa: ANN401
        super().__init__(rate, **options)
        self.always = always

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Set a share of (n, rows, columns, channels) to 0, and scale the rest up."""
        if self.always and not training:
            draw = tf.random.stateless_uniform(tf.concat([[1], tf.shape(x)[1:]], 0), (0, 0))
            return x * tf.cast(draw >= self.rate, x.dtype) / (1 - self.rate)
        return super().call(x, training=training)


class Noise(keras.layers.Layer):  # type: ignore[misc]
    """White noise for each channel of the source, as strong as the channel, and decided by the slice alone.

    The same slice has the same noise, whatever its neighbours in the batch and whatever computes it: a pixel's place
    and the sum of the slice are mixed by cubes modulo a prime (after arXiv 1204.1461), in whole numbers.
    """

    def call(self, source: Tensor) -> Tensor:
        """Return (n, rows, columns, channels) of mean 0 for (n, rows, columns, channels) in [0, 1]."""
        rows = tf.range(tf.shape(source)[1])[:, tf.newaxis]
        columns = tf.range(tf.shape(source)[2])
        # Whole numbers: their sum does not depend on the order it is taken in.
        levels = tf.cast(tf.round(tf.cast(source, tf.float32) * _LEVELS), tf.int32)
        levels = tf.reduce_sum(levels * tf.range(1, tf.shape(source)[3] + 1), -1)
        of_slice = tf.reduce_sum(_mixed(_mixed(rows) + columns + levels), (1, 2), keepdims=True)
        mixed = _mixed(_mixed(of_slice + rows) + columns)
        draws = []
        for stride in (37, 74, 111):
            # Without the row two rows would be the same sequence, shifted.
            mixed = _mixed(mixed + stride * (rows + 1))
            draws.append(mixed)
        # Three uniform draws have a variance of 1/4 together.
        white = 2 * (tf.cast(sum(draws), tf.float32) / _PRIME - 1.5)
        return source * tf.cast(white[..., tf.newaxis], source.dtype)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As many channels as the source has."""
        return shape


def _mixed(numbers: Tensor) -> Tensor:
    """Shuffle 0 to `_PRIME` - 1: cubes are all different there, for it is 2 more than a multiple of 3."""
    numbers %= _PRIME
    return numbers * numbers * numbers % _PRIME


class SubPixelConvolution(keras.layers.Layer):  # type: ignore[misc]
    """A transposed convolution by 4x4 with stride 2, computed as a convolution by 2x2 to four times the channels.

    Each output pixel depends on 2x2 input pixels. Every such window gives the four output pixels around its middle
    (Shi et al. 2016, arXiv 1609.05158): forward up to twice as fast as the form it stands for,
    backward slower, so it translates and does not learn.
    """

    def __init__(self, filters: int, use_bias: bool, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.filters, self.use_bias = filters, use_bias

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the kernel of `sub_pixel_kernel`, and the bias if there is one."""
        self.kernel = self.add_weight(shape=(2, 2, shape[-1], 4 * self.filters), name="kernel")
        if self.use_bias:
            self.bias = self.add_weight(shape=(4 * self.filters,), name="bias")

    def call(self, x: Tensor) -> Tensor:
        """Return (n, 2 rows, 2 columns, filters) for (n, rows, columns, channels)."""
        windows = tf.nn.conv2d(x, tf.cast(self.kernel, x.dtype), 1, [[0, 0], [1, 1], [1, 1], [0, 0]])
        if self.use_bias:
            windows = tf.nn.bias_add(windows, tf.cast(self.bias, x.dtype))
        return tf.nn.depth_to_space(windows, 2)[:, 1:-1, 1:-1]

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Double what is known of rows and columns."""
        n, rows, columns, _ = shape
        return n, rows and 2 * rows, columns and 2 * columns, self.filters


def transposed_kernel(kernel: Array) -> Array:
    """Return the 4x4 kernel (4, 4, filters, channels) of a `ResizeConvolution`'s (3, 3, channels, filters)."""
    repeat = np.array(_REPEAT, kernel.dtype)
    return np.asarray(np.einsum("ai,bj,ijcf->abfc", repeat, repeat, kernel))


def sub_pixel_kernel(kernel: Array) -> Array:
    """Return the kernel (2, 2, channels, 4 filters) of a `SubPixelConvolution`.

    Args:
        kernel: Of the transposed convolution it stands for, (4, 4, filters, channels).
    """
    filters, channels = kernel.shape[2:]
    # A window's input pixel k reaches its output pixel a by the tap a + 2 (1 - k).
    taps = kernel.reshape(2, 2, 2, 2, filters, channels)[::-1, :, ::-1]
    return np.ascontiguousarray(taps.transpose(0, 2, 5, 1, 3, 4)).reshape(2, 2, channels, 4 * filters)


class ResizeConvolution(keras.layers.Layer):  # type: ignore[misc]
    """Double rows and columns by repetition, then convolve with 3x3: no checkerboard.

    Odena et al. 2016, "Deconvolution and Checkerboard Artifacts", https://distill.pub/2016/deconv-checkerboard

    Computed as the 4x4 transposed convolution that it is, which multiplies 4 times a pixel instead of 9.
    """

    def __init__(self, filters: int, use_bias: bool, kernel_initializer: object, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.filters, self.use_bias, self.kernel_initializer = filters, use_bias, kernel_initializer

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the 3x3 kernel, and the bias if there is one."""
        self.kernel = self.add_weight(
            shape=(3, 3, shape[-1], self.filters), initializer=self.kernel_initializer, name="kernel"
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Tensor) -> Tensor:
        """Return (n, 2 rows, 2 columns, filters) for (n, rows, columns, channels)."""
        repeat = tf.constant(_REPEAT, x.dtype)
        kernel = tf.einsum("ai,bj,ijcf->abfc", repeat, repeat, tf.cast(self.kernel, x.dtype))
        n, rows, columns, _ = tf.unstack(tf.shape(x))
        doubled = tf.nn.conv2d_transpose(x, kernel, (n, 2 * rows, 2 * columns, self.filters), 2)
        return doubled + tf.cast(self.bias, x.dtype) if self.use_bias else doubled

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Double what is known of rows and columns."""
        n, rows, columns, _ = shape
        return n, rows and 2 * rows, columns and 2 * columns, self.filters
