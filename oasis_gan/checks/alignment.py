"""Whether a label map lies where its MRI does, to the voxel.

Measured is how much of the MRI's variance the labels explain (the correlation ratio): of all voxels with a label, the
variance between the means of the labels over the whole variance. It asks nothing of the contrast, so that T1w, T2w and
PD do alike. Where it is larger with the labels moved by whole voxels, or mirrored, they do not lie where they should.

Roche et al., The correlation ratio as a new similarity measure for multimodal image registration, MICCAI 1998.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Voxels
from .findings import Finding, Verdict

Shift = tuple[int, int, int]
GAIN = 1.1
"""Labels lie wrong where the variance they leave unexplained is this many times what it is in a better place."""
UNRELATED = 0.2
"""Labels that explain less of the variance have nothing to do with the MRI."""
_SAMPLE = 100_000  # voxels with a label that are looked at
_FARTHEST = 16  # voxels along an axis


@dataclass(frozen=True)
class Alignment:
    """How well labels fit an MRI.

    Args:
        explained: Share of the MRI's variance that they explain as they lie.
        shift: By how many voxels along each axis they would have to move to explain most.
        explained_shifted: Share that they explain there.
        explained_mirrored: The most that they explain mirrored along the left-right axis, and moved.
    """

    explained: float
    shift: Shift
    explained_shifted: float
    explained_mirrored: float


def align(labels: Voxels, mri: Voxels, left_right: int) -> Alignment | None:
    """Return how well ``labels`` fit ``mri``, or None where there is nothing to compare.

    Args:
        labels: Label values, whole numbers, 0 for background.
        mri: Finite intensities on the same grid.
        left_right: The axis that runs between left and right.
    """
    inside = np.flatnonzero(labels)
    if inside.size < 2 or mri.min() == mri.max():
        return None
    rng = np.random.default_rng(0)
    chosen = rng.choice(inside, min(_SAMPLE, inside.size), replace=False)
    if (labels.flat[chosen] == labels.flat[chosen[0]]).all():
        # A mask has nothing inside to compare, but a rim.
        chosen = np.concatenate([chosen, rng.integers(0, labels.size, chosen.size)])
    _, groups = np.unique(labels.flat[chosen], return_inverse=True)
    places = np.stack(np.unravel_index(chosen, labels.shape))
    mirrored = places.copy()
    mirrored[left_right] = places[left_right].min() + places[left_right].max() - places[left_right]
    still = (0, 0, 0)
    explained = _explained(groups, mri, places, still)
    shift, explained_shifted = _best(lambda by: _explained(groups, mri, places, by), still)
    _, explained_mirrored = _best(lambda by: _explained(groups, mri, mirrored, by), still)
    return Alignment(explained, shift, explained_shifted, explained_mirrored)


def judged(alignment: Alignment) -> Finding:
    """Return what to make of an alignment."""
    left = 1 - alignment.explained
    figures = {
        "explained": round(alignment.explained, 4),
        "shift": list(alignment.shift),
        "explained_shifted": round(alignment.explained_shifted, 4),
        "explained_mirrored": round(alignment.explained_mirrored, 4),
    }
    best = max(alignment.explained_shifted, alignment.explained_mirrored)
    if best < UNRELATED:
        message = (
            f"the labels explain only {best:.0%} of the MRI's variance: do they belong together?"
        )
        return Finding(Verdict.WARN, message, figures)
    if left <= GAIN * (1 - best):
        return Finding(Verdict.ACCEPT, figures=figures)
    if alignment.explained_mirrored > alignment.explained_shifted:
        return Finding(
            Verdict.REJECT, "the labels fit the MRI with left and right turned over", figures
        )
    by = ", ".join(f"{step:+d}" for step in alignment.shift)
    return Finding(
        Verdict.REJECT, f"the labels fit the MRI when they are moved by ({by}) voxels", figures
    )


def _explained(groups: NDArray[np.intp], mri: Voxels, places: NDArray[np.intp], by: Shift) -> float:
    """Return the correlation ratio of the labels at ``places``, moved; beyond the grid there is background."""
    moved = places + np.array(by)[:, np.newaxis]
    size = np.array(mri.shape)[:, np.newaxis]
    there = ((moved >= 0) & (moved < size)).all(axis=0)
    values = np.where(there, mri[tuple(np.clip(moved, 0, size - 1))], 0).astype(np.float64)
    counts = np.bincount(groups)
    means = np.bincount(groups, values) / counts
    total = ((values - values.mean()) ** 2).sum()
    return float((counts * (means - values.mean()) ** 2).sum() / total) if total > 0 else 0.0


def _best(score: Callable[[Shift], float], start: Shift) -> tuple[Shift, float]:
    """Climb from ``start``, a voxel at a time along one axis, as long as the score rises."""
    place, height = start, score(start)
    while max(abs(step) for step in place) < _FARTHEST:
        next_place, next_height = max(
            ((n, score(n)) for n in _neighbours(place)), key=lambda pair: pair[1]
        )
        if next_height <= height:
            break
        place, height = next_place, next_height
    return place, height


def _neighbours(place: Shift) -> list[Shift]:
    i, j, k = place
    return [
        (i - 1, j, k),
        (i + 1, j, k),
        (i, j - 1, k),
        (i, j + 1, k),
        (i, j, k - 1),
        (i, j, k + 1),
    ]
