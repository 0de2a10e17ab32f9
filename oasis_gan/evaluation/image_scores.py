"""Compare an output with a real scan, voxel by voxel, in the whole mask and in each tissue."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ..image.choices import Plane
from ..image.regions import iter_neighbours
from ..image.volume import Mask
from .comparison import TOTAL, Comparison, Image
from .measures import AXES, IMAGE_MEASURES, Curve, Scores, Undefined, Value, checked, json_value
from .similarity import multi_scale_similarity, similarity_maps

BINS = 64
"""Of the histograms, over the range of intensities."""
CONSTANT = Undefined("the real scan is constant there")
_FLAT = Undefined("one of the two is constant there")

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
    with np.errstate(all="ignore"):
        maps = similarity_maps(comparison)
        over_scales = multi_scale_similarity(comparison)
        scored = {}
        for name, region in comparison.regions.items():
            values = _score_region(comparison, region)
            values |= {key: _mean_in(region, similarity) for key, similarity in maps.items()}
            scored[name] = values | {"ms_ssim": over_scales[name]}
    keys = [measure.key for measure in IMAGE_MEASURES]
    ordered = {name: {key: values[key] for key in keys} for name, values in scored.items()}
    slices = {
        plane: _by_slice(comparison, plane, maps[f"ssim_{plane}"]) for plane in comparison.axes
    }
    return ImageScores(ordered, slices)


def _by_slice(comparison: Comparison, plane: Plane, similarity: Image | Undefined) -> Curve:
    """Return the mean of a map in each slice of the whole volume."""
    axis = comparison.axes[plane]
    curve: Curve = [None] * comparison.shape[axis]
    if isinstance(similarity, Undefined):
        return curve
    mask = np.moveaxis(comparison.regions[TOTAL], axis, 0)
    along = np.moveaxis(similarity, axis, 0)
    for index in np.flatnonzero(mask.any(axis=(1, 2))):
        curve[comparison.box[axis].start + int(index)] = json_value(
            _mean_in(mask[index], along[index])
        )
    return curve


def _mean_in(region: Mask, similarity: Image | Undefined) -> Value:
    if isinstance(similarity, Undefined):
        return similarity
    return checked(similarity[region].mean(dtype=np.float64))


def _score_region(comparison: Comparison, region: Mask) -> dict[str, Value]:
    """Return the measures that look at each voxel by itself, or at pairs of neighbours."""
    real = comparison.real[region]
    output = comparison.output[region]
    error = (real - output).astype(np.float64)
    squared = float((error**2).mean())
    scores: dict[str, Value] = {
        "mae": checked(np.abs(error).mean()),
        "rmse": checked(math.sqrt(squared)),
        "psnr": _psnr(squared, comparison.data_range),
        "ncc": _correlation(real, output),
        "histogram": _histogram_intersection(real, output, comparison.bounds),
    }
    for plane, axis_name in AXES.items():
        scores[f"gradient_{axis_name}"] = _gradient_ratio(comparison, region, plane)
    return scores


def _psnr(squared_error: float, data_range: float) -> Value:
    if data_range <= 0:
        return CONSTANT
    if squared_error == 0:
        return math.inf
    return checked(20 * math.log10(data_range) - 10 * math.log10(squared_error))


def _correlation(real: Values, output: Values) -> Value:
    """Return the normalised cross-correlation about the means (Pearson's)."""
    deviations = [values - values.mean(dtype=np.float64) for values in (real, output)]
    squares = [float((values**2).sum()) for values in deviations]
    if min(squares) == 0:
        return _FLAT
    return checked(
        float((deviations[0] * deviations[1]).sum()) / math.sqrt(squares[0] * squares[1])
    )


def _histogram_intersection(real: Values, output: Values, bounds: tuple[float, float]) -> Value:
    """Return the share of two histograms that lies under both; what is beyond the range counts in the last bin.

    Swain and Ballard 1991, https://doi.org/10.1007/BF00130487
    """
    if bounds[1] <= bounds[0]:
        return CONSTANT
    counts = [np.histogram(np.clip(values, *bounds), BINS, bounds)[0] for values in (real, output)]
    return checked(np.minimum(*counts).sum() / real.size)


def _gradient_ratio(comparison: Comparison, region: Mask, plane: Plane) -> Value:
    """Return the mean absolute step between neighbours of the output over that of the real scan, across a plane."""
    axis = comparison.axes[plane]
    pairs = list(iter_neighbours(region.shape, (axis,)))
    if not pairs:
        return Undefined("there is one slice in that direction")
    here, there = pairs[0]
    both = region[here] & region[there]
    if not both.any():
        return Undefined("no two voxels are neighbours in that direction")
    real, output = (
        float(np.abs(voxels[there] - voxels[here])[both].mean(dtype=np.float64))
        for voxels in (comparison.real, comparison.output)
    )
    return (
        checked(output / real)
        if real > 0
        else Undefined("the real scan has no gradient in that direction")
    )
