"""Keras layers that Keras lacks, or has only in a slower form."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras.backend import keras, tf

from .kernels import REPEAT
from .operations import apply_fixed_dropout, make_noise, normalise_slices

Tensor = Any
Shape = tuple[int | None, ...]
"""The shape of a tensor; a size that is not known yet is None."""


class InstanceNormalization(keras.layers.Layer):  # type: ignore[misc]  # Keras is untyped here
    """Normalise each channel of each slice to mean 0 and variance 1, then scale and shift.

    See arXiv 1607.08022. `keras.layers.GroupNormalization(-1)` gives the same numbers in more
    steps.
    """

    def __init__(self, epsilon: float = 1e-5, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.epsilon = epsilon

    def build(self, shape: Shape) -> None:
        """Create a scale and a shift for each channel."""
        channels = shape[-1]
        self.gamma = self.add_weight(
            shape=(channels,),
            initializer="ones",
            name="gamma",
        )
        self.beta = self.add_weight(
            shape=(channels,),
            initializer="zeros",
            name="beta",
        )

    def call(self, x: Tensor) -> Tensor:
        """Normalise (n, rows, columns, channels)."""
        return normalise_slices(x, self.gamma, self.beta, self.epsilon)


class BatchNormalization(keras.layers.BatchNormalization):  # type: ignore[misc]
    """Batch norm that can use each slice's own statistics when translating (section 3.4).

    The statistics of a batch of several slices would make each slice depend on the others.
    """

    def __init__(self, own_statistics: bool = False, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.own_statistics = own_statistics

    def call(self, x: Tensor, training: bool | None = None) -> Tensor:
        """Normalise (n, rows, columns, channels)."""
        if self.own_statistics and not training:
            return normalise_slices(x, self.gamma, self.beta, self.epsilon)
        if training:
            return self._normalise_batch(x)
        return super().call(x, training=False)

    def _normalise_batch(self, x: Tensor) -> Tensor:
        """Normalise by the statistics of the batch, and update the moving ones.

        It takes one operation, where Keras needs ten.
        """
        normalised = tf.raw_ops.FusedBatchNormV3(
            x=x,
            scale=self.gamma,
            offset=self.beta,
            mean=[],
            variance=[],
            epsilon=self.epsilon,
            is_training=True,
        )
        sizes = tf.shape(x)[:3]
        pixels = tf.cast(tf.reduce_prod(sizes), tf.float32)
        # Keras divides the sum of squares by the number of pixels, the operation by one less.
        divisor = tf.maximum(pixels - 1, 1)
        variance = normalised.batch_variance * divisor / pixels
        self._update_average(self.moving_mean, normalised.batch_mean)
        self._update_average(self.moving_variance, variance)
        return normalised.y

    def _update_average(self, average: Any, value: Tensor) -> None:  # noqa: ANN401
        kept = average * self.momentum
        added = value * (1 - self.momentum)
        average.assign(kept + added)


class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Dropout that can stay on when translating, with one constant mask for all slices."""

    def __init__(
        self,
        rate: float,
        always: bool = False,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(rate, **options)
        self.always = always

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Set a fraction of (n, rows, columns, channels) to 0, and scale the rest up."""
        if self.always and not training:
            return apply_fixed_dropout(x, self.rate)
        return super().call(x, training=training)


class Noise(keras.layers.Layer):  # type: ignore[misc]
    """White noise in proportion to each channel of the source: see `operations.make_noise`."""

    def call(self, source: Tensor) -> Tensor:
        """Return noise of mean 0 for a source (n, rows, columns, channels) in [0, 1]."""
        return make_noise(source)

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the shape of the source."""
        return shape


class ResizeConvolution(keras.layers.Layer):  # type: ignore[misc]
    """Double rows and columns by repetition, then convolve by 3x3.

    It avoids checkerboard artifacts: see Odena et al. 2016, "Deconvolution and Checkerboard
    Artifacts", https://distill.pub/2016/deconv-checkerboard

    It is computed as the equivalent 4x4 transposed convolution, with 4 multiplications per pixel
    instead of 9.
    """

    def __init__(
        self,
        filters: int,
        use_bias: bool,
        kernel_initializer: object,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**options)
        self.filters = filters
        self.use_bias = use_bias
        self.kernel_initializer = kernel_initializer

    def build(self, shape: Shape) -> None:
        """Create the 3x3 kernel, and the bias if there is one."""
        channels = shape[-1]
        self.kernel = self.add_weight(
            shape=(3, 3, channels, self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(
                shape=(self.filters,),
                initializer="zeros",
                name="bias",
            )

    def call(self, x: Tensor) -> Tensor:
        """Return (n, 2 rows, 2 columns, filters) for (n, rows, columns, channels)."""
        repeat = tf.constant(REPEAT, x.dtype)
        kernel = tf.cast(self.kernel, x.dtype)
        transposed_kernel = tf.einsum("ai,bj,ijcf->abfc", repeat, repeat, kernel)
        n, rows, columns, _ = tf.unstack(tf.shape(x))
        shape = (n, 2 * rows, 2 * columns, self.filters)
        doubled = tf.nn.conv2d_transpose(x, transposed_kernel, shape, 2)
        if not self.use_bias:
            return doubled
        bias = tf.cast(self.bias, x.dtype)
        return doubled + bias

    def compute_output_shape(self, shape: Shape) -> Shape:
        """Return the shape with twice the rows and columns, where they are known."""
        n, rows, columns, _ = shape
        doubled_rows = rows and 2 * rows
        doubled_columns = columns and 2 * columns
        return n, doubled_rows, doubled_columns, self.filters
