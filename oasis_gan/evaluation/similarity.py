"""Measure the structural similarity of volumes, of their slices, and over scales.

SSIM: Wang, Bovik, Sheikh and Simoncelli 2004, https://doi.org/10.1109/TIP.2003.819861, with the
arithmetic of scikit-image: a uniform window, here of 7 voxels along each axis. MS-SSIM: Wang,
Simoncelli and Bovik 2003, https://doi.org/10.1109/ACSSC.2003.1292216, with the same window and the
weights given there.

The mean over a window is taken along one axis after the other. A slice needs it along two axes and
a volume along all three, so that they have steps in common, and each step is computed once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

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
_TOO_NARROW = Undefined(f"fewer than {WINDOW} voxels along an axis")

Weights = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Similarity:
    """What is known of the structural similarity of two volumes.

    Args:
        maps: SSIM in each voxel, by the key of the measure: in three dimensions, and in the slices
            of each plane.
        over_scales: MS-SSIM in three dimensions, by region.
    """

    maps: Mapping[str, Image | Undefined]
    over_scales: Mapping[str, Value]


@dataclass(frozen=True, eq=False)
class _Moments:
    """Two images and their products, or the means of these over a window."""

    real: Image
    output: Image
    real_square: Image
    output_square: Image
    product: Image

    @classmethod
    def of(cls, real: Image, output: Image) -> _Moments:
        """Return two images and their products."""
        return cls(real, output, real * real, output * output, real * output)

    def average(self, *axes: int) -> _Moments:
        """Return the means of `WINDOW` voxels, along one axis after the other."""
        return _Moments(
            real=_average(self.real, axes),
            output=_average(self.output, axes),
            real_square=_average(self.real_square, axes),
            output_square=_average(self.output_square, axes),
            product=_average(self.product, axes),
        )

    def compare(self, data_range: float, axes: int) -> Image:
        """Return SSIM in each voxel.

        Args:
            data_range: Of the intensities.
            axes: How many axes the window has.
        """
        similarity, squares = self._compare_means(data_range)
        covariance, variances = self._compare_deviations(data_range, axes)
        similarity *= covariance
        squares *= variances
        similarity /= squares
        return similarity

    def compare_luminance(self, data_range: float) -> Image:
        """Return the first factor of SSIM, which compares means."""
        product, squares = self._compare_means(data_range)
        return np.asarray(product / squares)

    def compare_structure(self, data_range: float, axes: int) -> Image:
        """Return the second factor of SSIM, which compares contrast and structure."""
        covariance, variances = self._compare_deviations(data_range, axes)
        return np.asarray(covariance / variances)

    def _compare_means(self, data_range: float) -> tuple[Image, Image]:
        """Return the numerator and the denominator of the first factor."""
        constant = (_K1 * data_range) ** 2
        product = self.real * self.output
        product *= 2
        product += constant
        squares = self.real**2
        squares += self.output**2
        squares += constant
        return product, squares

    def _compare_deviations(self, data_range: float, axes: int) -> tuple[Image, Image]:
        """Return the numerator and the denominator of the second factor."""
        constant = (_K2 * data_range) ** 2
        voxels = WINDOW**axes
        unbiased = voxels / (voxels - 1)  # variances of a sample
        variances = unbiased * _subtract_product(self.real_square, self.real, self.real)
        variances += unbiased * _subtract_product(self.output_square, self.output, self.output)
        variances += constant
        covariance = _subtract_product(self.product, self.real, self.output)
        covariance *= 2 * unbiased
        covariance += constant
        return covariance, variances


def _subtract_product(mean: Image, one: Image, other: Image) -> Image:
    """Return the mean of a product less the product of the means."""
    product = one * other
    # In place, like the steps that follow: most of their time is that of new arrays.
    np.subtract(mean, product, out=product)
    return product


def measure_similarity(comparison: Comparison) -> Similarity:
    """Return the structural similarity of two volumes."""
    measures = {axis: f"ssim_{plane}" for plane, axis in comparison.axes.items()}
    maps: dict[str, Image | Undefined] = {}
    # In an order in which few means, of five volumes each, are in memory together.
    images = _Moments.of(comparison.real, comparison.output)
    maps[measures[0]] = _make_map(comparison, images.average(1, 2), (1, 2))
    means = images.average(0)
    del images
    maps[measures[1]] = _make_map(comparison, means.average(2), (0, 2))
    means = means.average(1)
    maps[measures[2]] = _make_map(comparison, means, (0, 1))
    means = means.average(2)
    maps["ssim"] = _make_map(comparison, means, (0, 1, 2))
    return Similarity(maps, _compare_over_scales(comparison, means))


def _make_map(
    comparison: Comparison,
    means: _Moments,
    axes: tuple[int, ...],
) -> Image | Undefined:
    """Return the map of SSIM, or why there is none.

    Args:
        comparison: The two volumes.
        means: Over a window.
        axes: Of the window.
    """
    if comparison.data_range <= 0:
        return CONSTANT
    # A window must fit into the slices, and not across them.
    if min(comparison.real.shape[axis] for axis in axes) < WINDOW:
        return _TOO_NARROW
    return means.compare(comparison.data_range, len(axes))


def count_scales(comparison: Comparison) -> int:
    """Return how many scales of MS-SSIM there are; 0 if there is none.

    Each scale halves the mask, which must not become smaller than a window.
    """
    box = find_box(comparison.regions[TOTAL])
    shortest = min(side.stop - side.start for side in box)
    scales = range(len(SCALE_WEIGHTS))
    return sum(shortest >= WINDOW * 2**scale for scale in scales)


def _compare_over_scales(comparison: Comparison, finest: _Moments) -> dict[str, Value]:
    """Return MS-SSIM in three dimensions in each region.

    In a region the mean at each scale is weighted by how much of a voxel lies in it.

    Args:
        comparison: The two volumes.
        finest: The means over windows at the finest scale.
    """
    scales = count_scales(comparison)
    data_range = comparison.data_range
    if data_range <= 0:
        return dict.fromkeys(comparison.regions, CONSTANT)
    if not scales:
        return dict.fromkeys(comparison.regions, _TOO_NARROW)
    logarithms = dict.fromkeys(comparison.regions, 0.0)
    # If there are fewer scales, their weights still add up to 1.
    weights = SCALE_WEIGHTS[:scales]
    for scale, level in enumerate(_iter_levels(comparison, scales)):
        means = level.average() if scale else finest
        similarity = means.compare_structure(data_range, axes=3)
        # As in the paper, luminance has a part at the coarsest scale only.
        if scale == scales - 1:
            similarity = means.compare_luminance(data_range) * similarity
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

    def halve(self) -> _Level:
        """Return the next scale."""
        return _Level(
            real=_halve(self.real),
            output=_halve(self.output),
            regions={name: _halve(region) for name, region in self.regions.items()},
        )

    def average(self) -> _Moments:
        """Return the means over the window around each voxel."""
        return _Moments.of(self.real, self.output).average(0, 1, 2)


def _iter_levels(comparison: Comparison, scales: int) -> Iterator[_Level]:
    """Yield the scales of two volumes, the finest first."""
    regions = comparison.regions.items()
    level = _Level(
        real=comparison.real,
        output=comparison.output,
        regions={name: region.astype(np.float32) for name, region in regions},
    )
    yield level
    for _ in range(1, scales):
        level = level.halve()
        yield level


def _average(image: Image, axes: tuple[int, ...]) -> Image:
    """Return the mean of the voxels in a window along each of some axes."""
    # SciPy is optional: it comes with the extra `evaluation`.
    from scipy.ndimage import uniform_filter1d

    for axis in axes:
        image = uniform_filter1d(image, WINDOW, axis)
    return image


def _halve(image: Weights) -> Weights:
    """Return the means of 2 x 2 x 2 voxels; an odd axis is filled up with 0, the background."""
    margins = [(0, size % 2) for size in image.shape]
    filled = np.pad(image, margins)
    i, j, k = (size // 2 for size in filled.shape)
    blocks = filled.reshape(i, 2, j, 2, k, 2)
    halved: Weights = blocks.mean(axis=(1, 3, 5))
    return halved
