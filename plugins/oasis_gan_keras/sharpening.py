"""Sharpen a blurred image until it is as sharp as a single scan."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.float32]
Mask = NDArray[np.bool_]
_MOST = 2.0  # times the detail that a blur removes; more would add ringing and noise
_BISECTIONS = 12


def sharpen(image: Image, labels: NDArray[Any], sharpness: float) -> Image:
    """Return an image with edges as steep as those of a single scan, by unsharp masking.

    A mean of many scans is blurred, and so is a resampled scan. How blurred it is follows from its
    mean gradient, compared with that of an image in which each tissue has its mean intensity.

    Args:
        image: Intensities (x, y, z) in [0, 1].
        labels: Tissues of the same shape, 0 in the background.
        sharpness: The gradient to reach, as a multiple of the gradient of the image of tissue
            means.

    Returns:
        The image, changed only where there are labels, with at most twice the detail that a blur of
        one voxel removes. An image that is sharp enough is returned as it is.
    """
    mask = labels != 0
    target = sharpness * _measure_mean_gradient(_paint_means(image, labels), mask)
    if _measure_mean_gradient(image, mask) >= target:
        return image
    detail = _find_detail(image, mask)

    def add_detail(amount: float) -> Image:
        sharper = np.clip(image + np.float32(amount) * detail, 0, 1)
        return np.where(mask, sharper, image)

    low = 0.0
    high = _MOST
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        if _measure_mean_gradient(add_detail(middle), mask) < target:
            low = middle
        else:
            high = middle
    return add_detail(high)


def _find_detail(image: Image, mask: Mask) -> Image:
    """Return what a blur of one voxel removes, if only voxels in the mask are averaged."""
    weight = _blur(mask.astype(np.float32))
    # Far from the labels, nothing is averaged.
    np.maximum(weight, np.float32(1e-3), out=weight)
    brain = np.where(mask, image, 0).astype(np.float32)
    return image - _blur(brain) / weight


def _paint_means(image: Image, labels: NDArray[Any]) -> Image:
    """Return an image in which each tissue has its mean intensity."""
    values, index = np.unique(labels, return_inverse=True)
    index = index.reshape(labels.shape)
    means = []
    for number in range(len(values)):
        tissue = image[index == number]
        means.append(tissue.mean(dtype=np.float64))
    return np.asarray(means, np.float32)[index]


def _measure_mean_gradient(image: Image, mask: Mask) -> float:
    """Return the mean absolute difference of neighbours in the mask, over the three axes."""
    means = []
    for axis in range(3):
        turned = np.moveaxis(mask, axis, 0)
        both_inside = turned[1:] & turned[:-1]
        differences = np.abs(np.diff(image, axis=axis))
        differences = np.moveaxis(differences, axis, 0)
        mean = float(differences[both_inside].mean()) if both_inside.any() else 0.0
        means.append(mean)
    return float(np.mean(means))


def _blur(image: Image) -> Image:
    """Return the mean over each voxel and its neighbours, weighted 1, 2 and 1 along every axis."""
    for axis in range(3):
        margins = [(0, 0)] * 3
        margins[axis] = (1, 1)
        padded = np.moveaxis(np.pad(image, margins), axis, 0)
        before = padded[:-2]
        centre = padded[1:-1]
        after = padded[2:]
        mean = (before + 2 * centre + after) * np.float32(0.25)
        image = np.moveaxis(mean, 0, axis).astype(np.float32, copy=False)
    return image
