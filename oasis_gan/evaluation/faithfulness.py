"""Whether the anatomy of an output is that of its label map: its segmentation compared with the map, by tissue.

- Dice 1945, https://doi.org/10.2307/1932409: 2 |A and B| / (|A| + |B|).
- Hausdorff distance: of each surface voxel of the one, how far the nearest surface voxel of the other is, in mm; the
  95th percentile of these distances, and of the two directions the larger one. A surface voxel has a neighbour, across
  a face, outside its region.
- Volume bias: the volume in the segmentation less that in the label map, with its sign.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..image.volume import Mask, Volume
from .comparison import regions_of
from .measures import Scores, Undefined, Value

DISTANCE_PERCENTILE = 95
_MISSING = Undefined("the segmentation has none of it")

Spacing = tuple[float, ...]


@dataclass(frozen=True)
class Faithfulness:
    """How a segmentation of an output compares with the label map that it was made from.

    Args:
        regions: The values of `FAITHFULNESS_MEASURES` by region of the label map.
        extra: The tissues of the segmentation that the label map does not have.
    """

    regions: Mapping[str, Scores]
    extra: tuple[str, ...]


def compare_segmentation(tissues: Volume, segmentation: Volume) -> Faithfulness:
    """Compare a segmentation with a label map, both in tissues and on one grid."""
    expected = regions_of(tissues.voxels)
    found = regions_of(segmentation.voxels)
    nothing = np.zeros(tissues.voxels.shape, np.bool_)
    spacing = tissues.geometry.spacing
    regions = {
        name: _compare_region(region, found.get(name, nothing), spacing)
        for name, region in expected.items()
    }
    return Faithfulness(regions, tuple(name for name in found if name not in expected))


def _compare_region(expected: Mask, found: Mask, spacing: Spacing) -> dict[str, Value]:
    """Compare one region, which the label map has."""
    expected_voxels = int(np.count_nonzero(expected))
    found_voxels = int(np.count_nonzero(found))
    shared = int(np.count_nonzero(expected & found))
    difference = found_voxels - expected_voxels
    return {
        "dice": 2 * shared / (expected_voxels + found_voxels),
        "hausdorff95": _measure_distance(expected, found, spacing) if found_voxels else _MISSING,
        "volume_bias_ml": difference * float(np.prod(spacing)) / 1000,
        "volume_bias_percent": 100 * difference / expected_voxels,
    }


def _measure_distance(expected: Mask, found: Mask, spacing: Spacing) -> float:
    """Return the 95 % Hausdorff distance of two regions that are not empty, in mm."""
    from scipy.ndimage import distance_transform_edt

    box = _box_around(expected | found)
    surfaces = [_surface(region[box]) for region in (expected, found)]
    percentiles = []
    for one, other in (surfaces, reversed(surfaces)):
        distances = distance_transform_edt(~other, sampling=spacing)[one]
        percentiles.append(float(np.percentile(distances, DISTANCE_PERCENTILE)))
    return max(percentiles)


def _surface(region: Mask) -> Mask:
    """Return the voxels of a region that have a neighbour outside it; what is beyond the volume counts as outside."""
    from scipy.ndimage import binary_erosion

    return np.asarray(region & ~binary_erosion(region))


def _box_around(mask: Mask) -> tuple[slice, ...]:
    occupied = [np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    return tuple(slice(int(at[0]), int(at[-1]) + 1) for at in occupied)
