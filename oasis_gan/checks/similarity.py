"""Decide whether two volumes show the same head, by comparing fingerprints of 63 kB.

A fingerprint is the volume on a coarse grid around the centre of the head, without its slow
changes: it shows where folds and ventricles are, at any scale of the intensities. The similarity of
two fingerprints is the absolute value of their correlation, because an inverted contrast shows the
same folds. A head is recognised when it is scaled, noisy, stored along other axes, resampled or
moved. It is not recognised when it is rotated by more than two degrees, cropped, or skull-stripped
in only one of the two volumes.
"""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Affine, Mask, Volume, Voxels

Fingerprint = NDArray[np.int8]
Cells = NDArray[np.float64]
"""A number for each cell of the coarse grid."""
SAME_HEAD = 0.7
"""Two fingerprints with a larger similarity than this show the same head."""
_CELL_MM = 4.0
_CELLS = (38, 46, 36)  # 152 x 184 x 144 mm around the centre: a brain
_VOXELS = 2**21  # the most that are sampled: more add nothing
_SMOOTHINGS = 8  # each with (1, 2, 1) / 4: slow is what changes over 2 cells
_LEVELS = 32  # in a standard deviation


def make_fingerprint(volume: Volume) -> Fingerprint | None:
    """Return the fingerprint of a volume with finite voxels, or None for an empty volume."""
    voxels, affine = _subsample(volume)
    inside = voxels[voxels > 0]
    if inside.size == 0:
        return None
    # A head is brighter than the noise around it.
    head = voxels > inside.mean() / 2
    sums, counts = _sum_by_cell(_find_cells(head, affine), voxels[head])
    means = np.where(counts > 0, sums / np.maximum(counts, 1), 0)
    typical_count = np.median(counts[counts > 0])
    full = counts > 0.5 * typical_count
    return _quantise(_remove_slow_changes(means, full), full)


def compute_similarity(one: Fingerprint, other: Fingerprint) -> float:
    """Return the absolute correlation of two fingerprints, from 0 to 1; 1 for a copy."""
    first = one.ravel().astype(np.float32)
    second = other.ravel().astype(np.float32)
    squares = (first @ first) * (second @ second)
    return abs(float(first @ second)) / float(np.sqrt(squares))


def _subsample(volume: Volume) -> tuple[Voxels, Affine]:
    """Return some voxels of a large volume, evenly spaced, and their affine."""
    excess = volume.voxels.size / _VOXELS
    step = max(1, round(excess ** (1 / 3)))
    voxels = volume.voxels[::step, ::step, ::step].astype(np.float32)
    affine = volume.geometry.affine @ np.diag([step, step, step, 1])
    return voxels, affine


def _find_cells(head: Mask, affine: Affine) -> NDArray[np.int64]:
    """Return the cell of each voxel of the head, (3, voxels); a cell may lie outside the grid.

    Args:
        head: Mask of the voxels of the head; its centre is that of the grid.
        affine: Voxel indices to mm.
    """
    indices = np.stack(np.nonzero(head)).astype(np.float32)
    places_mm = affine[:3, :3].astype(np.float32) @ indices
    places_mm -= places_mm.mean(axis=1, keepdims=True)
    middle = np.array(_CELLS)[:, np.newaxis] / 2
    return np.floor(places_mm / _CELL_MM + middle).astype(np.int64)


def _sum_by_cell(cells: NDArray[np.int64], values: Voxels) -> tuple[Cells, Cells]:
    """Return the sum and the number of the values in each cell of the grid."""
    size = np.array(_CELLS)[:, np.newaxis]
    is_on_grid = ((cells >= 0) & (cells < size)).all(axis=0)
    flat = np.ravel_multi_index(tuple(cells[:, is_on_grid]), _CELLS)
    number = math.prod(_CELLS)
    sums = np.bincount(flat, values[is_on_grid], minlength=number)
    counts = np.bincount(flat, minlength=number)
    return _as_grid(sums), _as_grid(counts)


def _as_grid(numbers: NDArray[np.generic]) -> Cells:
    """Return a number for each cell as a grid of cells."""
    return np.asarray(numbers, np.float64).reshape(_CELLS)


def _remove_slow_changes(means: Cells, full: Mask) -> Cells:
    """Subtract the smoothed cells from the cells, ignoring those that the head does not fill."""
    weights = np.maximum(_smooth(full.astype(np.float64)), 0.05)
    slow = _smooth(np.where(full, means, 0)) / weights
    return np.where(full, means - slow, 0)


def _smooth(grid: Cells) -> Cells:
    """Blur a grid along all three axes."""
    for _ in range(_SMOOTHINGS):
        for axis in range(3):
            before = np.roll(grid, 1, axis)
            after = np.roll(grid, -1, axis)
            grid = (before + 2 * grid + after) / 4
    return grid


def _quantise(detail: Cells, full: Mask) -> Fingerprint | None:
    """Scale cells to unit variance and store them as bytes; None if they are all the same.

    Four standard deviations fill the range of a byte.
    """
    detail -= np.where(full, detail[full].mean(), 0)
    deviation = float(detail[full].std())
    if deviation == 0:
        return None
    levels = np.rint(detail / deviation * _LEVELS)
    return np.clip(levels, -127, 127).astype(np.int8)
