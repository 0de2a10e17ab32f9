"""Measure a training: means over updates, validation metrics, and the best weights."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import OtherLossesError

Metrics = Mapping[str, float]
Arrays = dict[str, NDArray[Any]]
VALIDATION = "validation_"
"""The prefix of metrics that are measured on held-out slices."""
VALIDATION_L1 = f"{VALIDATION}L1"
VALIDATION_PSNR = f"{VALIDATION}PSNR"
VALIDATION_METRICS = (VALIDATION_L1, VALIDATION_PSNR)
"""The metrics that `measure` returns."""


def measure(
    generated: NDArray[np.float32],
    real: NDArray[np.float32],
    mask: NDArray[np.bool_],
) -> dict[str, float]:
    """Return the mean absolute error and the PSNR, in dB, of slices in [0, 1].

    Args:
        generated: The slices to measure, (n, rows, columns, channels).
        real: The true slices, of the same shape.
        mask: The pixels to compare, (n, rows, columns).
    """
    errors = (generated - real)[mask]
    l1 = float(np.abs(errors).mean())
    squared = float((errors**2).mean())
    psnr = -10 * math.log10(max(squared, 1e-12))
    return {VALIDATION_L1: l1, VALIDATION_PSNR: psnr}


class RunningMeans:
    """The means of the metrics of all updates since they were last taken.

    Args:
        names: The names of the metrics.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._clear()

    def add(self, metrics: Metrics) -> None:
        """Add the metrics of an update."""
        for name in self._names:
            self._sums[name] += metrics[name]
        self._count += 1

    def take(self) -> dict[str, float]:
        """Return the means, and start again from nothing."""
        means = {name: total / self._count for name, total in self._sums.items()}
        self._clear()
        return means

    def metadata(self) -> dict[str, Any]:
        """Return what a checkpoint has to store."""
        return {"sums": self._sums, "summed": self._count}

    def restore(self, metadata: Mapping[str, Any], where: object) -> None:
        """Continue from the metadata of a checkpoint.

        Raises:
            OtherLossesError: If the checkpoint comes from a training with other losses.
        """
        sums = metadata.get("sums", {})
        # The first versions wrote no names. Their metrics were those of Pix2Pix, in this order.
        if isinstance(sums, list) and len(sums) == len(self._names):
            sums = dict(zip(self._names, sums, strict=True))
        if not isinstance(sums, dict):
            raise OtherLossesError(where, self._names, f"{len(sums)} without names")
        if set(sums) != set(self._names):
            raise OtherLossesError(where, self._names, ", ".join(sums) or "none")
        self._sums = {name: sums[name] for name in self._names}
        self._count = metadata["summed"]

    def _clear(self) -> None:
        self._sums = dict.fromkeys(self._names, 0.0)
        self._count = 0


@dataclass
class BestWeights:
    """The best weights that the training has found so far.

    Args:
        metric: The name of the metric by which weights are compared; less is better.
        value: The value of that metric.
        step: The number of updates after which it was measured.
        weights: The weights by name; empty before the first validation.
    """

    metric: str = VALIDATION_L1
    value: float = math.inf
    step: int = 0
    weights: Arrays = field(default_factory=dict)

    def is_beaten_by(self, metrics: Metrics) -> bool:
        """Whether newer weights are better."""
        return metrics[self.metric] < self.value

    def replace(self, metrics: Metrics, step: int, weights: Arrays) -> None:
        """Make newer weights the best."""
        self.value = metrics[self.metric]
        self.step = step
        self.weights = weights

    def metadata(self) -> dict[str, Any]:
        """Return what a checkpoint has to store, apart from the weights."""
        value = self.value if self.weights else None
        best = {
            "metric": self.metric,
            "value": value,
            "step": self.step,
        }
        return {"best": best}

    def restore(self, metadata: Mapping[str, Any]) -> None:
        """Continue from the metadata of a checkpoint."""
        best = metadata.get("best")
        # The first versions had one metric only, and wrote just its value.
        if not isinstance(best, dict):
            best = {
                "metric": VALIDATION_L1,
                "value": best,
                "step": metadata.get("best_step", 0),
            }
        self.metric = best["metric"]
        self.value = math.inf if best["value"] is None else best["value"]
        self.step = best["step"]
