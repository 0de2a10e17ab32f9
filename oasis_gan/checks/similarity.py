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
_GRID_SIZE = np.array(_CELLS)[:, np.newaxis]
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
    cells = _find_cells(head, affine)
    sums, counts = _sum_by_cell(cells, voxels[head])
    is_filled = counts > 0
    means = np.where(is_filled, sums / np.maximum(counts, 1), 0)
    typical_count = np.median(counts[is_filled])
    # The mean of a cell at the rim is taken over few voxels, and is unreliable.
    full = counts > 0.5 * typical_count
    detail = _remove_slow_changes(means, full)
    return _quantise(detail, full)


def compute_similarity(one: Fingerprint, other: Fingerprint) -> float:
    """Return the absolute correlation of two fingerprints, from 0 to 1; 1 for a copy."""
    first = one.ravel().astype(np.float32)
    second = other.ravel().astype(np.float32)
    product = float(first @ second)
    squares = (first @ first) * (second @ second)
    return abs(product) / float(np.sqrt(squares))


def _subsample(volume: Volume) -> tuple[Voxels, Affine]:
    """Return some voxels of a large volume, evenly spaced, and their affine."""
    excess = volume.voxels.size / _VOXELS
    step = max(1, round(excess ** (1 / 3)))
    sample = volume.voxels[::step, ::step, ::step]
    scale = np.diag([step, step, step, 1])
    affine = volume.geometry.affine @ scale
    return sample.astype(np.float32), affine


def _find_cells(head: Mask, affine: Affine) -> NDArray[np.int64]:
    """Return the cell of each voxel of the head, (3, voxels); a cell may lie outside the grid.

    Args:
        head: Mask of the voxels of the head; its centre is that of the grid.
        affine: Voxel indices to mm.
    """
    indices = np.stack(np.nonzero(head)).astype(np.float32)
    axes = affine[:3, :3].astype(np.float32)
    places_mm = axes @ indices
    places_mm -= places_mm.mean(axis=1, keepdims=True)
    middle = _GRID_SIZE / 2
    cells = np.floor(places_mm / _CELL_MM + middle)
    return cells.astype(np.int64)


def _sum_by_cell(cells: NDArray[np.int64], values: Voxels) -> tuple[Cells, Cells]:
    """Return the sum and the number of the values in each cell of the grid."""
    is_on_axis = (cells >= 0) & (cells < _GRID_SIZE)
    is_on_grid = is_on_axis.all(axis=0)
    on_grid = cells[:, is_on_grid]
    flat = np.ravel_multi_index(tuple(on_grid), _CELLS)
    number = math.prod(_CELLS)
    sums = np.bincount(flat, values[is_on_grid], minlength=number)
    counts = np.bincount(flat, minlength=number)
    return _as_grid(sums), _as_grid(counts)


def _as_grid(numbers: NDArray[np.generic]) -> Cells:
    """Return a number for each cell as a grid of cells."""
    return np.asarray(numbers, np.float64).reshape(_CELLS)


def _remove_slow_changes(means: Cells, full: Mask) -> Cells:
    """Subtract the smoothed cells from the cells, ignoring those that the head does not fill."""
    filled = _smooth(full.astype(np.float64))
    # Far from the head this would divide by almost nothing.
    weights = np.maximum(filled, 0.05)
    inside = np.where(full, means, 0)
    slow = _smooth(inside) / weights
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
    clipped = np.clip(levels, -127, 127)
    return clipped.astype(np.int8)
