"""The distance of two surfaces is the one that a search through all pairs of voxels finds."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from scipy.ndimage import binary_erosion, gaussian_filter

from oasis_gan.evaluation.distance import measure_distance

Mask = NDArray[np.bool_]


def search_all_pairs(first: Mask, second: Mask, spacing: tuple[float, ...]) -> float:
    surfaces = [np.argwhere(mask & ~binary_erosion(mask)) * spacing for mask in (first, second)]
    distances = np.linalg.norm(surfaces[0][:, np.newaxis] - surfaces[1], axis=-1)
    there = np.percentile(distances.min(axis=1), 95)
    back = np.percentile(distances.min(axis=0), 95)
    return float(max(there, back))


def make_blob(seed: int) -> Mask:
    noise = np.random.default_rng(seed).normal(size=(14, 15, 16))
    smooth = gaussian_filter(noise, 2)
    return np.asarray(smooth > np.quantile(smooth, 0.7))


@pytest.mark.parametrize("spacing", [(1, 1, 1), (1, 2, 3), (3, 0.5, 1), (0.8, 0.8, 5)])
@pytest.mark.parametrize("shift", [0, 1, 2, 6])
def test_distances_agree_with_a_search_through_all_pairs(
    spacing: tuple[float, ...], shift: int
) -> None:
    first = make_blob(0)
    second = np.roll(first, shift, 0)
    found = measure_distance(first, second, spacing)
    assert found == pytest.approx(search_all_pairs(first, second, spacing))


def test_regions_that_have_nothing_to_do_with_each_other_have_a_distance_too() -> None:
    found = measure_distance(make_blob(1), make_blob(2), (1, 1, 1))
    assert found == pytest.approx(search_all_pairs(make_blob(1), make_blob(2), (1, 1, 1)))


def test_two_single_voxels_are_as_far_apart_as_they_lie() -> None:
    first = np.zeros((20, 20, 20), np.bool_)
    second = first.copy()
    first[2, 2, 2] = True
    second[15, 2, 2] = True
    assert measure_distance(first, second, (2, 1, 1)) == 26
