"""The layers Keras does not have, or has only in a slower form."""

from __future__ import annotations

from typing import Any

from oasis_gan_keras.backend import keras, tf

from .kernels import REPEAT
from .operations import apply_fixed_dropout, noise, own_statistics

Tensor = Any


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
        return own_statistics(x, self.gamma, self.beta, self.epsilon)


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
            return own_statistics(x, self.gamma, self.beta, self.epsilon)
        return self._of_batch(x) if training else super().call(x, training=False)

    def _of_batch(self, x: Tensor) -> Tensor:
        """Go by the statistics of the batch in one operation, where Keras takes ten, and move the moving ones."""
        parts = {
            "x": x,
            "scale": self.gamma,
            "offset": self.beta,
            "mean": [],
            "variance": [],
            "epsilon": self.epsilon,
        }
        made = tf.raw_ops.FusedBatchNormV3(**parts, is_training=True)
        pixels = tf.cast(tf.reduce_prod(tf.shape(x)[:3]), tf.float32)
        # Keras' variance is the mean of squares, the operation's divides by one less.
        variance = made.batch_variance * tf.maximum(pixels - 1, 1) / pixels
        for moving, now in ((self.moving_mean, made.batch_mean), (self.moving_variance, variance)):
            moving.assign(moving * self.momentum + now * (1 - self.momentum))
        return made.y


class Dropout(keras.layers.Dropout):  # type: ignore[misc]
    """Dropout that can stay on when it translates, as in the paper: then one mask for all slices, always the same."""

    def __init__(self, rate: float, always: bool = False, **options: Any) -> None:  # noqa: ANN401
        super().__init__(rate, **options)
        self.always = always

    def call(self, x: Tensor, training: bool = False) -> Tensor:
        """Set a share of (n, rows, columns, channels) to 0, and scale the rest up."""
        if self.always and not training:
            return apply_fixed_dropout(x, self.rate)
        return super().call(x, training=training)


class Noise(keras.layers.Layer):  # type: ignore[misc]
    """White noise for each channel of the source, as strong as the channel: see `operations.noise`."""

    def call(self, source: Tensor) -> Tensor:
        """Return (n, rows, columns, channels) of mean 0 for (n, rows, columns, channels) in [0, 1]."""
        return noise(source)

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """As many channels as the source has."""
        return shape


class ResizeConvolution(keras.layers.Layer):  # type: ignore[misc]
    """Double rows and columns by repetition, then convolve with 3x3: no checkerboard.

    Odena et al. 2016, "Deconvolution and Checkerboard Artifacts", https://distill.pub/2016/deconv-checkerboard

    Computed as the 4x4 transposed convolution that it is, which multiplies 4 times a pixel instead of 9.
    """

    def __init__(
        self,
        filters: int,
        use_bias: bool,
        kernel_initializer: object,
        **options: Any,  # noqa: ANN401
    ) -> None:
        super().__init__(**options)
        self.filters, self.use_bias, self.kernel_initializer = filters, use_bias, kernel_initializer

    def build(self, shape: tuple[int | None, ...]) -> None:
        """Make the 3x3 kernel, and the bias if there is one."""
        self.kernel = self.add_weight(
            shape=(3, 3, shape[-1], self.filters),
            initializer=self.kernel_initializer,
            name="kernel",
        )
        if self.use_bias:
            self.bias = self.add_weight(shape=(self.filters,), initializer="zeros", name="bias")

    def call(self, x: Tensor) -> Tensor:
        """Return (n, 2 rows, 2 columns, filters) for (n, rows, columns, channels)."""
        repeat = tf.constant(REPEAT, x.dtype)
        kernel = tf.einsum("ai,bj,ijcf->abfc", repeat, repeat, tf.cast(self.kernel, x.dtype))
        n, rows, columns, _ = tf.unstack(tf.shape(x))
        doubled = tf.nn.conv2d_transpose(x, kernel, (n, 2 * rows, 2 * columns, self.filters), 2)
        return doubled + tf.cast(self.bias, x.dtype) if self.use_bias else doubled

    def compute_output_shape(self, shape: tuple[int | None, ...]) -> tuple[int | None, ...]:
        """Double what is known of rows and columns."""
        n, rows, columns, _ = shape
        return n, rows and 2 * rows, columns and 2 * columns, self.filters
