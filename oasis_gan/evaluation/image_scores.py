"""Compare an output with a real scan, voxel by voxel, in the whole mask and in each tissue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..image.choices import Plane
from ..image.volume import Mask
from .comparison import TOTAL, Bounds, Comparison, Image
from .measures import (
    AXES,
    CONSTANT,
    IMAGE_MEASURES,
    Curve,
    Scores,
    Undefined,
    Value,
    catch_overflow,
    json_value,
)
from .similarity import measure_similarity
from .steps import StepPair, add_up_slices

BINS = 64
"""Of the histograms, over the range of intensities."""
_KEYS = tuple(measure.key for measure in IMAGE_MEASURES)
_FLAT = Undefined("one of the two is constant there")
_ONE_SLICE = Undefined("there is one slice in that direction")
_NO_NEIGHBOURS = Undefined("no two voxels are neighbours in that direction")
_NO_GRADIENT = Undefined("the real scan has no gradient in that direction")

Values = NDArray[np.float32]


@dataclass(frozen=True)
class ImageScores:
    """How an output compares with a real scan.

    Args:
        regions: The values of `IMAGE_MEASURES` by region.
        slices: By plane, SSIM in each slice of the volume; None outside the mask, and where there
            is no SSIM.
    """

    regions: Mapping[str, Scores]
    slices: Mapping[Plane, Curve]


def score(comparison: Comparison) -> ImageScores:
    """Compare an output with a real scan in each region."""
    scores: dict[str, Scores] = {}
    slices: dict[Plane, Curve] = {}
    # What overflows, or is divided by 0, becomes `Undefined`.
    with np.errstate(all="ignore"):
        similarity = measure_similarity(comparison)
        for name, region in comparison.regions.items():
            values = _score_region(comparison, region, comparison.steps[name])
            values["ms_ssim"] = similarity.over_scales[name]
            for key, found in similarity.maps.items():
                values[key] = _compute_mean(region, found)
            # In the order in which they are shown.
            scores[name] = {key: values[key] for key in _KEYS}
        for plane in comparison.axes:
            found = similarity.maps[f"ssim_{plane}"]
            slices[plane] = _score_slices(comparison, plane, found)
    return ImageScores(scores, slices)


def _score_slices(
    comparison: Comparison,
    plane: Plane,
    similarity: Image | Undefined,
) -> Curve:
    """Return the mean of a map in each slice of the whole volume."""
    axis = comparison.axes[plane]
    curve: Curve = [None] * comparison.shape[axis]
    if isinstance(similarity, Undefined):
        return curve
    # The arrays of a comparison were cut out of the volume.
    start = comparison.box[axis].start
    mask = comparison.regions[TOTAL]
    voxels = add_up_slices(mask)[axis]
    sums = add_up_slices(np.where(mask, similarity, np.float32(0)))[axis]
    for index in np.flatnonzero(voxels):
        curve[start + int(index)] = json_value(catch_overflow(sums[index] / voxels[index]))
    return curve


def _compute_mean(region: Mask, similarity: Image | Undefined) -> Value:
    if isinstance(similarity, Undefined):
        return similarity
    return catch_overflow(similarity[region].mean(dtype=np.float64))


def _score_region(comparison: Comparison, region: Mask, steps: StepPair) -> dict[str, Value]:
    """Return the measures that look at each voxel by itself, or at pairs of neighbours."""
    real = comparison.real[region]
    output = comparison.output[region]
    # In 64 bits, because squares are added up over millions of voxels.
    error = (real - output).astype(np.float64)
    squared = float((error**2).mean())
    scores: dict[str, Value] = {
        "mae": catch_overflow(np.abs(error).mean()),
        "rmse": catch_overflow(math.sqrt(squared)),
        "psnr": _compute_psnr(squared, comparison.data_range),
        "ncc": _compute_correlation(real, output),
        "histogram": _compute_histogram_intersection(real, output, comparison.bounds),
    }
    for plane, direction in AXES.items():
        axis = comparison.axes[plane]
        slices = comparison.real.shape[axis]
        scores[f"gradient_{direction}"] = _compute_gradient_ratio(steps, axis, slices)
    return scores


def _compute_psnr(squared_error: float, data_range: float) -> Value:
    if data_range <= 0:
        return CONSTANT
    if squared_error == 0:
        return math.inf
    signal = 20 * math.log10(data_range)
    noise = 10 * math.log10(squared_error)
    return catch_overflow(signal - noise)


def _compute_correlation(real: Values, output: Values) -> Value:
    """Return the normalised cross-correlation about the means (Pearson's)."""
    real_deviations = real - real.mean(dtype=np.float64)
    output_deviations = output - output.mean(dtype=np.float64)
    real_square = float((real_deviations**2).sum())
    output_square = float((output_deviations**2).sum())
    if min(real_square, output_square) == 0:
        return _FLAT
    product = float((real_deviations * output_deviations).sum())
    return catch_overflow(product / math.sqrt(real_square * output_square))


def _compute_histogram_intersection(real: Values, output: Values, bounds: Bounds) -> Value:
    """Return the share of two histograms that lies under both.

    What is beyond the range counts in the last bin.

    Swain and Ballard 1991, https://doi.org/10.1007/BF00130487
    """
    low, high = bounds
    if high <= low:
        return CONSTANT
    real_counts = _count_values(real, bounds)
    output_counts = _count_values(output, bounds)
    shared = np.minimum(real_counts, output_counts).sum()
    return catch_overflow(shared / real.size)


def _count_values(values: Values, bounds: Bounds) -> NDArray[np.intp]:
    """Return how many values lie in each bin of a histogram."""
    clipped = np.clip(values, *bounds)
    return np.histogram(clipped, BINS, bounds)[0]


def _compute_gradient_ratio(steps: StepPair, axis: int, slices: int) -> Value:
    """Return the mean absolute step between neighbours of the output over that of the real scan.

    Args:
        steps: The steps of the two volumes in a region.
        axis: Along which voxels are neighbours.
        slices: The number of slices across that axis.
    """
    if slices < 2:
        return _ONE_SLICE
    expected = steps.real.along(axis, across=axis)
    if not expected.pairs.any():
        return _NO_NEIGHBOURS
    real = expected.mean()
    output = steps.output.along(axis, across=axis).mean()
    return catch_overflow(output / real) if real > 0 else _NO_GRADIENT
