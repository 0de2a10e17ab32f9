"""Add up the steps between neighbouring voxels: by region, by direction, and slice by slice.

A step is the absolute difference of two neighbouring voxels that are both in a region. A step to a
voxel outside it says nothing: there both volumes count as 0.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Mask

Image = NDArray[np.float32]
Sums = NDArray[np.float64]
BySlice = tuple[Sums, Sums, Sums]
"""Sums of each slice, for the slices across each of the three axes of an array."""


@dataclass(frozen=True, eq=False)
class StepSums:
    """Holds the sum of the steps in each slice.

    Args:
        lengths: (slices) sums of the steps.
        pairs: (slices) how many steps these are: pairs of neighbours.
    """

    lengths: Sums
    pairs: Sums

    def __add__(self, other: StepSums) -> StepSums:
        return StepSums(self.lengths + other.lengths, self.pairs + other.pairs)

    def between_slices(self) -> StepSums:
        """Return (slices - 1) sums, each of a slice and the next."""
        lengths = self.lengths[:-1] + self.lengths[1:]
        pairs = self.pairs[:-1] + self.pairs[1:]
        return StepSums(lengths, pairs)

    def means(self) -> Sums:
        """Return the mean step of each slice."""
        means: Sums = self.lengths / self.pairs
        return means

    def mean(self) -> np.float64:
        """Return the mean step of all slices; NaN if there is none."""
        # A NumPy float: a Python float would raise where there is no step.
        mean: np.float64 = self.lengths.sum() / self.pairs.sum()
        return mean


@dataclass(frozen=True, eq=False)
class RegionSteps:
    """Holds the sums of the steps of a volume in one region.

    Args:
        lengths: For the steps along each axis, their sums.
        pairs: For the steps along each axis, how many there are.
    """

    lengths: tuple[BySlice, BySlice, BySlice]
    pairs: tuple[BySlice, BySlice, BySlice]

    def along(self, axis: int, across: int) -> StepSums:
        """Return the steps along an axis, added up in the slices across an axis.

        Steps along the very axis that the slices lie across lead from each slice to the next; there
        is one sum fewer than slices.
        """
        return StepSums(self.lengths[axis][across], self.pairs[axis][across])


@dataclass(frozen=True, eq=False)
class StepPair:
    """Holds the steps of a real scan and of an output in one region."""

    real: RegionSteps
    output: RegionSteps


def add_up_steps(
    real: Image,
    output: Image,
    regions: Mapping[str, Mask],
) -> dict[str, StepPair]:
    """Return the steps of a real scan and of an output, by region."""
    pairs = _find_pairs(regions)
    # What overflows becomes infinite, and every figure of it undefined.
    with np.errstate(all="ignore"):
        real_steps = _add_up_volume(real, pairs)
        output_steps = _add_up_volume(output, pairs)
    return {name: StepPair(real_steps[name], output_steps[name]) for name in regions}


@dataclass(frozen=True, eq=False)
class _Pairs:
    """Which voxels of a region have their next neighbour along an axis in the region too."""

    both: Mask
    counts: BySlice


def _find_pairs(regions: Mapping[str, Mask]) -> dict[str, list[_Pairs]]:
    """Return the pairs of neighbours in each region, along each axis."""
    found = {}
    for name, region in regions.items():
        along = [_find_pairs_along(region, axis) for axis in range(3)]
        found[name] = along
    return found


def _find_pairs_along(region: Mask, axis: int) -> _Pairs:
    moved = np.moveaxis(region, axis, 0)
    both = np.moveaxis(moved[:-1] & moved[1:], 0, axis)
    return _Pairs(both, add_up_slices(both))


def _add_up_volume(image: Image, pairs: Mapping[str, list[_Pairs]]) -> dict[str, RegionSteps]:
    """Return the steps of a volume, by region."""
    lengths: dict[str, list[BySlice]] = {name: [] for name in pairs}
    for axis in range(3):
        steps = np.abs(np.diff(image, axis=axis))
        for name, found in pairs.items():
            inside = np.where(found[axis].both, steps, np.float32(0))
            lengths[name].append(add_up_slices(inside))
    return {name: _make_steps(lengths[name], pairs[name]) for name in pairs}


def _make_steps(lengths: list[BySlice], pairs: list[_Pairs]) -> RegionSteps:
    first, second, third = lengths
    first_pairs, second_pairs, third_pairs = (found.counts for found in pairs)
    return RegionSteps((first, second, third), (first_pairs, second_pairs, third_pairs))


def add_up_slices(values: NDArray[np.generic]) -> BySlice:
    """Return the sums of an array in the slices across each axis, in 64 bits."""
    rows = values.sum(axis=2, dtype=np.float64)
    columns = values.sum(axis=0, dtype=np.float64)
    return rows.sum(axis=1), rows.sum(axis=0), columns.sum(axis=0)
