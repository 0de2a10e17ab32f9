"""Decide whether two volumes show the same head, by comparing fingerprints of 63 kB.

A fingerprint is the volume on a coarse grid around the centre of the head, without its slow
changes: it shows where folds and ventricles are, at any scale of the intensities. The likeness of
two fingerprints is the absolute value of their correlation, because an inverted contrast shows the
same folds. A head is recognised when it is scaled, noisy, stored along other axes, resampled or
moved. It is not recognised when it is rotated by more than two degrees, cropped, or skull-stripped
in only one of the two volumes.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Volume

Fingerprint = NDArray[np.int8]
SAME_HEAD = 0.7
"""Two fingerprints with a larger likeness than this show the same head."""
_CELL_MM = 4.0
_CELLS = (38, 46, 36)  # 152 x 184 x 144 mm around the centre: a brain
_VOXELS = 2**21  # the most that are sampled: more add nothing
_SMOOTHINGS = 8  # each with (1, 2, 1) / 4: slow is what changes over 2 cells


def fingerprint(volume: Volume) -> Fingerprint | None:
    """Return the fingerprint of a volume with finite voxels, or None for an empty volume."""
    voxels, affine = _subsample(volume)
    inside = voxels[voxels > 0]
    if inside.size == 0:
        return None
    # A head is brighter than the noise around it.
    head = voxels > inside.mean() / 2
    sums, counts = _sum_on_grid(voxels, head, affine)
    means = np.where(counts > 0, sums / np.maximum(counts, 1), 0)
    typical_count = np.median(counts[counts > 0])
    full = counts > 0.5 * typical_count
    detail = _remove_slow_changes(means, full)
    detail -= np.where(full, detail[full].mean(), 0)
    deviation = float(detail[full].std())
    if deviation == 0:
        return None
    return _quantise(detail / deviation)


def _subsample(volume: Volume) -> tuple[NDArray[np.float32], NDArray[np.float64]]:
    """Return some voxels of a large volume, evenly spaced, and their affine."""
    excess = volume.voxels.size / _VOXELS
    step = max(1, round(excess ** (1 / 3)))
    voxels = volume.voxels[::step, ::step, ::step].astype(np.float32)
    affine = volume.geometry.affine @ np.diag([step, step, step, 1])
    return voxels, affine


def _quantise(detail: NDArray[np.float64]) -> Fingerprint:
    """Return whole numbers for a grid of unit variance; four standard deviations fill the range."""
    levels = np.rint(detail * 32)
    return np.clip(levels, -127, 127).astype(np.int8)


def likeness(one: Fingerprint, other: Fingerprint) -> float:
    """Return the absolute correlation of two fingerprints, from 0 to 1; 1 for a copy."""
    first = one.ravel().astype(np.float32)
    second = other.ravel().astype(np.float32)
    norms = np.sqrt((first @ first) * (second @ second))
    return abs(float(first @ second)) / float(norms)


def _sum_on_grid(
    voxels: NDArray[np.float32], head: NDArray[np.bool_], affine: NDArray[np.float64]
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the sum and the number of the head's voxels in each cell around its centre."""
    places = np.stack(np.nonzero(head)).astype(np.float32)
    places = affine[:3, :3].astype(np.float32) @ places
    places -= places.mean(axis=1, keepdims=True)
    cells = np.array(_CELLS)[:, np.newaxis]
    indices = np.floor(places / _CELL_MM + cells / 2).astype(np.int64)
    is_inside = ((indices >= 0) & (indices < cells)).all(axis=0)
    flat = np.ravel_multi_index(tuple(indices[:, is_inside]), _CELLS)
    size = int(np.prod(_CELLS))
    sums = np.bincount(flat, voxels[head][is_inside], minlength=size).reshape(_CELLS)
    counts = np.bincount(flat, minlength=size).reshape(_CELLS)
    return np.asarray(sums, np.float64), np.asarray(counts, np.float64)


def _remove_slow_changes(
    means: NDArray[np.float64], full: NDArray[np.bool_]
) -> NDArray[np.float64]:
    """Subtract the smoothed cells from the cells, ignoring those that the head does not fill."""
    weights = np.maximum(_smooth(full.astype(np.float64)), 0.05)
    slow = _smooth(np.where(full, means, 0)) / weights
    return np.where(full, means - slow, 0)


def _smooth(grid: NDArray[np.float64]) -> NDArray[np.float64]:
    for _ in range(_SMOOTHINGS):
        for axis in range(3):
            grid = (np.roll(grid, 1, axis) + 2 * grid + np.roll(grid, -1, axis)) / 4
    return grid
