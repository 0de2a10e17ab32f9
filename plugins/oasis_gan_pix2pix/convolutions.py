"""Define each convolution once, for building, counting, folding and computing it.

To add a way of doubling the size, write a subclass of `Doubling` and enter it in `DOUBLINGS`;
recipes may then name it. Recipes are checked without TensorFlow, so it is imported only where a
layer is built.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kernels import REPEAT, make_sub_pixel_kernel

Array = NDArray[Any]
Tensor = Any


@dataclass(frozen=True)
class Convolution:
    """A convolution that keeps the size, or halves it with a stride of 2.

    With a kernel of 4 and a stride of 1 the result is one pixel smaller, as in the paper's
    discriminator.
    """

    kernel: int
    stride: int = 1

    @property
    def halvings(self) -> int:
        """How often the size is halved; -1 if it is doubled."""
        return self.stride - 1

    @property
    def padding(self) -> int:
        """How many pixels beyond each edge are read."""
        return (self.kernel - self.stride) // 2

    @property
    def copies(self) -> int:
        """How many channels are computed for each filter of the block."""
        return 1

    def kernel_shape(self, channels: int, filters: int) -> tuple[int, ...]:
        """Return the shape of the kernel."""
        return self.kernel, self.kernel, channels, filters

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Return a Keras tensor that a new layer convolves.

        Args:
            x: A Keras tensor (n, rows, columns, channels).
            filters: The number of output channels.
            name: The name of the layer.
            options: Options of the layer, such as ``use_bias``.
        """
        from oasis_gan_keras.backend import keras

        padding = "same"
        if (self.kernel - self.stride) % 2:
            # Keras would pad one side more than the other.
            pad = keras.layers.ZeroPadding2D(self.padding, name=f"{name}_pad")
            x = pad(x)
            padding = "valid"
        layer = keras.layers.Conv2D(
            filters,
            self.kernel,
            self.stride,
            padding=padding,
            kernel_initializer=_make_initializer(),
            name=name,
            **options,
        )
        return layer(x)

    def for_inference(self, kernel: Array) -> tuple[Convolution, Array]:
        """Return the form that translates fastest, and its kernel in that form."""
        return self, kernel


@dataclass(frozen=True)
class SubPixelConvolution(Convolution):
    """A convolution that turns 2x2 pixels into the four pixels in their middle.

    See Shi et al. 2016, arXiv 1609.05158.

    Every `Doubling` can be written in this form, which is up to twice as fast forward but slower
    backward.
    """

    kernel: int = 2

    @property
    def halvings(self) -> int:
        """-1, because the size is doubled."""
        return -1

    @property
    def copies(self) -> int:
        """4, because four pixels are computed at once."""
        return 4

    def kernel_shape(self, channels: int, filters: int) -> tuple[int, ...]:
        """Return the shape of the kernel."""
        return self.kernel, self.kernel, channels, self.copies * filters

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Raise `NotImplementedError`: this form is for translating only."""
        raise NotImplementedError(f"{name}: a sub-pixel convolution is for translating only")


@dataclass(frozen=True)
class Doubling(Convolution, ABC):
    """A convolution that doubles the size, like some 4x4 transposed convolution."""

    @property
    def halvings(self) -> int:
        """-1, because the size is doubled."""
        return -1

    @abstractmethod
    def as_transposed(self, kernel: Array) -> Array:
        """Return the kernel (4, 4, filters, channels) of the equivalent transposed convolution."""

    def for_inference(self, kernel: Array) -> tuple[Convolution, Array]:
        """Return the equivalent sub-pixel convolution and its kernel."""
        transposed = self.as_transposed(kernel)
        return SubPixelConvolution(), make_sub_pixel_kernel(transposed)


@dataclass(frozen=True)
class TransposedConvolution(Doubling):
    """A 4x4 transposed convolution that has a stride of 2, as in the paper."""

    kernel: int = 4
    stride: int = 2

    def kernel_shape(self, channels: int, filters: int) -> tuple[int, ...]:
        """Return the shape of the kernel, whose last two axes are swapped."""
        return self.kernel, self.kernel, filters, channels

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Return a Keras tensor of twice the size."""
        from oasis_gan_keras.backend import keras

        layer = keras.layers.Conv2DTranspose(
            filters,
            self.kernel,
            self.stride,
            padding="same",
            kernel_initializer=_make_initializer(),
            name=name,
            **options,
        )
        return layer(x)

    def as_transposed(self, kernel: Array) -> Array:
        """Return the kernel itself."""
        return kernel


@dataclass(frozen=True)
class ResizedConvolution(Doubling):
    """Repetition of every pixel, then a 3x3 convolution: see `layers.ResizeConvolution`."""

    kernel: int = 3

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Return a Keras tensor of twice the size."""
        from . import layers

        layer = layers.ResizeConvolution(
            filters, kernel_initializer=_make_initializer(), name=name, **options
        )
        return layer(x)

    def as_transposed(self, kernel: Array) -> Array:
        """Return the 4x4 kernel that repeats and convolves in one step."""
        repeat = np.array(REPEAT, kernel.dtype)
        transposed = np.einsum("ai,bj,ijcf->abfc", repeat, repeat, kernel)
        return np.asarray(transposed)


DOUBLINGS: dict[str, Convolution] = {
    "resize": ResizedConvolution(),
    "transposed": TransposedConvolution(),
}
"""The ways of doubling the size, by their names in recipes."""


def _make_initializer() -> Any:  # noqa: ANN401
    """Return the paper's initializer, a new one for each layer.

    A Keras initializer chooses its seed when it is created, and returns the same numbers at every
    call.
    """
    from oasis_gan_keras.backend import keras

    return keras.initializers.RandomNormal(0.0, 0.02)
