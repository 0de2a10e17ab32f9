"""The convolutions a network may have, each described once for whoever builds, counts, folds or computes it.

A new way of doubling the size is a `Doubling` and its line in `DOUBLINGS`: recipes may name it from then on. Recipes
are checked without TensorFlow, so it is imported only where a layer is built.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .kernels import REPEAT, sub_pixel_kernel

Array = NDArray[Any]
Tensor = Any


@dataclass(frozen=True)
class Convolution:
    """A convolution by ``kernel`` x ``kernel`` that keeps the size, or halves it with a stride of 2.

    With a kernel of 4 and a stride of 1 it loses a pixel, as in the paper's discriminator.
    """

    kernel: int
    stride: int = 1

    @property
    def halvings(self) -> int:
        """How many times it halves the size; -1 if it doubles it."""
        return self.stride - 1

    @property
    def padding(self) -> int:
        """How many pixels beyond each edge it sees."""
        return (self.kernel - self.stride) // 2

    @property
    def copies(self) -> int:
        """How many channels it computes for each of the block's filters."""
        return 1

    def kernel_shape(self, channels: int, filters: int) -> tuple[int, ...]:
        """Return the shape of its kernel."""
        return self.kernel, self.kernel, channels, filters

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Return a Keras tensor, convolved by a new layer.

        Args:
            x: A Keras tensor (n, rows, columns, channels).
            filters: Channels of what is returned.
            name: Of the layer.
            options: Of the layer, such as ``use_bias``.
        """
        from oasis_gan_keras.backend import keras

        padding = "same"
        if (self.kernel - self.stride) % 2:
            # Keras would pad one side more than the other.
            x = keras.layers.ZeroPadding2D(self.padding, name=f"{name}_pad")(x)
            padding = "valid"
        layer = keras.layers.Conv2D(
            filters,
            self.kernel,
            self.stride,
            padding=padding,
            kernel_initializer=_initializer(),
            name=name,
            **options,
        )
        return layer(x)

    def for_inference(self, kernel: Array) -> tuple[Convolution, Array]:
        """Return the form it is fastest in when nothing is learnt, and its kernel in that form."""
        return self, kernel


@dataclass(frozen=True)
class SubPixelConvolution(Convolution):
    """Doubles the size by giving the four pixels in the middle of 2x2 (Shi et al. 2016, arXiv 1609.05158).

    Every `Doubling` has this form: forward up to twice as fast, backward slower.
    """

    kernel: int = 2

    @property
    def halvings(self) -> int:
        """It doubles the size."""
        return -1

    @property
    def copies(self) -> int:
        """Four pixels at once."""
        return 4

    def kernel_shape(self, channels: int, filters: int) -> tuple[int, ...]:
        """Return the shape of its kernel."""
        return self.kernel, self.kernel, channels, self.copies * filters

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Refuse to be trained."""
        raise NotImplementedError(f"{name}: a sub-pixel convolution is for translating only")


@dataclass(frozen=True)
class Doubling(Convolution, ABC):
    """A convolution to twice the size that can be written as a transposed one by 4x4 with a stride of 2."""

    @property
    def halvings(self) -> int:
        """It doubles the size."""
        return -1

    @abstractmethod
    def as_transposed(self, kernel: Array) -> Array:
        """Return the kernel (4, 4, filters, channels) of the transposed convolution that gives the same."""

    def for_inference(self, kernel: Array) -> tuple[Convolution, Array]:
        """Return the sub-pixel convolution that gives the same."""
        return SubPixelConvolution(), sub_pixel_kernel(self.as_transposed(kernel))


@dataclass(frozen=True)
class TransposedConvolution(Doubling):
    """A transposed convolution by 4x4 with a stride of 2, as in the paper."""

    kernel: int = 4
    stride: int = 2

    def kernel_shape(self, channels: int, filters: int) -> tuple[int, ...]:
        """Return the shape of its kernel, whose last two axes are the other way round."""
        return self.kernel, self.kernel, filters, channels

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Return a Keras tensor of twice the size."""
        from oasis_gan_keras.backend import keras

        layer = keras.layers.Conv2DTranspose(
            filters,
            self.kernel,
            self.stride,
            padding="same",
            kernel_initializer=_initializer(),
            name=name,
            **options,
        )
        return layer(x)

    def as_transposed(self, kernel: Array) -> Array:
        """Return the kernel itself."""
        return kernel


@dataclass(frozen=True)
class ResizedConvolution(Doubling):
    """Repeats every pixel, then convolves by 3x3: no checkerboard, see `layers.ResizeConvolution`."""

    kernel: int = 3

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        """Return a Keras tensor of twice the size."""
        from . import layers

        layer = layers.ResizeConvolution(
            filters, kernel_initializer=_initializer(), name=name, **options
        )
        return layer(x)

    def as_transposed(self, kernel: Array) -> Array:
        """Return the 4x4 kernel that repeats and convolves at once."""
        repeat = np.array(REPEAT, kernel.dtype)
        return np.asarray(np.einsum("ai,bj,ijcf->abfc", repeat, repeat, kernel))


DOUBLINGS: dict[str, Convolution] = {
    "resize": ResizedConvolution(),
    "transposed": TransposedConvolution(),
}
"""The ways of doubling the size by the names that recipes call them by."""


def _initializer() -> Any:  # noqa: ANN401
    """Return the paper's initialisation, new for each layer.

    A Keras initializer takes its seed when it is made, and gives the same numbers at every call.
    """
    from oasis_gan_keras.backend import keras

    return keras.initializers.RandomNormal(0.0, 0.02)
