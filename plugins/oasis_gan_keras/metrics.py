"""The numbers by which a training is judged, each under its name."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import OasisGanError

Metrics = Mapping[str, float]
Arrays = dict[str, NDArray[Any]]
VALIDATION = "validation_"
"""What the name of a metric begins with if it was measured on slices that are not learnt from."""
VALIDATION_L1 = f"{VALIDATION}L1"
VALIDATION_PSNR = f"{VALIDATION}PSNR"
VALIDATION_METRICS = (VALIDATION_L1, VALIDATION_PSNR)
"""What `measure` returns."""


def measure(
    generated: NDArray[np.float32], real: NDArray[np.float32], inside: NDArray[np.bool_]
) -> dict[str, float]:
    """Return mean absolute error and PSNR, dB, of slices in [0, 1].

    Args:
        generated: (n, rows, columns, channels).
        real: Of the same shape.
        inside: The pixels that count, (n, rows, columns).
    """
    errors = (generated - real)[inside]
    l1 = float(np.abs(errors).mean())
    psnr = -10 * math.log10(max(float((errors**2).mean()), 1e-12))
    return {VALIDATION_L1: l1, VALIDATION_PSNR: psnr}


class RunningMeans:
    """The means of what updates report, since they were last taken.

    Args:
        names: Of the metrics.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self._names = tuple(names)
        self._clear()

    def add(self, metrics: Metrics) -> None:
        """Take in the metrics of an update."""
        for name in self._names:
            self._sums[name] += metrics[name]
        self._count += 1

    def take(self) -> dict[str, float]:
        """Return the means, and begin anew."""
        means = {name: total / max(self._count, 1) for name, total in self._sums.items()}
        self._clear()
        return means

    def metadata(self) -> dict[str, Any]:
        """Return what a checkpoint has to remember."""
        return {"sums": self._sums, "summed": self._count}

    def restore(self, metadata: Mapping[str, Any], where: object) -> None:
        """Go on from what a checkpoint remembers.

        Raises:
            OasisGanError: If it is of a training with other losses.
        """
        sums = metadata.get("sums", {})
        # The first versions wrote no names: the metrics of Pix2Pix stood in this order.
        if isinstance(sums, list) and len(sums) == len(self._names):
            sums = dict(zip(self._names, sums, strict=True))
        if not isinstance(sums, dict) or set(sums) != set(self._names):
            remedy = "resume it with the version and the plugins that began it, or train anew"
            expected = f"the losses {', '.join(self._names)}"
            found = (
                ", ".join(sums) or "none"
                if isinstance(sums, dict)
                else f"{len(sums)} without names"
            )
            raise OasisGanError(where, expected=expected, found=found, remedy=remedy)
        self._sums = {name: sums[name] for name in self._names}
        self._count = metadata["summed"]

    def _clear(self) -> None:
        self._sums = dict.fromkeys(self._names, 0.0)
        self._count = 0


@dataclass
class BestWeights:
    """The best weights so far.

    Args:
        metric: The name of the metric that chooses them; less is better.
        value: What it was.
        step: After how many updates.
        weights: By name; none before the first validation.
    """

    metric: str = VALIDATION_L1
    value: float = math.inf
    step: int = 0
    weights: Arrays = field(default_factory=dict)

    def is_beaten_by(self, metrics: Metrics) -> bool:
        """Whether newer weights are better."""
        return metrics[self.metric] < self.value

    def replace(self, metrics: Metrics, step: int, weights: Arrays) -> None:
        """Take newer weights for the best."""
        self.value = metrics[self.metric]
        self.step = step
        self.weights = weights

    def metadata(self) -> dict[str, Any]:
        """Return what a checkpoint has to remember, but for the weights."""
        value = self.value if self.weights else None
        return {"best": {"metric": self.metric, "value": value, "step": self.step}}

    def restore(self, metadata: Mapping[str, Any]) -> None:
        """Go on from what a checkpoint remembers."""
        best = metadata.get("best")
        # The first versions knew one metric only, and wrote its value alone.
        if not isinstance(best, dict):
            best = {"metric": VALIDATION_L1, "value": best, "step": metadata.get("best_step", 0)}
        self.metric = best["metric"]
        self.value = math.inf if best["value"] is None else best["value"]
        self.step = best["step"]
