"""How intensities are distributed in real scans, tissue by tissue, and giving a generated volume that distribution.

A generator that is trained to be near the truth leaves out what it cannot know, and its histogram has peaks where a
scan's has slopes. Histogram matching (for MRI: Nyul, Udupa and Zhang 2000, https://doi.org/10.1109/42.836373) moves
intensities and no edge: what was brighter stays brighter.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .labels import LabelSet
from .volume import Voxels

Values = NDArray[np.float32]
_QUANTILES = (np.arange(100) + 0.5) / 100
_LEVELS = np.linspace(0, 1, 257)
_DIGITS = 4


@dataclass(frozen=True)
class Histogram:
    """The distribution of intensities in each tissue, and how far outputs are brought to it.

    Args:
        tissues: By the name of a label, intensities in [0, 1] in the space a model works in: n of them are the
            (k + 1/2) / n quantiles.
        strength: From 0, outputs are left as they are, to 1, they have this distribution.

    Raises:
        ValueError: If strength or quantiles are outside [0, 1], or a tissue's do not rise.
    """

    tissues: Mapping[str, tuple[float, ...]]
    strength: float

    def __post_init__(self) -> None:
        # Written so that NaN is refused too.
        rising = all(
            len(row) and row[0] >= 0 and row[-1] <= 1 and _rises(row)
            for row in self.tissues.values()
        )
        if not self.tissues or not rising or not 0 <= self.strength <= 1:
            raise ValueError("expected a strength and, of each tissue, rising quantiles in 0..1")

    @classmethod
    def from_voxels(
        cls, values: Voxels, labels: Voxels, label_set: LabelSet, strength: float
    ) -> Histogram:
        """Take the distribution of a scan.

        Args:
            values: Intensities in [0, 1].
            labels: Of the same shape.
            label_set: What the labels mean; one that no voxel has is left out.
            strength: See above.
        """
        found = {
            label.name: values[labels == label.value].astype(np.float64)
            for label in label_set.labels
        }
        rows = {
            name: np.quantile(of_tissue, _QUANTILES)
            for name, of_tissue in found.items()
            if of_tissue.size
        }
        return cls(
            {name: tuple(row.round(_DIGITS).tolist()) for name, row in rows.items()}, strength
        )

    @classmethod
    def average(cls, histograms: Sequence[Histogram]) -> Histogram:
        """Return the distribution half-way between some, all of one strength: quantile by quantile."""
        tissues = {}
        for name in dict.fromkeys(name for histogram in histograms for name in histogram.tissues):
            rows = [
                histogram.tissues[name] for histogram in histograms if name in histogram.tissues
            ]
            tissues[name] = tuple(np.mean(rows, axis=0).round(_DIGITS).tolist())
        return cls(tissues, histograms[0].strength)

    def scale_strength(self, fraction: float) -> Histogram:
        """Return this distribution with a fraction of the strength."""
        return replace(self, strength=self.strength * fraction)

    def match(self, values: Values, labels: Voxels, label_set: LabelSet) -> Values:
        """Return a volume's intensities, brought to the distribution that a scan of its tissues would have.

        One rising curve for the whole volume, by its own quantiles and the share that each tissue has of it.

        Args:
            values: (voxels,) in [0, 1].
            labels: (voxels,); where the label is none of the tissues nothing is changed.
            label_set: What the labels mean.
        """
        known = [label for label in label_set.labels if label.name in self.tissues]
        inside = np.isin(labels, [label.value for label in known])
        if self.strength == 0 or not inside.any():
            return values
        expected = self._expected(
            {label.name: int((labels == label.value).sum()) for label in known}
        )
        # A curve has one value at a place: where many voxels are equal, the mean of what they would become.
        places, level = np.unique(np.quantile(values[inside], _LEVELS), return_inverse=True)
        wanted = np.bincount(level, expected) / np.bincount(level)
        moved = values + np.float32(self.strength) * (np.interp(values, places, wanted) - values)
        return np.where(inside, moved, values).astype(np.float32)

    def identity(self) -> dict[str, Any]:
        """Return what tells this distribution from any other, in few words."""
        content = json.dumps(asdict(self), sort_keys=True).encode()
        return {"strength": self.strength, "sha256": hashlib.sha256(content).hexdigest()}

    def _expected(self, voxels: Mapping[str, int]) -> NDArray[np.float64]:
        """Return the `_LEVELS` quantiles of tissues that have so many voxels, together."""
        rows = {name: np.array(self.tissues[name]) for name in voxels}
        counts = [np.full(len(row), voxels[name] / len(row)) for name, row in rows.items()]
        points = np.concatenate([*rows.values()])
        weights = np.concatenate(counts)
        order = points.argsort(kind="stable")
        below = weights[order].cumsum() - weights[order] / 2
        return np.asarray(np.interp(_LEVELS, below / weights.sum(), points[order]))


def _rises(row: Sequence[float]) -> bool:
    return bool((np.diff(row) >= 0).all())
