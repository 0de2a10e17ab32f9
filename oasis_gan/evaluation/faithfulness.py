"""Compare the anatomy of an output, as its segmentation shows it, with that of its label map.

- Dice 1945, https://doi.org/10.2307/1932409: 2 |A and B| / (|A| + |B|).
- Hausdorff distance: see `oasis_gan.evaluation.distance`.
- Volume bias: the volume in the segmentation less that in the label map, with its sign.

Both are compared by tissue, and structure by structure where both distinguish structures. In the
same way the segmentation of an output is compared with that of the real scan.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from ..image.label_sets import OASIS
from ..image.volume import Mask
from .comparison import TOTAL, find_regions
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
    for pair in _pair_regions(expected, found):
        count = int(np.count_nonzero(pair.expected))
        if count:
            voxels[pair.name] = count
            regions[pair.name] = _compare_region(pair, count, spacing)
        elif pair.found.any():
            extra.append(pair.name)
    return Faithfulness(regions, tuple(extra), voxels)


class _RegionPair(NamedTuple):
    """A tissue or a structure, where it is expected and where it was found."""

    name: str
    expected: Mask
    found: Mask


def _pair_regions(expected: LabelMap, found: LabelMap) -> Iterator[_RegionPair]:
    """Yield each tissue, and each structure that both label sets distinguish."""
    expected_tissues = find_regions(expected.tissues.voxels)
    found_tissues = find_regions(found.tissues.voxels)
    # The mask of a tissue that a label map does not have.
    empty = np.zeros(expected.tissues.voxels.shape, np.bool_)
    for name in _TISSUE_NAMES:
        expected_mask = expected_tissues.get(name, empty)
        found_mask = found_tissues.get(name, empty)
        yield _RegionPair(name, expected_mask, found_mask)
    if expected.structures is None or found.structures is None:
        return
    for name in find_common(expected.structures, found.structures):
        expected_mask = expected.structures.mask_of(name)
        found_mask = found.structures.mask_of(name)
        yield _RegionPair(name, expected_mask, found_mask)


def _compare_region(
    pair: _RegionPair,
    expected: int,
    spacing: Spacing,
) -> dict[str, Value]:
    """Compare one region, which is expected to be there.

    Args:
        pair: The region.
        expected: The number of voxels that are expected.
        spacing: The voxel size, mm.
    """
    found = int(np.count_nonzero(pair.found))
    shared = int(np.count_nonzero(pair.expected & pair.found))
    difference = found - expected
    distance: Value = _MISSING
    if found:
        distance = measure_distance(pair.expected, pair.found, spacing)
    return {
        "dice": 2 * shared / (expected + found),
        "hausdorff95": distance,
        "volume_bias_ml": difference * float(np.prod(spacing)) / 1000,
        "volume_bias_percent": 100 * difference / expected,
    }
