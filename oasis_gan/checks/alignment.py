"""Check that a label map is aligned with its MRI, to the voxel.

The measure is the share of the MRI's variance that the labels explain (the correlation ratio): over
all voxels with a label, the variance between the means of the labels divided by the whole variance.
It assumes nothing about the contrast, so that it works for T1w, T2w and PD. Where it is larger with
the labels moved by whole voxels, or mirrored, the labels are misaligned.

Roche et al., The correlation ratio as a new similarity measure for multimodal image registration,
MICCAI 1998.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Voxels
from .findings import Figures, Finding, accept, reject, warn

Indices = NDArray[np.intp]
Shift = tuple[int, int, int]
"""Voxels along each axis."""
GAIN = 1.1
"""Misaligned labels leave more than this many times the unexplained variance of the best place."""
UNRELATED = 0.2
"""Labels that explain a smaller share of the variance do not belong to the MRI."""
_MOST_VOXELS = 100_000  # with a label that are compared
_FARTHEST = 16  # voxels along an axis
_NO_SHIFT = (0, 0, 0)
_STEPS = (
    (-1, 0, 0),
    (1, 0, 0),
    (0, -1, 0),
    (0, 1, 0),
    (0, 0, -1),
    (0, 0, 1),
)


@dataclass(frozen=True)
class Alignment:
    """Figures that say how well labels fit an MRI.

    Args:
        explained: Share of the MRI's variance that the labels explain where they are.
        shift: The shift in voxels along each axis at which the labels explain most.
        explained_shifted: Share that the labels explain at that shift.
        explained_mirrored: Largest share that the labels explain when mirrored left-right and
            shifted.
    """

    explained: float
    shift: Shift
    explained_shifted: float
    explained_mirrored: float

    @property
    def explained_at_best(self) -> float:
        """The largest share that the labels explain anywhere, mirrored or not."""
        return max(self.explained_shifted, self.explained_mirrored)

    @property
    def is_mirrored(self) -> bool:
        """Whether the labels explain more when left and right are exchanged."""
        return self.explained_mirrored > self.explained_shifted

    @property
    def is_best_in_place(self) -> bool:
        """Tell whether the labels fit about as well where they are as anywhere nearby."""
        unexplained = 1 - self.explained
        return unexplained <= GAIN * (1 - self.explained_at_best)

    @property
    def figures(self) -> Figures:
        """Return the measured values, rounded."""
        return {
            "explained": round(self.explained, 4),
            "shift": list(self.shift),
            "explained_shifted": round(self.explained_shifted, 4),
            "explained_mirrored": round(self.explained_mirrored, 4),
        }


def align(labels: Voxels, mri: Voxels, left_right: int) -> Alignment | None:
    """Measure how well ``labels`` fit ``mri``; return None where there is nothing to compare.

    Args:
        labels: Label values, whole numbers, 0 for background.
        mri: Finite intensities on the same grid.
        left_right: The axis that runs between left and right.
    """
    labelled = np.flatnonzero(labels)
    is_flat = mri.min() == mri.max()
    if labelled.size < 2 or is_flat:
        return None
    chosen = _choose_voxels(labels, labelled)
    sample = _Sample.from_indices(chosen, labels, mri)
    in_place = sample.measure(_NO_SHIFT)
    shifted = sample.find_best_shift()
    mirrored = sample.mirror(left_right).find_best_shift()
    return Alignment(
        explained=in_place.explained,
        shift=shifted.shift,
        explained_shifted=shifted.explained,
        explained_mirrored=mirrored.explained,
    )


def judge(alignment: Alignment) -> Finding:
    """Turn an alignment into a finding."""
    figures = alignment.figures
    share = alignment.explained_at_best
    if share < UNRELATED:
        return warn(
            f"the labels explain only {share:.0%} of the MRI's variance: do they belong together?",
            **figures,
        )
    if alignment.is_best_in_place:
        return accept(**figures)
    return reject(_describe_misalignment(alignment), **figures)


def _describe_misalignment(alignment: Alignment) -> str:
    """Return a sentence that says where the labels fit better."""
    if alignment.is_mirrored:
        return "the labels fit the MRI with left and right swapped"
    shift = ", ".join(f"{step:+d}" for step in alignment.shift)
    return f"the labels fit the MRI when they are moved by ({shift}) voxels"


def _choose_voxels(labels: Voxels, labelled: Indices) -> Indices:
    """Return the flat indices of the voxels to compare, which are the same in every run.

    Args:
        labels: Label values.
        labelled: The flat indices of all voxels with a label.
    """
    rng = np.random.default_rng(0)
    count = min(_MOST_VOXELS, labelled.size)
    chosen = rng.choice(labelled, count, replace=False)
    values = labels.flat[chosen]
    has_one_label = (values == values[0]).all()
    if not has_one_label:
        return chosen
    # A mask can only be compared with what is outside it.
    others = rng.integers(0, labels.size, chosen.size)
    return np.concatenate([chosen, others])


class _Fit(NamedTuple):
    """The share of the variance that labels explain at a shift."""

    explained: float
    shift: Shift


@dataclass(frozen=True)
class _Sample:
    """Some voxels of a label map, to be compared with an MRI.

    Args:
        groups: The group of each voxel: 0 for the smallest label, 1 for the next one.
        places: The indices of each voxel, (3, voxels).
        mri: Finite intensities on the same grid.
    """

    groups: Indices
    places: Indices
    mri: Voxels

    @classmethod
    def from_indices(cls, chosen: Indices, labels: Voxels, mri: Voxels) -> _Sample:
        """Return the sample of the voxels at flat indices."""
        _, groups = np.unique(labels.flat[chosen], return_inverse=True)
        places = np.unravel_index(chosen, labels.shape)
        return cls(groups, np.stack(places), mri)

    def mirror(self, axis: int) -> _Sample:
        """Mirror the voxels along an axis within the range that they cover."""
        # The middle of the grid would not do: a head seldom lies exactly there.
        across = self.places[axis]
        both_ends = across.min() + across.max()
        mirrored = self.places.copy()
        mirrored[axis] = both_ends - across
        return replace(self, places=mirrored)

    def find_best_shift(self) -> _Fit:
        """Move the labels by one voxel at a time as long as they explain more."""
        # This measures a few dozen shifts. A search of the whole cube would measure thousands.
        best = self.measure(_NO_SHIFT)
        while max(abs(step) for step in best.shift) < _FARTHEST:
            neighbours = [_add(best.shift, step) for step in _STEPS]
            fits = [self.measure(shift) for shift in neighbours]
            better = max(fits, key=lambda fit: fit.explained)
            if better.explained <= best.explained:
                break
            best = better
        return best

    def measure(self, shift: Shift) -> _Fit:
        """Return the correlation ratio of the labels, moved by ``shift``, and the MRI."""
        offset = np.array(shift)[:, np.newaxis]
        values = self._read_mri(self.places + offset)
        mean = values.mean()
        total = ((values - mean) ** 2).sum()
        if total <= 0:
            return _Fit(0.0, shift)
        counts = np.bincount(self.groups)
        means = np.bincount(self.groups, values) / counts
        between = (counts * (means - mean) ** 2).sum()
        explained = float(between / total)
        return _Fit(explained, shift)

    def _read_mri(self, places: Indices) -> NDArray[np.float64]:
        """Return the intensities at places; those outside the grid count as background."""
        size = np.array(self.mri.shape)[:, np.newaxis]
        is_on_axis = (places >= 0) & (places < size)
        is_inside = is_on_axis.all(axis=0)
        nearest = np.clip(places, 0, size - 1)
        intensities = self.mri[tuple(nearest)]
        return np.where(is_inside, intensities, 0).astype(np.float64)


def _add(one: Shift, other: Shift) -> Shift:
    """Return the sum of two shifts."""
    i, j, k = map(operator.add, one, other)
    return i, j, k
