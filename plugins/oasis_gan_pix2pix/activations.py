"""The activations a network may have, each described once for whoever builds or computes it.

TensorFlow is imported only where a layer is built or a tensor computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

Tensor = Any


@dataclass(frozen=True)
class Activation(ABC):
    """A function of each number by itself, at the end of a block."""

    @abstractmethod
    def layer(self, block: str) -> Any:  # noqa: ANN401 - Keras is untyped here
        """Return the Keras layer to train with, for the block of this name."""

    @abstractmethod
    def compute(self, x: Tensor) -> Tensor:
        """Return the same when translating."""


@dataclass(frozen=True)
class ReLU(Activation):
    """0 for what is below 0."""

    def layer(self, block: str) -> Any:  # noqa: ANN401
        """Return the layer to train with."""
        from oasis_gan_keras.backend import keras

        return keras.layers.ReLU(name=f"{block}_relu")

    def compute(self, x: Tensor) -> Tensor:
        """Return the same when translating."""
        from oasis_gan_keras.backend import tf

        return tf.nn.relu(x)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """What is below 0 is multiplied by a small slope."""

    slope: float

    def layer(self, block: str) -> Any:  # noqa: ANN401
        """Return the layer to train with."""
        from oasis_gan_keras.backend import keras

        return keras.layers.LeakyReLU(self.slope, name=f"{block}_relu")

    def compute(self, x: Tensor) -> Tensor:
        """Return the same when translating."""
        from oasis_gan_keras.backend import tf

        return tf.nn.leaky_relu(x, self.slope)


@dataclass(frozen=True)
class Tanh(Activation):
    """Into [-1, 1], always in float32: whatever the precision inside, that is what an image is made in."""

    def layer(self, block: str) -> Any:  # noqa: ANN401
        """Return the layer to train with."""
        from oasis_gan_keras.backend import keras

        return keras.layers.Activation("tanh", dtype="float32", name=f"{block}_tanh")

    def compute(self, x: Tensor) -> Tensor:
        """Return the same when translating."""
        from oasis_gan_keras.backend import tf

        return tf.tanh(tf.cast(x, tf.float32))
