"""Tissues are found in a phantom whose tissues are known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_tissues.bias_field import remove_bias_field
from oasis_gan_tissues.mixture import TooFewIntensitiesError, segment

from oasis_gan import OasisGanError

Array = NDArray[Any]
GREYS = np.array([0, 40, 100, 140], np.float32)


def make_phantom(size: int = 40) -> Array:
    """Return white matter in grey matter in fluid: balls, with a ventricle in the middle."""
    middle = (size - 1) / 2
    distance = np.linalg.norm(np.indices((size, size, size)).T - middle, axis=-1).T / middle
    tissues: Array = np.digitize(-distance, (-0.95, -0.8, -0.6)).astype(np.uint8)
    tissues[distance < 0.2] = 1
    return tissues


def add_noise(tissues: Array, sigma: float) -> Array:
    noise = np.random.default_rng(0).normal(0, sigma, tissues.shape)
    return np.where(tissues > 0, GREYS[tissues] + noise, 0).astype(np.float32)


def share_right(found: Array, tissues: Array) -> float:
    brain = tissues > 0
    return float((found == tissues)[brain].mean())


def test_without_noise_every_voxel_is_right() -> None:
    tissues = make_phantom()
    assert np.array_equal(segment(GREYS[tissues], tissues > 0), tissues)


def test_neighbours_help_where_noise_makes_intensities_overlap() -> None:
    tissues = make_phantom()
    noisy = add_noise(tissues, 15)
    # What the best thresholds get right, which know the greys.
    thresholded = np.digitize(noisy, (0.5, 70, 120))
    alone = share_right(np.where(tissues > 0, np.maximum(thresholded, 1), 0), tissues)
    found = share_right(segment(noisy, tissues > 0), tissues)
    assert alone < 0.95
    assert found > 0.975


def test_volumes_have_no_bias_in_noise() -> None:
    tissues = make_phantom()
    found = segment(add_noise(tissues, 10), tissues > 0)
    expected = np.bincount(tissues.ravel())[1:]
    assert np.bincount(found.ravel())[1:] == pytest.approx(expected, rel=0.03)


def test_nothing_outside_the_brain_is_segmented() -> None:
    tissues = make_phantom()
    brain = tissues > 0
    with_skull = np.where(brain, GREYS[tissues], 200).astype(np.float32)
    assert np.array_equal(segment(with_skull, brain), tissues)


def test_neither_unit_nor_offset_matters() -> None:
    tissues = make_phantom()
    noisy = add_noise(tissues, 10)
    first = segment(noisy, tissues > 0)
    second = segment((noisy * 7 + 1000).astype(np.float32), tissues > 0)
    assert np.mean(first != second) < 1e-3


@pytest.mark.parametrize("levels", [(50, 50, 50), (50, 100, 100)])
def test_fewer_than_three_intensities_are_an_error(levels: tuple[int, ...]) -> None:
    tissues = make_phantom(20)
    greys = np.array([0, *levels], np.float32)
    with pytest.raises(TooFewIntensitiesError):
        segment(greys[tissues], tissues > 0)


def test_a_bias_field_is_removed() -> None:
    tissues = make_phantom()
    brain = tissues > 0
    field = np.linspace(0.6, 1.4, 40)[:, np.newaxis, np.newaxis].astype(np.float32)
    noisy = add_noise(tissues, 4) * field
    corrected = remove_bias_field(noisy, brain, (1, 1, 1))
    before = share_right(segment(noisy, brain), tissues)
    after = share_right(segment(corrected, brain), tissues)
    assert before < 0.95
    assert after > 0.97


def test_the_same_volume_gives_the_same_field() -> None:
    tissues = make_phantom()
    noisy = add_noise(tissues, 5)
    first = remove_bias_field(noisy, tissues > 0, (1, 1, 1))
    second = remove_bias_field(noisy, tissues > 0, (1, 1, 1))
    assert np.array_equal(first, second)


def test_a_thin_volume_keeps_its_field() -> None:
    slab = add_noise(make_phantom()[:, :, 18:20], 5)
    assert np.array_equal(remove_bias_field(slab, slab > 0, (1, 1, 5)), slab)


def test_no_error_of_n4_is_a_traceback() -> None:
    voxels = np.zeros((20, 20, 20), np.float32)
    brain = np.zeros(voxels.shape, np.bool_)
    brain[3, 3, 3] = True
    with pytest.raises(OasisGanError):
        segment(remove_bias_field(voxels, brain, (1, 1, 1)), brain)
