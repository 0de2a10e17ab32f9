"""The 95 % Hausdorff distance of two regions: how far their surfaces lie from one another, in mm.

Each surface voxel of one region has a distance to the nearest surface voxel of the other. The
result is the 95th percentile of these distances, in the direction in which it is larger. A surface
voxel has a neighbour, across a face, outside its region.

Nearly all surfaces of a good segmentation lie within a few voxels of the right ones. These
distances are looked up nearest first, and a search tree is asked only where they do not settle the
percentile.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Mask
from .comparison import find_box

DISTANCE_PERCENTILE = 95
_REACH = 3  # voxels along each axis, within which distances are looked up

Spacing = tuple[float, ...]
Distances = NDArray[np.float64]
Places = NDArray[np.intp]
Offset = tuple[int, int, int]


def measure_distance(expected: Mask, found: Mask, spacing: Spacing) -> float:
    """Return the 95 % Hausdorff distance of two regions that are not empty, in mm."""
    # Nothing outside this box can be near a surface.
    box = find_box(expected | found)
    expected_surface = _find_surface(expected[box])
    found_surface = _find_surface(found[box])
    there = _measure_one_way(expected_surface, found_surface, spacing)
    back = _measure_one_way(found_surface, expected_surface, spacing)
    return max(there, back)


def _find_surface(region: Mask) -> Mask:
    """Return the voxels with a neighbour outside the region; beyond the volume is outside too."""
    # SciPy is optional: it comes with the extra `evaluation`.
    from scipy.ndimage import binary_erosion

    return np.asarray(region & ~binary_erosion(region))


def _measure_one_way(start: Mask, goal: Mask, spacing: Spacing) -> float:
    """Return the percentile of the distances from each voxel of a surface to another surface."""
    padded = np.pad(goal, _REACH)
    places = np.flatnonzero(np.pad(start, _REACH))
    distances = np.full(places.size, np.inf)
    # A percentile lies between two of the distances in their order. One more guards against
    # rounding.
    rank = int((places.size - 1) * DISTANCE_PERCENTILE / 100)
    enough = min(places.size, rank + 3)
    missing = _look_nearby(places, padded, spacing, distances, enough)
    if places.size - missing.size < enough:
        distances[missing] = _search(places[missing], padded, spacing)
    return float(np.percentile(distances, DISTANCE_PERCENTILE))


def _look_nearby(
    places: Places,
    goal: Mask,
    spacing: Spacing,
    distances: Distances,
    enough: int,
) -> Places:
    """Fill in the distances of places that lie close to the goal; return the others, by index.

    Args:
        places: Flat indices into ``goal``, at least `_REACH` voxels away from its faces.
        goal: The other surface.
        spacing: The voxel size, mm.
        distances: The distance of each place, which is filled in here.
        enough: How many distances are needed.
    """
    flat = goal.reshape(-1)
    missing = np.arange(places.size)
    # In a flat array, one voxel along an axis is this many places away.
    _, rows, columns = goal.shape
    strides = (rows * columns, columns, 1)
    for distance, offset in _list_offsets(spacing):
        if places.size - missing.size >= enough:
            break
        step = int(np.dot(offset, strides))
        # The shortest step comes first, so the first hit is the nearest.
        is_hit = flat[places[missing] + step]
        distances[missing[is_hit]] = distance
        missing = missing[~is_hit]
    return missing


def _list_offsets(spacing: Spacing) -> list[tuple[float, Offset]]:
    """Return steps in voxels with their lengths, the shortest first.

    No step up to the longest is left out.
    """
    steps = range(-_REACH, _REACH + 1)
    # From this length on, some steps reach further than `_REACH` voxels along an axis.
    complete = (_REACH + 1) * min(spacing)
    offsets = []
    for offset in product(steps, steps, steps):
        millimetres = np.multiply(offset, spacing)
        length = float(np.linalg.norm(millimetres))
        if length < complete:
            offsets.append((length, offset))
    return sorted(offsets)


def _search(places: Places, goal: Mask, spacing: Spacing) -> Distances:
    """Return the distance of each place to the nearest voxel of the goal."""
    from scipy.spatial import cKDTree

    # Surfaces lie on a grid, where a tree that splits space evenly is searched much faster.
    tree = cKDTree(np.argwhere(goal) * spacing, balanced_tree=False, compact_nodes=False)
    indices = np.unravel_index(places, goal.shape)
    starts = np.column_stack(indices) * spacing
    distances: Distances = tree.query(starts, workers=-1)[0]
    return distances
