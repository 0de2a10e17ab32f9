"""Whether two volumes show the same head, by fingerprints of 63 kB: the volumes need not be kept.

A fingerprint is the volume on a coarse grid around the middle of the head, without its slow changes: where folds and
ventricles lie, whatever the scale of the intensities. The likeness of two is the size of their correlation, for a
contrast turned over shows the same folds. A head is known again when it is scaled, noisy, stored along other axes,
resampled or moved; not when it is turned by more than two degrees, cropped, or stripped of its skull in one of them.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Volume

Fingerprint = NDArray[np.int8]
SAME_HEAD = 0.7
"""Two heads that are more alike than this are one."""
_CELL_MM = 4.0
_CELLS = (38, 46, 36)  # 152 x 184 x 144 mm around the middle: a brain
_VOXELS = 2**21  # that are looked at: more teach nothing
_SMOOTHINGS = 8  # each with (1, 2, 1) / 4: slow is what changes over 2 cells


def fingerprint(volume: Volume) -> Fingerprint | None:
    """Return the fingerprint of a volume with finite voxels, or None of an empty one."""
    step = max(1, round((volume.voxels.size / _VOXELS) ** (1 / 3)))
    voxels = volume.voxels[::step, ::step, ::step].astype(np.float32)
    inside = voxels[voxels > 0]
    if inside.size == 0:
        return None
    # A head is brighter than the noise around it.
    head = voxels > inside.mean() / 2
    cells, counts = _on_the_grid(
        voxels, head, volume.geometry.affine @ np.diag([step, step, step, 1])
    )
    fine = np.where(counts > 0, cells / np.maximum(counts, 1), 0)
    full = counts > 0.5 * np.median(counts[counts > 0])
    slow = _smooth(np.where(full, fine, 0)) / np.maximum(_smooth(full.astype(np.float64)), 0.05)
    detail = np.where(full, fine - slow, 0)
    detail -= np.where(full, detail[full].mean(), 0)
    # Four standard deviations fill the range.
    deviation = float(detail[full].std())
    if deviation == 0:
        return None
    return np.clip(np.rint(detail / deviation * 32), -127, 127).astype(np.int8)


def likeness(one: Fingerprint, other: Fingerprint) -> float:
    """Return the size of the correlation of two fingerprints, 1 for a copy."""
    ours, theirs = one.ravel().astype(np.float32), other.ravel().astype(np.float32)
    return abs(float(ours @ theirs)) / float(np.sqrt((ours @ ours) * (theirs @ theirs)))


def _on_the_grid(
    voxels: NDArray[np.float32], head: NDArray[np.bool_], affine: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum of the head's voxels in each cell around its middle, and their number."""
    places = np.stack(np.nonzero(head)).astype(np.float32)
    places = affine[:3, :3].astype(np.float32) @ places
    places -= places.mean(axis=1, keepdims=True)
    cells = np.array(_CELLS)[:, np.newaxis]
    at = np.floor(places / _CELL_MM + cells / 2).astype(np.int64)
    near = ((at >= 0) & (at < cells)).all(axis=0)
    index = np.ravel_multi_index(tuple(at[:, near]), _CELLS)
    size = int(np.prod(_CELLS))
    sums = np.bincount(index, voxels[head][near], minlength=size)
    counts = np.bincount(index, minlength=size)
    return np.asarray(sums.reshape(_CELLS), np.float64), np.asarray(
        counts.reshape(_CELLS), np.float64
    )


def _smooth(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    for _ in range(_SMOOTHINGS):
        for axis in range(3):
            grid = (np.roll(grid, 1, axis) + 2 * grid + np.roll(grid, -1, axis)) / 4
    return grid
