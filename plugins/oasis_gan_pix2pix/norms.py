"""Define each norm once, for building, counting, folding and computing it.

To add a norm, write its class and enter it in `NORMS`; recipes may then name it. Recipes are
checked without TensorFlow, so it is imported only where a layer is built or a tensor is computed.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
Tensor = Any


@dataclass(frozen=True, kw_only=True)
class Norm(ABC):
    """A norm that scales each channel between the convolution and the activation of a block.

    Args:
        epsilon: The number that is added to the variance.
        momentum: The momentum of the moving statistics, if the norm keeps any.
        own_statistics: Whether each slice is normalised by its own statistics when translating too.
    """

    epsilon: float = 1e-5
    momentum: float = 0.9
    own_statistics: bool = False

    weights: ClassVar[tuple[str, ...]]
    """The names of the weights, each of which has one number per channel."""

    @abstractmethod
    def build_layer(self, name: str) -> Any:  # noqa: ANN401 - Keras is untyped here
        """Return the Keras layer to train with, whose variables have the names in `weights`."""

    def compute_factor_and_shift(self, weights: Mapping[str, Array]) -> tuple[Array, Array] | None:
        """Return the factor and the shift that the norm applies to each channel.

        A norm that returns them is folded into the convolution before it. A norm whose factor
        depends on the slice returns None.

        Args:
            weights: The weights, by the names in `weights`.

        Raises:
            ValueError: If the weights are impossible; the message begins with the name of the wrong
                one.
        """
        return None

    def compute(self, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """Normalise (n, rows, columns, channels) when translating.

        It is needed only if `compute_factor_and_shift` returns None.
        """
        raise NotImplementedError(
            f"{type(self).__name__} has neither a factor and a shift nor a computation"
        )


@dataclass(frozen=True, kw_only=True)
class InstanceNorm(Norm):
    """Normalise each channel of each slice to mean 0 and variance 1, then scale and shift.

    See arXiv 1607.08022.
    """

    weights: ClassVar[tuple[str, ...]] = ("gamma", "beta")

    def build_layer(self, name: str) -> Any:  # noqa: ANN401
        """Return the Keras layer for training."""
        from .layers import InstanceNormalization

        return InstanceNormalization(self.epsilon, name=name)

    def compute(self, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """Normalise each slice by itself."""
        from .operations import normalise_slices

        return normalise_slices(
            x,
            gamma=weights["gamma"],
            beta=weights["beta"],
            epsilon=self.epsilon,
        )


@dataclass(frozen=True, kw_only=True)
class BatchNorm(InstanceNorm):
    """Normalise by the statistics of the batch in training, and by moving averages afterwards.

    With `own_statistics` each slice is translated by its own statistics instead, as by instance
    norm. See arXiv 1502.03167.
    """

    weights: ClassVar[tuple[str, ...]] = (
        "gamma",
        "beta",
        "moving_mean",
        "moving_variance",
    )

    def build_layer(self, name: str) -> Any:  # noqa: ANN401
        """Return the Keras layer for training."""
        from .layers import BatchNormalization

        return BatchNormalization(
            self.own_statistics,
            momentum=self.momentum,
            epsilon=self.epsilon,
            name=name,
        )

    def compute_factor_and_shift(self, weights: Mapping[str, Array]) -> tuple[Array, Array] | None:
        """Return the factor and the shift that follow from the moving statistics."""
        if self.own_statistics:
            return None
        variance = weights["moving_variance"]
        if (variance < 0).any():
            raise ValueError("moving_variance below 0")
        deviation = np.sqrt(variance + np.float32(self.epsilon))
        factor = weights["gamma"] / deviation
        shift = weights["beta"] - weights["moving_mean"] * factor
        return factor, shift


NORMS: dict[str, type[Norm] | None] = {
    "instance": InstanceNorm,
    "batch": BatchNorm,
    "none": None,
}
"""The norms, by their names in recipes."""
