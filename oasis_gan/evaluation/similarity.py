"""Measure the structural similarity of volumes, of their slices, and over scales.

SSIM: Wang, Bovik, Sheikh and Simoncelli 2004, https://doi.org/10.1109/TIP.2003.819861, as
scikit-image computes it: a uniform window, here of 7 voxels along each axis. MS-SSIM: Wang,
Simoncelli and Bovik 2003, https://doi.org/10.1109/ACSSC.2003.1292216, with the same window and the
weights given there.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from .comparison import TOTAL, Comparison, Image, find_box
from .measures import CONSTANT, Undefined, Value, catch_overflow

WINDOW = 7
"""Voxels of the window along each axis."""
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
"""Of the scales of MS-SSIM, the finest first."""
# The constants of SSIM, as shares of the range; they are squared.
_K1 = 0.01
_K2 = 0.03
_UNBIASED = WINDOW**3 / (WINDOW**3 - 1)  # variances of a sample, as scikit-image has them
_TOO_NARROW = Undefined(f"fewer than {WINDOW} voxels along an axis")

Weights = NDArray[np.float32]


def compute_similarity_maps(comparison: Comparison) -> dict[str, Image | Undefined]:
    """Return the maps of SSIM in three dimensions and in the slices of each plane.

    The keys are those of the measures.
    """
    maps = {"ssim": _compute_volume_map(comparison)}
    for plane, axis in comparison.axes.items():
        maps[f"ssim_{plane}"] = _compute_slice_map(comparison, axis)
    return maps


def _compute_volume_map(comparison: Comparison) -> Image | Undefined:
    problem = _find_problem(comparison, comparison.real.shape)
    if problem:
        return problem
    return _compute_similarity(comparison.real, comparison.output, comparison.data_range)


def _compute_slice_map(comparison: Comparison, axis: int) -> Image | Undefined:
    # The window of SSIM must fit into the slices, but not across them.
    shape = list(comparison.real.shape)
    del shape[axis]
    problem = _find_problem(comparison, tuple(shape))
    if problem:
        return problem
    real_slices = _to_slices(comparison.real, axis)
    output_slices = _to_slices(comparison.output, axis)
    maps = []
    for real, output in zip(real_slices, output_slices, strict=True):
        maps.append(_compute_similarity(real, output, comparison.data_range))
    return np.moveaxis(np.stack(maps), 0, axis)


def _to_slices(image: Image, axis: int) -> Image:
    """Return an image with the slices of an axis along its first axis."""
    # Whole slices in memory: a view across the last axis is ten times slower.
    return np.ascontiguousarray(np.moveaxis(image, axis, 0))


def _find_problem(comparison: Comparison, shape: tuple[int, ...]) -> Undefined | None:
    """Return why there is no SSIM, if there is none."""
    if comparison.data_range <= 0:
        return CONSTANT
    if min(shape) < WINDOW:
        return _TOO_NARROW
    return None


def _compute_similarity(real: Image, output: Image, data_range: float) -> Image:
    # scikit-image is optional: it comes with the extra `evaluation`.
    from skimage.metrics import structural_similarity

    found: Image = structural_similarity(
        real,
        output,
        win_size=WINDOW,
        data_range=data_range,
        full=True,
    )[1]
    return found


def count_scales(comparison: Comparison) -> int:
    """Return how many scales of MS-SSIM there are; 0 if there is none.

    Each scale halves the mask, which must not become smaller than a window.
    """
    box = find_box(comparison.regions[TOTAL])
    shortest = min(side.stop - side.start for side in box)
    scales = range(len(SCALE_WEIGHTS))
    return sum(shortest >= WINDOW * 2**scale for scale in scales)


def compute_multi_scale_similarity(comparison: Comparison) -> dict[str, Value]:
    """Return MS-SSIM in three dimensions in each region.

    In a region the mean at each scale is weighted by how much of a voxel lies in it.
    """
    scales = count_scales(comparison)
    if comparison.data_range <= 0:
        return dict.fromkeys(comparison.regions, CONSTANT)
    if not scales:
        return dict.fromkeys(comparison.regions, _TOO_NARROW)
    logarithms = dict.fromkeys(comparison.regions, 0.0)
    # If there are fewer scales, their weights still add up to 1.
    weights = SCALE_WEIGHTS[:scales]
    for scale, level in enumerate(_iter_levels(comparison, scales)):
        similarity = level.compare_structure()
        # As in the paper, luminance has a part at the coarsest scale only.
        if scale == scales - 1:
            similarity = level.compare_luminance() * similarity
        weight = weights[scale] / sum(weights)
        for name, region in level.regions.items():
            logarithms[name] += weight * _compute_log_mean(similarity, region)
    return {name: catch_overflow(np.exp(logarithm)) for name, logarithm in logarithms.items()}


def _compute_log_mean(similarity: Image, region: Weights) -> float:
    """Return the logarithm of the weighted mean of a map."""
    mean = float(np.average(similarity, weights=region))
    # Below 0, which is worse than unrelated, a power is not defined.
    return float(np.log(max(0.0, mean)))


@dataclass(frozen=True, eq=False)
class _Level:
    """Two volumes at one scale, and the share of each voxel that lies in a region, by its name."""

    real: Image
    output: Image
    regions: Mapping[str, Weights]
    data_range: float

    def halve(self) -> _Level:
        """Return the next scale."""
        return replace(
            self,
            real=_halve(self.real),
            output=_halve(self.output),
            regions={name: _halve(region) for name, region in self.regions.items()},
        )

    def compare_luminance(self) -> Image:
        """Return the first factor of SSIM, which compares means."""
        constant = (_K1 * self.data_range) ** 2
        real = _average(self.real)
        output = _average(self.output)
        product = 2 * real * output
        squares = real**2 + output**2
        luminance: Image = (product + constant) / (squares + constant)
        return luminance

    def compare_structure(self) -> Image:
        """Return the second factor of SSIM, which compares contrast and structure."""
        constant = (_K2 * self.data_range) ** 2
        real = _average(self.real)
        output = _average(self.output)
        squares = self.real**2 + self.output**2
        product = self.real * self.output
        variances = _UNBIASED * (_average(squares) - real**2 - output**2)
        covariance = _UNBIASED * (_average(product) - real * output)
        structure: Image = (2 * covariance + constant) / (variances + constant)
        return structure


def _iter_levels(comparison: Comparison, scales: int) -> Iterator[_Level]:
    """Yield the scales of two volumes, the finest first."""
    regions = comparison.regions.items()
    level = _Level(
        real=comparison.real,
        output=comparison.output,
        regions={name: region.astype(np.float32) for name, region in regions},
        data_range=comparison.data_range,
    )
    yield level
    for _ in range(1, scales):
        level = level.halve()
        yield level


def _average(image: Image) -> Image:
    """Return the mean of the window around each voxel."""
    # SciPy is optional: it comes with the extra `evaluation`.
    from scipy.ndimage import uniform_filter

    mean: Image = uniform_filter(image, WINDOW)
    return mean


def _halve(image: Weights) -> Weights:
    """Return the means of 2 x 2 x 2 voxels; an odd axis is filled up with 0, the background."""
    margins = [(0, size % 2) for size in image.shape]
    filled = np.pad(image, margins)
    i, j, k = (size // 2 for size in filled.shape)
    blocks = filled.reshape(i, 2, j, 2, k, 2)
    halved: Weights = blocks.mean(axis=(1, 3, 5))
    return halved
