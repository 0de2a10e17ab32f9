"""The layers Keras does not have, or has only in a slower form."""

from __future__ import annotations

from typing import Any

from .backend import keras, tf

Tensor = Any

# Doubling by repetition and then a 3-tap kernel (a, b, c) is a transposed convolution by the taps (c, b+c, a+b, a).
_REPEAT = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))


class InstanceNormalization(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped here
    """Each channel of each slice to mean 0 and variance 1, then scaled and shifted (arXiv 1607.08022).

    `keras.layers.GroupNormalization(-1)` gives the same numbers in more steps.
    """

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make scale and shift, one each a channel."""
        self.gamma = self.add_weight(shape=(shape[-1],), initializer="ones", name="gamma")
        self.beta = self.add_weight(shape=(shape[-1],), initializer="zeros", name="beta")

    def call(self, x: Tensor) -> Tensor:
        """Normalise (n, rows, columns, channels)."""
        centred = x - tf.reduce_mean(x, (1, 2), keepdims=True)
        variance = tf.reduce_mean(tf.square(centred), (1, 2), keepdims=True)
        return centred * (tf.math.rsqrt(variance + 1e-5) * self.gamma) + self.beta


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
        kernel = tf.einsum("ai,bj,ijcf->abfc", repeat, repeat, self.kernel)
        n, rows, columns, _ = tf.unstack(tf.shape(x))
        doubled = tf.nn.conv2d_transpose(x, kernel, (n, 2 * rows, 2 * columns, self.filters), 2)
        return doubled + self.bias if self.use_bias else doubled

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Double what is known of rows and columns."""
        n, rows, columns, _ = shape
        return n, rows and 2 * rows, columns and 2 * columns, self.filters
