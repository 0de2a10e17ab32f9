"""Blurred targets get the sharpness of a single scan."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_keras.sharpening import sharpen
from scipy.ndimage import gaussian_filter

Image = NDArray[np.float32]


@pytest.fixture
def labels() -> NDArray[np.uint8]:
    """Return shells of three tissues in a background."""
    centre = np.reshape([20, 18, 16], (3, 1, 1, 1))
    radius = np.linalg.norm(np.indices((40, 36, 32)) - centre, axis=0)
    return np.asarray(np.digitize(-radius, [-14, -10, -6]), np.uint8)


def paint(labels: NDArray[np.uint8]) -> Image:
    """Return an image with one grey for each tissue."""
    return np.array([0, 0.3, 0.55, 0.75], np.float32)[labels]


def mean_gradient(image: Image, labels: NDArray[np.uint8]) -> float:
    """Return the mean absolute difference of neighbours inside, over the axes."""
    inside = labels > 0
    means = []
    for axis in range(3):
        pixels = inside.shape[axis]
        first = np.take(inside, np.arange(pixels - 1), axis)
        second = np.take(inside, np.arange(1, pixels), axis)
        differences = np.abs(np.diff(image, axis=axis))
        means.append(differences[first & second].mean())
    return float(np.mean(means))


def test_a_blurred_image_reaches_the_requested_gradient(labels: NDArray[np.uint8]) -> None:
    rng = np.random.default_rng(0)
    noise = rng.normal(0, 0.05, labels.shape).astype(np.float32)
    blurred = gaussian_filter(paint(labels) + noise, 0.6)
    blurred = np.where(labels > 0, blurred, 0).astype(np.float32)
    tissue_means = [blurred[labels == value].mean() for value in (1, 2, 3)]
    means = np.array([0, *tissue_means], np.float32)[labels]
    before = mean_gradient(blurred, labels) / mean_gradient(means, labels)
    made = sharpen(blurred, labels, before * 1.3)
    assert mean_gradient(made, labels) / mean_gradient(means, labels) == pytest.approx(
        before * 1.3, rel=0.01
    )
    assert not made[labels == 0].any()
    assert 0 <= made.min() <= made.max() <= 1
    assert np.abs(made - blurred).mean() < 0.05


def test_an_image_that_is_sharp_enough_is_unchanged(labels: NDArray[np.uint8]) -> None:
    image = paint(labels)
    assert sharpen(image, labels, 1.0) is image


def test_sharpening_is_limited(labels: NDArray[np.uint8]) -> None:
    blurred = gaussian_filter(paint(labels), 2.0)
    made = sharpen(blurred, labels, 3.0)
    assert np.isfinite(made).all()
    assert (
        mean_gradient(blurred, labels)
        < mean_gradient(made, labels)
        < 3 * mean_gradient(paint(labels), labels)
    )
