"""The distribution of intensities in each tissue of real scans, and how outputs are given it.

A generator that is trained to be accurate leaves out what it cannot know, so its histogram has
peaks where that of a real scan has slopes. Histogram matching (for MRI: Nyul, Udupa and Zhang 2000,
https://doi.org/10.1109/42.836373) changes intensities and keeps edges: what was brighter stays
brighter.
"""

from __future__ import annotations

import hashlib
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .labels import LabelSet
from .regions import count_voxels
from .volume import Voxels

Values = NDArray[np.float32]
Floats = NDArray[np.float64]
_Row = tuple[float, ...]
"""The quantiles of a tissue."""
_QUANTILES = (np.arange(100) + 0.5) / 100  # that are recorded of a real scan
_LEVELS = np.linspace(0, 1, 257)  # between which a curve is interpolated
_DIGITS = 4


@dataclass(frozen=True)
class Histogram:
    """The distribution of intensities in each tissue, and how far outputs are brought to it.

    Args:
        tissues: By the name of a label, intensities in [0, 1] in the space a model works in: n of
            them are the (k + 1/2) / n quantiles.
        strength: From 0, outputs are left as they are, to 1, they have this distribution.

    Raises:
        ValueError: If strength or quantiles are outside [0, 1], or a tissue's do not rise.
    """

    tissues: Mapping[str, _Row]
    strength: float

    def __post_init__(self) -> None:
        rows = self.tissues.values()
        are_quantiles = all(map(_are_quantiles, rows))
        # Written so that NaN is refused too.
        if not self.tissues or not are_quantiles or not 0 <= self.strength <= 1:
            raise ValueError("expected a strength and, of each tissue, rising quantiles in 0..1")

    @classmethod
    def from_voxels(
        cls,
        values: Voxels,
        labels: Voxels,
        label_set: LabelSet,
        strength: float,
    ) -> Histogram:
        """Return the distribution in a real scan.

        Args:
            values: Intensities in [0, 1].
            labels: Label values, of the same shape.
            label_set: What the labels mean; a label that no voxel has is left out.
            strength: How far outputs are brought to the distribution.
        """
        tissues = {}
        for label in label_set.labels:
            of_tissue = values[labels == label.value]
            if not of_tissue.size:
                continue
            quantiles = np.quantile(of_tissue.astype(np.float64), _QUANTILES)
            tissues[label.name] = _round(quantiles)
        return cls(tissues, strength)

    @classmethod
    def average(cls, histograms: Sequence[Histogram]) -> Histogram:
        """Return the distribution half-way between some of the same strength.

        Each quantile is the mean of theirs, over those that have the tissue.
        """
        rows: dict[str, list[_Row]] = defaultdict(list)
        for histogram in histograms:
            for name, row in histogram.tissues.items():
                rows[name].append(row)
        tissues = {}
        for name, of_tissue in rows.items():
            mean = np.mean(of_tissue, axis=0)
            tissues[name] = _round(mean)
        return cls(tissues, histograms[0].strength)

    def scale_strength(self, fraction: float) -> Histogram:
        """Return this distribution with a fraction of its strength."""
        return replace(self, strength=self.strength * fraction)

    def match(self, values: Values, labels: Voxels, label_set: LabelSet) -> Values:
        """Return intensities with the distribution that a real scan of the same tissues would have.

        One rising curve maps the intensities of the whole volume. It depends on their quantiles
        and on the share of each tissue.

        Args:
            values: Intensities (voxels,) in [0, 1].
            labels: Label values (voxels,); voxels of other labels than the tissues do not change.
            label_set: What the labels mean.
        """
        known = [label for label in label_set.labels if label.name in self.tissues]
        known_values = [label.value for label in known]
        mask = np.isin(labels, known_values)
        if self.strength == 0 or not mask.any():
            return values
        counts = {}
        for label in known:
            counts[label.name] = count_voxels(labels == label.value)
        mixture = self._mix_tissues(counts)
        places, targets = _fit_curve(values[mask], mixture)
        change = np.interp(values, places, targets) - values
        matched = values + np.float32(self.strength) * change
        changed = np.where(mask, matched, values)
        return changed.astype(np.float32)

    def identity(self) -> dict[str, Any]:
        """Return a short description that no other distribution has, for JSON."""
        content = json.dumps(asdict(self), sort_keys=True).encode()
        return {
            "strength": self.strength,
            "sha256": hashlib.sha256(content).hexdigest(),
        }

    def _mix_tissues(self, counts: Mapping[str, int]) -> Floats:
        """Return the `_LEVELS` quantiles of a mixture of tissues with so many voxels each."""
        rows = []
        row_weights = []
        for name, count in counts.items():
            row = self.tissues[name]
            voxels_a_point = count / len(row)
            rows.append(row)
            row_weights.append(np.full(len(row), voxels_a_point))
        points = np.concatenate(rows)
        weights = np.concatenate(row_weights)
        order = points.argsort(kind="stable")
        ranked = weights[order]
        # A point stands for the voxels around it, half of which lie below.
        below = ranked.cumsum() - ranked / 2
        shares = below / weights.sum()
        return np.asarray(np.interp(_LEVELS, shares, points[order]))


def _fit_curve(
    values: Values,
    targets: Floats,
) -> tuple[NDArray[np.floating[Any]], Floats]:
    """Return the curve that maps the `_LEVELS` quantiles of values to targets.

    A curve has one value at each place, so voxels that are equal become the mean of their targets.
    """
    quantiles = np.quantile(values, _LEVELS)
    places, index = np.unique(quantiles, return_inverse=True)
    sums = np.bincount(index, targets)
    counts = np.bincount(index)
    return places, sums / counts


def _round(quantiles: Floats) -> _Row:
    rounded = quantiles.round(_DIGITS)
    return tuple(rounded.tolist())


def _are_quantiles(row: _Row) -> bool:
    """Return whether numbers rise within [0, 1]; NaN does not."""
    if not row:
        return False
    steps = np.diff([0, *row, 1])
    return bool((steps >= 0).all())
