"""Targets that are blurred are given the sharpness of a single scan."""

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
    radius = np.linalg.norm(
        np.indices((40, 36, 32)) - np.reshape([20, 18, 16], (3, 1, 1, 1)), axis=0
    )
    return np.asarray(np.digitize(-radius, [-14, -10, -6]), np.uint8)


def painted(labels: NDArray[np.uint8]) -> Image:
    """Return each tissue in a grey of its own."""
    return np.array([0, 0.3, 0.55, 0.75], np.float32)[labels]


def gradient(image: Image, labels: NDArray[np.uint8]) -> float:
    """Return the mean absolute difference of neighbours inside, over the axes."""
    inside = labels > 0
    means = []
    for axis in range(3):
        both = np.logical_and(
            *(np.take(inside, np.arange(k, inside.shape[axis] - 1 + k), axis) for k in (0, 1))
        )
        means.append(np.abs(np.diff(image, axis=axis))[both].mean())
    return float(np.mean(means))


def test_a_blurred_image_comes_to_the_gradient_that_is_asked_for(labels: NDArray[np.uint8]) -> None:
    rng = np.random.default_rng(0)
    blurred = gaussian_filter(
        painted(labels) + rng.normal(0, 0.05, labels.shape).astype(np.float32), 0.6
    )
    blurred = np.where(labels > 0, blurred, 0).astype(np.float32)
    means = np.array([0, *(blurred[labels == value].mean() for value in (1, 2, 3))], np.float32)[
        labels
    ]
    before = gradient(blurred, labels) / gradient(means, labels)
    made = sharpen(blurred, labels, before * 1.3)
    assert gradient(made, labels) / gradient(means, labels) == pytest.approx(before * 1.3, rel=0.01)
    assert not made[labels == 0].any()
    assert 0 <= made.min() <= made.max() <= 1
    assert np.abs(made - blurred).mean() < 0.05


def test_an_image_that_is_sharp_enough_is_left_as_it_is(labels: NDArray[np.uint8]) -> None:
    image = painted(labels)
    assert sharpen(image, labels, 1.0) is image


def test_there_is_an_end_to_sharpening(labels: NDArray[np.uint8]) -> None:
    blurred = gaussian_filter(painted(labels), 2.0)
    made = sharpen(blurred, labels, 3.0)
    assert np.isfinite(made).all()
    assert (
        gradient(blurred, labels) < gradient(made, labels) < 3 * gradient(painted(labels), labels)
    )
