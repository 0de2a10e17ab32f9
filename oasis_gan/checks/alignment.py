"""Check that a label map is aligned with its MRI, to the voxel.

The measure is the share of the MRI's variance that the labels explain (the correlation ratio): over
all voxels with a label, the variance between the means of the labels divided by the whole variance.
It assumes nothing about the contrast, so that it works for T1w, T2w and PD. Where it is larger with
the labels moved by whole voxels, or mirrored, the labels are misaligned.

Roche et al., The correlation ratio as a new similarity measure for multimodal image registration, MICCAI 1998.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Voxels
from .findings import Finding, Verdict

Shift = tuple[int, int, int]
GAIN = 1.1
"""Labels are misaligned if they leave this many times the unexplained variance of the best place."""
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
    rng = np.random.default_rng(0)
    chosen = rng.choice(inside, min(_SAMPLE, inside.size), replace=False)
    has_one_label = (labels.flat[chosen] == labels.flat[chosen[0]]).all()
    if has_one_label:
        # A mask can only be compared with what is outside it.
        chosen = np.concatenate([chosen, rng.integers(0, labels.size, chosen.size)])
    _, groups = np.unique(labels.flat[chosen], return_inverse=True)
    places = np.stack(np.unravel_index(chosen, labels.shape))
    mirrored = places.copy()
    across = places[left_right]
    mirrored[left_right] = across.min() + across.max() - across
    no_shift = (0, 0, 0)
    score = partial(_correlation_ratio, groups, mri, places)
    score_mirrored = partial(_correlation_ratio, groups, mri, mirrored)
    explained = score(no_shift)
    shift, explained_shifted = _climb(score, no_shift)
    _, explained_mirrored = _climb(score_mirrored, no_shift)
    return Alignment(explained, shift, explained_shifted, explained_mirrored)


def judge(alignment: Alignment) -> Finding:
    """Turn an alignment into a finding."""
    unexplained = 1 - alignment.explained
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
    moved = places + np.array(shift)[:, np.newaxis]
    size = np.array(mri.shape)[:, np.newaxis]
    is_inside = ((moved >= 0) & (moved < size)).all(axis=0)
    nearest = tuple(np.clip(moved, 0, size - 1))
    values = np.where(is_inside, mri[nearest], 0).astype(np.float64)
    counts = np.bincount(groups)
    means = np.bincount(groups, values) / counts
    total = ((values - values.mean()) ** 2).sum()
    if total <= 0:
        return 0.0
    between = (counts * (means - values.mean()) ** 2).sum()
    return float(between / total)


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
