"""Define activations as Keras layers for training and as plain functions for translating.

TensorFlow is imported only where a layer is built or a tensor is computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any

Tensor = Any


@dataclass(frozen=True)
class Activation(ABC):
    """An elementwise function that ends a block."""

    @abstractmethod
    def build_layer(self, block: str) -> Any:  # noqa: ANN401 - Keras is untyped here
        """Return the Keras layer to train with, for the block of this name."""

    @abstractmethod
    def compute(self, x: Tensor) -> Tensor:
        """Apply the activation when translating."""


@dataclass(frozen=True)
class ReLU(Activation):
    """Replace negative numbers by 0."""

    def build_layer(self, block: str) -> Any:  # noqa: ANN401
        """Return the Keras layer for training."""
        from oasis_gan_keras.backend import keras

        return keras.layers.ReLU(name=f"{block}_relu")

    def compute(self, x: Tensor) -> Tensor:
        """Apply the activation when translating."""
        from oasis_gan_keras.backend import tf

        return tf.nn.relu(x)


@dataclass(frozen=True)
class LeakyReLU(Activation):
    """Multiply negative numbers by a small slope."""

    slope: float

    def build_layer(self, block: str) -> Any:  # noqa: ANN401
        """Return the Keras layer for training."""
        from oasis_gan_keras.backend import keras

        return keras.layers.LeakyReLU(self.slope, name=f"{block}_relu")

    def compute(self, x: Tensor) -> Tensor:
        """Apply the activation when translating."""
        from oasis_gan_keras.backend import tf

        return tf.nn.leaky_relu(x, self.slope)


@dataclass(frozen=True)
class Tanh(Activation):
    """Map numbers into [-1, 1], always in float32, in which images are made."""

    def build_layer(self, block: str) -> Any:  # noqa: ANN401
        """Return the Keras layer for training."""
        from oasis_gan_keras.backend import keras

        return keras.layers.Activation("tanh", dtype="float32", name=f"{block}_tanh")

    def compute(self, x: Tensor) -> Tensor:
        """Apply the activation when translating."""
        from oasis_gan_keras.backend import tf

        return tf.tanh(tf.cast(x, tf.float32))
