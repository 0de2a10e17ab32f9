"""Check that a label map is aligned with its MRI, to the voxel.

The measure is the share of the MRI's variance that the labels explain (the correlation ratio): over
all voxels with a label, the variance between the means of the labels divided by the whole variance.
It assumes nothing about the contrast, so that it works for T1w, T2w and PD. Where it is larger with
the labels moved by whole voxels, or mirrored, the labels are misaligned.

Roche et al., The correlation ratio as a new similarity measure for multimodal image registration,
MICCAI 1998.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Voxels
from .findings import Figures, Finding, Verdict

Shift = tuple[int, int, int]
GAIN = 1.1
"""Misaligned labels leave more than this many times the unexplained variance of the best place."""
UNRELATED = 0.2
"""Labels that explain a smaller share of the variance do not belong to the MRI."""
_SAMPLE = 100_000  # voxels with a label that are sampled
_FARTHEST = 16  # voxels along an axis


@dataclass(frozen=True)
class Alignment:
    """How well labels fit an MRI.

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
    def figures(self) -> Figures:
        """The measured values, rounded."""
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
    inside = np.flatnonzero(labels)
    if inside.size < 2 or mri.min() == mri.max():
        return None
    chosen = _sample(labels, inside)
    _, groups = np.unique(labels.flat[chosen], return_inverse=True)
    places = np.stack(np.unravel_index(chosen, labels.shape))
    mirrored = _mirror(places, left_right)

    no_shift = (0, 0, 0)
    score = partial(_correlation_ratio, groups, mri, places)
    score_mirrored = partial(_correlation_ratio, groups, mri, mirrored)
    explained = score(no_shift)
    shift, explained_shifted = _climb(score, no_shift)
    _, explained_mirrored = _climb(score_mirrored, no_shift)
    return Alignment(explained, shift, explained_shifted, explained_mirrored)


def _sample(labels: Voxels, inside: NDArray[np.intp]) -> NDArray[np.intp]:
    """Return the flat indices of the voxels to compare, which are the same in every run."""
    rng = np.random.default_rng(0)
    chosen = rng.choice(inside, min(_SAMPLE, inside.size), replace=False)
    has_one_label = (labels.flat[chosen] == labels.flat[chosen[0]]).all()
    if not has_one_label:
        return chosen
    # A mask can only be compared with what is outside it.
    others = rng.integers(0, labels.size, chosen.size)
    return np.concatenate([chosen, others])


def _mirror(places: NDArray[np.intp], axis: int) -> NDArray[np.intp]:
    """Mirror places along an axis within the range that they cover."""
    mirrored = places.copy()
    across = places[axis]
    mirrored[axis] = across.min() + across.max() - across
    return mirrored


def judge(alignment: Alignment) -> Finding:
    """Turn an alignment into a finding."""
    unexplained = 1 - alignment.explained
    figures = alignment.figures
    best = max(alignment.explained_shifted, alignment.explained_mirrored)
    if best < UNRELATED:
        message = (
            f"the labels explain only {best:.0%} of the MRI's variance: do they belong together?"
        )
        return Finding(Verdict.WARN, message, figures)
    if unexplained <= GAIN * (1 - best):
        return Finding(Verdict.ACCEPT, figures=figures)
    if alignment.explained_mirrored > alignment.explained_shifted:
        message = "the labels fit the MRI with left and right turned over"
        return Finding(Verdict.REJECT, message, figures)
    shift = ", ".join(f"{step:+d}" for step in alignment.shift)
    message = f"the labels fit the MRI when they are moved by ({shift}) voxels"
    return Finding(Verdict.REJECT, message, figures)


def _correlation_ratio(
    groups: NDArray[np.intp], mri: Voxels, places: NDArray[np.intp], shift: Shift
) -> float:
    """Return the correlation ratio of labels at ``places`` moved by ``shift``.

    Voxels outside the grid count as background.
    """
    values = _values_at(places + np.array(shift)[:, np.newaxis], mri)
    mean = values.mean()
    total = ((values - mean) ** 2).sum()
    if total <= 0:
        return 0.0
    counts = np.bincount(groups)
    means = np.bincount(groups, values) / counts
    between = (counts * (means - mean) ** 2).sum()
    return float(between / total)


def _values_at(places: NDArray[np.intp], mri: Voxels) -> NDArray[np.float64]:
    """Return the intensities at places, which may lie outside the grid."""
    size = np.array(mri.shape)[:, np.newaxis]
    is_inside = ((places >= 0) & (places < size)).all(axis=0)
    nearest = tuple(np.clip(places, 0, size - 1))
    return np.where(is_inside, mri[nearest], 0).astype(np.float64)


def _climb(score: Callable[[Shift], float], start: Shift) -> tuple[Shift, float]:
    """Move from ``start`` to the best neighbour as long as the score rises."""
    best = start
    best_score = score(start)
    while max(abs(step) for step in best) < _FARTHEST:
        scores = {neighbour: score(neighbour) for neighbour in _neighbours(best)}
        neighbour = max(scores, key=scores.__getitem__)
        if scores[neighbour] <= best_score:
            break
        best = neighbour
        best_score = scores[neighbour]
    return best, best_score


def _neighbours(shift: Shift) -> list[Shift]:
    """Return the shifts that differ by one voxel along one axis."""
    i, j, k = shift
    return [
        (i - 1, j, k),
        (i + 1, j, k),
        (i, j - 1, k),
        (i, j + 1, k),
        (i, j, k - 1),
        (i, j, k + 1),
    ]
