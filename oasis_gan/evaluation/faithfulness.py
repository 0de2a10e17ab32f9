"""Whether the anatomy of an output is that of its label map: its segmentation compared with the map.

- Dice 1945, https://doi.org/10.2307/1932409: 2 |A and B| / (|A| + |B|).
- Hausdorff distance: see `oasis_gan.evaluation.distance`.
- Volume bias: the volume in the segmentation less that in the label map, with its sign.

Both are compared by tissue, and structure by structure where both distinguish structures. In the
same way the segmentation of an output is compared with that of the real scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..image.label_sets import OASIS
from ..image.volume import Mask
from .comparison import TOTAL, regions_of
from .distance import Spacing, measure_distance
from .label_maps import LabelMap
from .measures import Scores, Undefined, Value
from .structures import find_common

_TISSUE_NAMES = (TOTAL, *(label.name for label in OASIS.labels))
_MISSING = Undefined("the segmentation has none of it")


@dataclass(frozen=True)
class Faithfulness:
    """How a segmentation of an output compares with what is expected of it.

    Args:
        regions: The values of `FAITHFULNESS_MEASURES` by tissue and structure that is expected.
        extra: The tissues and structures that only the segmentation has.
        voxels: How many are expected, by tissue and structure.
    """

    regions: Mapping[str, Scores]
    extra: tuple[str, ...]
    voxels: Mapping[str, int]


def compare_label_maps(expected: LabelMap, found: LabelMap) -> Faithfulness:
    """Compare a segmentation with what is expected of it, on one grid."""
    spacing = expected.tissues.geometry.spacing
    regions: dict[str, Scores] = {}
    extra: list[str] = []
    voxels: dict[str, int] = {}
    for name, expected_mask, found_mask in _pair_regions(expected, found):
        count = int(np.count_nonzero(expected_mask))
        if count:
            voxels[name] = count
            regions[name] = _compare_region(expected_mask, found_mask, spacing)
        elif found_mask.any():
            extra.append(name)
    return Faithfulness(regions, tuple(extra), voxels)


def _pair_regions(expected: LabelMap, found: LabelMap) -> Iterator[tuple[str, Mask, Mask]]:
    """Yield the name and both masks of each tissue and structure that both label sets distinguish."""
    expected_tissues = regions_of(expected.tissues.voxels)
    found_tissues = regions_of(found.tissues.voxels)
    nothing = np.zeros(expected.tissues.voxels.shape, np.bool_)
    for name in _TISSUE_NAMES:
        yield name, expected_tissues.get(name, nothing), found_tissues.get(name, nothing)
    if expected.structures is None or found.structures is None:
        return
    for name in find_common(expected.structures, found.structures):
        yield name, expected.structures.mask_of(name), found.structures.mask_of(name)


def _compare_region(expected: Mask, found: Mask, spacing: Spacing) -> dict[str, Value]:
    """Compare one region, which is expected to be there."""
    expected_voxels = int(np.count_nonzero(expected))
    found_voxels = int(np.count_nonzero(found))
    shared = int(np.count_nonzero(expected & found))
    difference = found_voxels - expected_voxels
    distance: Value = _MISSING
    if found_voxels:
        distance = measure_distance(expected, found, spacing)
    return {
        "dice": 2 * shared / (expected_voxels + found_voxels),
        "hausdorff95": distance,
        "volume_bias_ml": difference * float(np.prod(spacing)) / 1000,
        "volume_bias_percent": 100 * difference / expected_voxels,
    }
