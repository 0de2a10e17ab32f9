"""Measure the structural similarity of volumes, of their slices, and over scales.

SSIM: Wang, Bovik, Sheikh and Simoncelli 2004, https://doi.org/10.1109/TIP.2003.819861, as
scikit-image computes it: a uniform window, here of 7 voxels along each axis. MS-SSIM: Wang,
Simoncelli and Bovik 2003, https://doi.org/10.1109/ACSSC.2003.1292216, with the same window and the
weights given there.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from .comparison import TOTAL, Comparison, Image
from .measures import Undefined, Value, checked

WINDOW = 7
"""Voxels of the window along each axis."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales of MS-SSIM, the finest first."""
# The constants of SSIM, as shares of the range; they are squared.
_K1 = 0.01
_K2 = 0.03

Weights = NDArray[np.float32]


def similarity_maps(comparison: Comparison) -> dict[str, Image | Undefined]:
    """Return the map of SSIM in three dimensions, and in the slices of each plane, by the key of the measure."""
    maps = {"ssim": _volume_map(comparison)}
    for plane, axis in comparison.axes.items():
        maps[f"ssim_{plane}"] = _slice_map(comparison, axis)
    return maps


def _volume_map(comparison: Comparison) -> Image | Undefined:
    problem = _problem(comparison, comparison.real.shape)
    return problem or _similarity(comparison.real, comparison.output, comparison.data_range)


def _slice_map(comparison: Comparison, axis: int) -> Image | Undefined:
    shape = list(comparison.real.shape)
    del shape[axis]
    problem = _problem(comparison, tuple(shape))
    if problem:
        return problem
    # Whole slices in memory: a view across the last axis is ten times slower.
    real, output = (
        np.ascontiguousarray(np.moveaxis(v, axis, 0)) for v in (comparison.real, comparison.output)
    )
    pairs = zip(real, output, strict=True)
    maps = [_similarity(*pair, comparison.data_range) for pair in pairs]
    return np.moveaxis(np.stack(maps), 0, axis)


def _problem(comparison: Comparison, shape: tuple[int, ...]) -> Undefined | None:
    """Return why there is no SSIM, if there is none."""
    if comparison.data_range <= 0:
        return Undefined("the real scan is constant there")
    if min(shape) < WINDOW:
        return Undefined(f"fewer than {WINDOW} voxels along an axis")
    return None


def _similarity(real: Image, output: Image, data_range: float) -> Image:
    from skimage.metrics import structural_similarity

    found: Image = structural_similarity(
        real, output, win_size=WINDOW, data_range=data_range, full=True
    )[1]
    return found


def count_scales(comparison: Comparison) -> int:
    """Return how many scales of MS-SSIM there are: each halves the mask, which must not become smaller than a window.

    0 if there is none.
    """
    mask = comparison.regions[TOTAL]
    occupied = [np.flatnonzero(mask.any(axis=others)) for others in ((1, 2), (0, 2), (0, 1))]
    shortest = min(int(at[-1] - at[0]) + 1 for at in occupied)
    return sum(shortest >= WINDOW * 2**scale for scale in range(len(SCALE_WEIGHTS)))


def multi_scale_similarity(comparison: Comparison) -> dict[str, Value]:
    """Return MS-SSIM in three dimensions in each region.

    In a region the mean at each scale is weighted by how much of a voxel lies in it.
    """
    scales = count_scales(comparison)
    if comparison.data_range <= 0 or not scales:
        constant = comparison.data_range <= 0
        reason = (
            "the real scan is constant there"
            if constant
            else f"fewer than {WINDOW} voxels along an axis"
        )
        return dict.fromkeys(comparison.regions, Undefined(reason))
    real = comparison.real
    output = comparison.output
    regions = {name: region.astype(np.float32) for name, region in comparison.regions.items()}
    logarithms = dict.fromkeys(regions, 0.0)
    for scale, weight in enumerate(_weights_of(scales)):
        luminance, structure = _terms(real, output, comparison.data_range)
        similarity = luminance * structure if scale == scales - 1 else structure
        for name, region in regions.items():
            # Below 0, which is worse than unrelated, a power is not defined.
            mean = max(0.0, float(np.average(similarity, weights=region)))
            logarithms[name] += weight * float(np.log(mean))
        real = _halved(real)
        output = _halved(output)
        regions = {name: _halved(region) for name, region in regions.items()}
    return {name: checked(np.exp(logarithm)) for name, logarithm in logarithms.items()}


def _weights_of(scales: int) -> list[float]:
    weights = SCALE_WEIGHTS[:scales]
    return [weight / sum(weights) for weight in weights]


def _terms(real: Image, output: Image, data_range: float) -> tuple[Image, Image]:
    """Return the two factors of SSIM: of means, and of contrast and structure."""
    from scipy.ndimage import uniform_filter

    first = (_K1 * data_range) ** 2
    second = (_K2 * data_range) ** 2
    mean_real, mean_output = (uniform_filter(image, WINDOW) for image in (real, output))
    # Of a sample, as scikit-image has it.
    unbiased = WINDOW**3 / (WINDOW**3 - 1)
    variances = unbiased * (
        uniform_filter(real**2 + output**2, WINDOW) - mean_real**2 - mean_output**2
    )
    covariance = unbiased * (uniform_filter(real * output, WINDOW) - mean_real * mean_output)
    luminance = (2 * mean_real * mean_output + first) / (mean_real**2 + mean_output**2 + first)
    structure = (2 * covariance + second) / (variances + second)
    return luminance, structure


def _halved(image: Weights) -> Weights:
    """Return the means of 2 x 2 x 2 voxels; an odd axis is filled up with 0, the background."""
    filled = np.pad(image, [(0, size % 2) for size in image.shape])
    i, j, k = (size // 2 for size in filled.shape)
    halved: Weights = filled.reshape(i, 2, j, 2, k, 2).mean(axis=(1, 3, 5))
    return halved
