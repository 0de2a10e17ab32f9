"""The norms a network may have, each described once for whoever builds, counts, folds or computes it.

To add one, write its class and enter it in `NORMS`: recipes may name it from then on. Recipes are checked without
TensorFlow, so it is imported only where a layer is built or a tensor computed.
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
    """What a block does to each channel between its convolution and its activation.

    Args:
        epsilon: Added to the variance.
        momentum: Of the moving statistics, if the norm keeps any.
        own_statistics: Whether each slice goes by its own statistics when translating as well.
    """

    epsilon: float = 1e-5
    momentum: float = 0.9
    own_statistics: bool = False

    weights: ClassVar[tuple[str, ...]]
    """The names of its weights, each with one number per channel."""

    @abstractmethod
    def layer(self, name: str) -> Any:  # noqa: ANN401 - Keras is untyped here
        """Return the Keras layer to train with; its variables are called as in `weights`."""

    def factor_and_shift(self, weights: Mapping[str, Array]) -> tuple[Array, Array] | None:
        """Return what each channel is multiplied by, and what is then added; None if that depends on the slice.

        A norm that gives them is folded into the convolution before it.

        Args:
            weights: By the names in `weights`.

        Raises:
            ValueError: If the weights are impossible; begins with the name of the one at fault.
        """
        return None

    def compute(self, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """Normalise (n, rows, columns, channels) when translating; called only if `factor_and_shift` gives None."""
        raise NotImplementedError(
            f"{type(self).__name__} neither gives a factor and a shift nor computes itself"
        )


@dataclass(frozen=True, kw_only=True)
class InstanceNorm(Norm):
    """Each channel of each slice to mean 0 and variance 1, then scaled and shifted (arXiv 1607.08022)."""

    weights: ClassVar[tuple[str, ...]] = ("gamma", "beta")

    def layer(self, name: str) -> Any:  # noqa: ANN401
        """Return the layer to train with."""
        from .layers import InstanceNormalization

        return InstanceNormalization(self.epsilon, name=name)

    def compute(self, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        """Normalise each slice by itself."""
        from .operations import own_statistics

        return own_statistics(x, weights["gamma"], weights["beta"], self.epsilon)


@dataclass(frozen=True, kw_only=True)
class BatchNorm(InstanceNorm):
    """By the statistics of the batch in training (arXiv 1502.03167), and by their moving averages when translating.

    With `own_statistics` each slice goes by its own instead of the moving ones: then it translates as instance norm.
    """

    weights: ClassVar[tuple[str, ...]] = ("gamma", "beta", "moving_mean", "moving_variance")

    def layer(self, name: str) -> Any:  # noqa: ANN401
        """Return the layer to train with."""
        from .layers import BatchNormalization

        return BatchNormalization(
            self.own_statistics, momentum=self.momentum, epsilon=self.epsilon, name=name
        )

    def factor_and_shift(self, weights: Mapping[str, Array]) -> tuple[Array, Array] | None:
        """Return what the moving statistics do to each channel."""
        if self.own_statistics:
            return None
        if (weights["moving_variance"] < 0).any():
            raise ValueError("moving_variance below 0")
        factor = weights["gamma"] / np.sqrt(weights["moving_variance"] + np.float32(self.epsilon))
        return factor, weights["beta"] - weights["moving_mean"] * factor


NORMS: dict[str, type[Norm] | None] = {"instance": InstanceNorm, "batch": BatchNorm, "none": None}
"""The norms by the names that recipes call them by."""
