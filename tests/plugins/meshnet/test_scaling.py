"""Intensities of any scanner reach the network between 0 (background) and 1 (brightest tissue)."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_meshnet.scaling import ScaledIntensities

from oasis_gan import OasisGanError

HEAD = np.concatenate([np.zeros(500), np.linspace(200, 1000, 5000)]).reshape(55, 100, 1)


def scale(voxels: NDArray[Any]) -> NDArray[np.float32]:
    return ScaledIntensities().fit(voxels).encode(voxels)[..., 0]


def test_intensities_are_divided_by_the_brightest() -> None:
    np.testing.assert_allclose(
        scale(HEAD), np.minimum(HEAD / np.percentile(HEAD[HEAD > 0], 99.9), 1), rtol=1e-5
    )


def test_the_unit_of_the_scanner_makes_no_difference() -> None:
    np.testing.assert_allclose(scale(HEAD * 37.5), scale(HEAD), rtol=1e-5)


def test_a_few_bright_voxels_make_no_difference() -> None:
    bright = HEAD.copy()
    bright[-1, -2:] = 1e6
    np.testing.assert_allclose(scale(bright), scale(HEAD), atol=0.01)


def test_a_few_voxels_below_background_make_no_difference() -> None:
    swung = HEAD.copy()
    swung[0, :3] = -40
    np.testing.assert_allclose(scale(swung), scale(HEAD), atol=1e-5)


def test_z_scores_keep_their_contrast() -> None:
    inside = HEAD > 0
    z_scored = np.where(inside, (HEAD - HEAD[inside].mean()) / HEAD[inside].std(), 0)
    scaled = scale(z_scored)
    assert (scaled[~inside] == 0).all()
    assert np.corrcoef(scaled[inside], HEAD[inside])[0, 1] > 0.999
    assert scaled[inside].max() == 1
    assert scaled[inside].min() == 0


@pytest.mark.parametrize("value", [7, -3, 1e-30, -1e30])
def test_a_volume_of_one_value_is_bright(value: float) -> None:
    assert (scale(np.full((4, 4, 4), value)) == 1).all()


def test_an_empty_volume_is_refused() -> None:
    with pytest.raises(OasisGanError, match="volume: expected some non-zero voxels, found none"):
        ScaledIntensities().fit(np.zeros((4, 4, 4)))


def test_its_identity_is_recorded() -> None:
    assert ScaledIntensities().identity() == {"kind": "scaled", "low": 0.1, "high": 99.9}
