"""Measure whether neighbouring slices of an output fit together as those of a real scan do.

A model that works slice by slice may give each slice a level of its own. That makes the steps from
slice to slice larger than the steps within slices. For each plane,

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

from ..image.choices import Plane
from ..image.label_sets import OASIS
from ..image.volume import Voxels
from .comparison import TOTAL, Comparison, Image
from .measures import AXES, Curve, Scores, Undefined, Value, catch_overflow, json_value
from .steps import RegionSteps, StepSums, Sums

ENOUGH = 0.25
"""Of the pairs of the largest step: a step with fewer pairs has no part in the worst one."""
SMOOTHING = 1.0
"""Voxels: the width of the Gaussian that makes smooth anatomy of a label map."""
_NO_STEP = Undefined("no two voxels are neighbours from slice to slice, or none within slices")
_FLAT_OUTPUT = Undefined("the output is constant within slices")
_FLAT_SLICES = Undefined("one of the two is constant from slice to slice or within slices")


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
    """Absolute steps from slice to slice of one plane, and within the slices.

    Args:
        across: The (slices - 1) sums of the steps from each slice to the next.
        within: The (slices) sums of the steps within each slice.
    """

    across: StepSums
    within: StepSums

    def ratio(self) -> float:
        """Return the ratio over all slices; NaN or infinity where there is none."""
        return float(self.across.mean() / self.within.mean())

    def ratios(self) -> Sums:
        """Return the ratio of the step from each slice to the next, to the steps within the two."""
        within = self.within.between_slices()
        return self.across.means() / within.means()


@dataclass(frozen=True, eq=False)
class _StepComparison:
    """The steps of a real scan and of an output, in one region and one plane."""

    real: _Steps
    output: _Steps

    @property
    def has_steps(self) -> bool:
        """Whether there are steps from slice to slice, and steps within slices."""
        return bool(self.real.across.pairs.any() and self.real.within.pairs.any())

    def ratios(self) -> Sums:
        """Return the discontinuity from each slice to the next."""
        return self.output.ratios() / self.real.ratios()

    def measure(self, reference: str) -> Value:
        """Return the discontinuity over all slices."""
        if not self.has_steps:
            return _NO_STEP
        expected = self.real.ratio()
        if not np.isfinite(expected) or expected == 0:
            return Undefined(f"{reference} is constant from slice to slice or within slices")
        found = self.output.ratio()
        return catch_overflow(found / expected) if np.isfinite(found) else _FLAT_OUTPUT

    def find_worst(self) -> Value:
        """Return the largest discontinuity of a step, among those that have enough voxels."""
        if not self.has_steps:
            return _NO_STEP
        ratios = self.ratios()
        pairs = self.real.across.pairs
        # A step of a few voxels, at the end of the head, says little.
        has_enough = pairs >= ENOUGH * pairs.max()
        usable = ratios[has_enough & np.isfinite(ratios)]
        return catch_overflow(usable.max()) if usable.size else _FLAT_SLICES


def measure_discontinuity(
    comparison: Comparison,
    reference: str = "the real scan",
) -> Discontinuity:
    """Compare the steps between the slices of an output with those of a real scan.

    Each region and each direction is compared by itself.

    Args:
        comparison: The output, and a real scan or what takes its place.
        reference: What to call the latter.
    """
    scores: dict[str, dict[str, Value]] = {}
    curves: dict[str, Curve] = {}
    # Where there is no step, figures become NaN or infinite, and then `Undefined`.
    with np.errstate(all="ignore"):
        for name, pair in comparison.steps.items():
            scores[name] = {}
            for plane, direction in AXES.items():
                axis = comparison.axes[plane]
                real = _split_steps(pair.real, axis)
                steps = _StepComparison(real, output=_split_steps(pair.output, axis))
                scores[name][direction] = steps.measure(reference)
                scores[name][f"worst_{direction}"] = steps.find_worst()
                if name == TOTAL:
                    curves[direction] = _place_curve(comparison, plane, steps.ratios())
    return Discontinuity(scores, curves)


def paint_smooth_anatomy(output: Voxels, tissues: Voxels) -> Image:
    """Return what a label map looks like without any slices.

    Each tissue is painted in the mean of the output there, and smoothed with a Gaussian of a width
    of 1 voxel along each axis. The result is divided by what the Gaussian makes of the mask, so
    that the background has no part in it.

    Args:
        output: Intensities.
        tissues: Values of `OASIS`.
    """
    # SciPy is optional: it comes with the extra `evaluation`.
    from scipy.ndimage import gaussian_filter

    painted = np.zeros(tissues.shape, np.float32)
    for label in OASIS.labels:
        region = tissues == label.value
        if region.any():
            painted[region] = output[region].mean(dtype=np.float64)
    # Near the edge the Gaussian mixes in background, by as much as it lowers the mask.
    mask = (tissues != 0).astype(np.float32)
    smoothed = gaussian_filter(painted, SMOOTHING)
    weights = gaussian_filter(mask, SMOOTHING)
    anatomy: Image = np.zeros_like(painted)
    np.divide(smoothed, weights, out=anatomy, where=mask > 0)
    return anatomy


def _split_steps(steps: RegionSteps, axis: int) -> _Steps:
    """Return the steps across the slices of an axis, and those within them."""
    rows, columns = (steps.along(other, axis) for other in range(3) if other != axis)
    return _Steps(across=steps.along(axis, axis), within=rows + columns)


def _place_curve(comparison: Comparison, plane: Plane, ratios: Sums) -> Curve:
    """Return a curve over the slices of the whole volume.

    Each slice has the step from it to the next; the last one has None.
    """
    axis = comparison.axes[plane]
    start = comparison.box[axis].start
    # The arrays of a comparison were cut out of the volume.
    curve: Curve = [None] * comparison.shape[axis]
    for index, ratio in enumerate(ratios, start):
        curve[index] = json_value(catch_overflow(ratio))
    return curve
