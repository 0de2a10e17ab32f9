"""Whether neighbouring slices of an output go together, as those of a real scan do.

A model that works slice by slice may give each slice a level of its own. That makes the steps from
slice to slice larger than the steps within slices. Across each plane,

    ratio = mean |step to the next slice| / mean |step within slices|

where a step is the difference of two neighbouring voxels, both in the region; the steps within
slices are those along the two other axes, taken together. The discontinuity is the ratio of the
output over the ratio of the real scan: 1 where the output is as continuous as the scan, above 1
where its slices stand out. Without a real scan the label map takes its place, painted and smoothed:
see `paint_smooth_anatomy`.

The discontinuity does not depend on the unit of intensities, nor on the voxel size, because both
volumes lie on one grid.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..image.choices import Plane
from ..image.label_sets import OASIS
from ..image.volume import Mask, Voxels
from .comparison import TOTAL, Comparison, Image
from .measures import AXES, Curve, Scores, Undefined, Value, checked, json_value

ENOUGH = 0.25
"""Of the pairs of the largest step: a step between slices with fewer pairs has no part in the worst one."""
SMOOTHING = 1.0
"""Voxels: the width of the Gaussian that makes smooth anatomy of a label map."""
_NO_STEP = Undefined("no two voxels are neighbours from slice to slice, or none within slices")
_FLAT_OUTPUT = Undefined("the output is constant within slices")

Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Discontinuity:
    """How much the slices of an output stand out, compared with those of a real scan.

    Args:
        regions: The values of `DISCONTINUITY_MEASURES` by region.
        curves: By direction, the discontinuity from each slice of the volume to the next, in the
            whole mask.
    """

    regions: Mapping[str, Scores]
    curves: Mapping[str, Curve]


@dataclass(frozen=True, eq=False)
class _Steps:
    """Absolute steps across one plane, and within its slices, added up.

    Args:
        across: (slices - 1) sums of the steps from each slice to the next.
        across_pairs: How many steps these are.
        within: (slices) sums of the steps within each slice.
        within_pairs: How many these are.
    """

    across: Sums
    across_pairs: Sums
    within: Sums
    within_pairs: Sums

    def ratio(self) -> float:
        """Return the ratio over all slices; NaN or infinity where there is none."""
        across = self.across.sum() / self.across_pairs.sum()
        within = self.within.sum() / self.within_pairs.sum()
        return float(across / within)

    def ratios(self) -> Sums:
        """Return the ratio of each step from slice to slice, to the steps within these two slices."""
        sums = self.within[:-1] + self.within[1:]
        pairs = self.within_pairs[:-1] + self.within_pairs[1:]
        ratios: Sums = (self.across / self.across_pairs) / (sums / pairs)
        return ratios


def measure_discontinuity(
    comparison: Comparison, reference: str = "the real scan"
) -> Discontinuity:
    """Compare the steps between the slices of an output with those of a real scan, in each region and direction.

    Args:
        comparison: The output, and a real scan or what takes its place.
        reference: What to call the latter.
    """
    scores: dict[str, dict[str, Value]] = {}
    curves: dict[str, Curve] = {}
    with np.errstate(all="ignore"):
        for name, region in comparison.regions.items():
            scores[name] = {}
            for plane, direction in AXES.items():
                real = _add_up(comparison.real, region, comparison.axes[plane])
                output = _add_up(comparison.output, region, comparison.axes[plane])
                along = output.ratios() / real.ratios()
                scores[name][direction] = _compare(real, output, reference)
                scores[name][f"worst_{direction}"] = _find_worst(along, real)
                if name == TOTAL:
                    curves[direction] = _place_curve(comparison, plane, along)
    return Discontinuity(scores, curves)


def paint_smooth_anatomy(output: Voxels, tissues: Voxels) -> Image:
    """Return what a label map looks like without any slices: each tissue in the mean of the output there, smoothed.

    The Gaussian has a width of 1 voxel along each axis. It is divided by what it makes of the mask,
    so that the background has no part in it.

    Args:
        output: Intensities.
        tissues: Values of `OASIS`.
    """
    from scipy.ndimage import gaussian_filter

    painted = np.zeros(tissues.shape, np.float32)
    for label in OASIS.labels:
        region = tissues == label.value
        if region.any():
            painted[region] = output[region].mean(dtype=np.float64)
    mask = (tissues != 0).astype(np.float32)
    smoothed = gaussian_filter(painted, SMOOTHING)
    weights = gaussian_filter(mask, SMOOTHING)
    anatomy: Image = np.divide(smoothed, weights, out=np.zeros_like(painted), where=mask > 0)
    return anatomy


def _add_up(image: Image, region: Mask, axis: int) -> _Steps:
    """Add up the steps of an image in a region, across the slices of an axis and within them."""
    slices = np.moveaxis(image, axis, 0)
    inside = np.moveaxis(region, axis, 0)
    across, across_pairs = _add_up_along(slices, inside, 0)
    rows, row_pairs = _add_up_along(slices, inside, 1)
    columns, column_pairs = _add_up_along(slices, inside, 2)
    return _Steps(across, across_pairs, rows + columns, row_pairs + column_pairs)


def _add_up_along(slices: Image, inside: Mask, axis: int) -> tuple[Sums, Sums]:
    """Return by slice the sum of the absolute steps along an axis, and how many there are."""
    size = slices.shape[axis]
    before = np.arange(size - 1)
    both = inside.take(before, axis) & inside.take(before + 1, axis)
    steps = np.where(both, np.abs(np.diff(slices, axis=axis)), 0)
    sums = steps.sum(axis=(1, 2), dtype=np.float64)
    return sums, np.count_nonzero(both, axis=(1, 2)).astype(np.float64)


def _compare(real: _Steps, output: _Steps, reference: str) -> Value:
    """Return the discontinuity over all slices."""
    if not (real.across_pairs.any() and real.within_pairs.any()):
        return _NO_STEP
    expected = real.ratio()
    if not np.isfinite(expected) or expected == 0:
        return Undefined(f"{reference} is constant from slice to slice or within slices")
    found = output.ratio()
    return checked(found / expected) if np.isfinite(found) else _FLAT_OUTPUT


def _find_worst(along: Sums, steps: _Steps) -> Value:
    """Return the largest discontinuity of a step, among those that have enough voxels to say something."""
    if not (steps.across_pairs.any() and steps.within_pairs.any()):
        return _NO_STEP
    has_enough = steps.across_pairs >= ENOUGH * steps.across_pairs.max()
    usable = along[has_enough & np.isfinite(along)]
    if not usable.size:
        return Undefined("one of the two is constant from slice to slice or within slices")
    return checked(usable.max())


def _place_curve(comparison: Comparison, plane: Plane, along: Sums) -> Curve:
    """Return a curve over the slices of the whole volume: the step from each to the next, None after the last."""
    axis = comparison.axes[plane]
    curve: Curve = [None] * comparison.shape[axis]
    for index, value in enumerate(along):
        curve[comparison.box[axis].start + index] = json_value(checked(value))
    return curve
