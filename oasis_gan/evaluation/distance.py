"""The 95 % Hausdorff distance of two regions: how far their surfaces lie from one another, in mm.

Of each surface voxel of the one the distance to the nearest surface voxel of the other; the 95th
percentile of these, and of the two directions the larger one. A surface voxel has a neighbour,
across a face, outside its region.

Nearly all surfaces of a good segmentation lie within a few voxels of the right ones. These
distances are looked up nearest first, and a search tree is asked only where they do not settle the
percentile.
"""

from __future__ import annotations

from itertools import product

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Mask
from .comparison import box_around

DISTANCE_PERCENTILE = 95
_REACH = 3  # voxels along each axis, within which distances are looked up

Spacing = tuple[float, ...]
Distances = NDArray[np.float64]


def measure_distance(expected: Mask, found: Mask, spacing: Spacing) -> float:
    """Return the 95 % Hausdorff distance of two regions that are not empty, in mm."""
    box = box_around(expected | found)
    expected_surface = _find_surface(expected[box])
    found_surface = _find_surface(found[box])
    there = _measure_one_way(expected_surface, found_surface, spacing)
    back = _measure_one_way(found_surface, expected_surface, spacing)
    return max(there, back)


def _find_surface(region: Mask) -> Mask:
    """Return the voxels with a neighbour outside the region; what is beyond the volume counts as outside."""
    from scipy.ndimage import binary_erosion

    return np.asarray(region & ~binary_erosion(region))


def _measure_one_way(start: Mask, goal: Mask, spacing: Spacing) -> float:
    """Return the percentile of the distances from each voxel of a surface to another surface."""
    padded = np.pad(goal, _REACH)
    places = np.flatnonzero(np.pad(start, _REACH))
    distances = np.full(places.size, np.inf)
    # A percentile lies between two of the distances in their order; one more guards against rounding.
    enough = min(places.size, int((places.size - 1) * DISTANCE_PERCENTILE / 100) + 3)
    missing = _look_nearby(places, padded, spacing, distances, enough)
    if places.size - missing.size < enough:
        distances[missing] = _search(places[missing], padded, spacing)
    return float(np.percentile(distances, DISTANCE_PERCENTILE))


def _look_nearby(
    places: NDArray[np.intp],
    goal: Mask,
    spacing: Spacing,
    distances: Distances,
    enough: int,
) -> NDArray[np.intp]:
    """Fill in the distances of places that lie close to the goal; return the others, by index.

    Args:
        places: Flat indices into ``goal``, at least `_REACH` voxels away from its faces.
        goal: The other surface.
        spacing: Of the voxels, mm.
        distances: Of each place, filled in here.
        enough: So many are needed.
    """
    flat = goal.reshape(-1)
    missing = np.arange(places.size)
    for distance, offset in _nearest_offsets(spacing):
        if places.size - missing.size >= enough:
            break
        step = int(np.ravel_multi_index(np.add(offset, _REACH), goal.shape))
        middle = int(np.ravel_multi_index((_REACH,) * 3, goal.shape))
        hit = flat[places[missing] + step - middle]
        distances[missing[hit]] = distance
        missing = missing[~hit]
    return missing


def _nearest_offsets(spacing: Spacing) -> list[tuple[float, tuple[int, ...]]]:
    """Return steps in voxels with their lengths, the shortest first, and every step up to the longest."""
    steps = range(-_REACH, _REACH + 1)
    complete = (_REACH + 1) * min(spacing)
    offsets = []
    for offset in product(steps, steps, steps):
        length = float(np.linalg.norm(np.multiply(offset, spacing)))
        if length < complete:
            offsets.append((length, offset))
    return sorted(offsets)


def _search(places: NDArray[np.intp], goal: Mask, spacing: Spacing) -> Distances:
    """Return the distance of each place to the nearest voxel of the goal."""
    from scipy.spatial import cKDTree

    tree = cKDTree(np.argwhere(goal) * spacing)
    starts = np.column_stack(np.unravel_index(places, goal.shape)) * spacing
    distances: Distances = tree.query(starts)[0]
    return distances
