"""The network computes what its formula says, whichever operations TensorFlow has on a machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.meshnet import LAYERS, SHIPPED, compute_probabilities, make_weights
from numpy.typing import NDArray
from oasis_gan_keras import prefer_onednn
from oasis_gan_meshnet.model_folder import read_model_file

with prefer_onednn():
    from oasis_gan_meshnet.network import (
        MeshNet,
        divide_axis,
        find_margin,
        has_dilated_convolutions,
    )

ROUNDING = 1e-5
# No multiple of any dilation, so that sub-grids differ in size.
SHAPE = (21, 14, 11)


@pytest.fixture
def volume() -> NDArray[np.float32]:
    return np.random.default_rng(1).uniform(size=SHAPE).astype(np.float32)


@pytest.fixture(params=[True, False], ids=["dilated convolutions", "sub-grids"])
def dilates(request: pytest.FixtureRequest) -> bool:
    if request.param and not has_dilated_convolutions():
        pytest.skip("TensorFlow has no dilated 3-D convolutions on this machine")
    return bool(request.param)


def test_probabilities_are_those_of_the_formula(volume: NDArray[np.float32], dilates: bool) -> None:
    weights = make_weights()
    found = MeshNet(LAYERS, weights, dilates=dilates).predict_probabilities(volume)
    assert found.dtype == np.float32
    np.testing.assert_allclose(found, compute_probabilities(volume, weights), atol=ROUNDING)


def test_labels_are_the_likeliest_ones(volume: NDArray[np.float32], dilates: bool) -> None:
    weights = make_weights()
    labels = MeshNet(LAYERS, weights, dilates=dilates).predict_labels(volume)
    probabilities = compute_probabilities(volume, weights)
    assert set(np.unique(labels)) == {0, 1, 2}
    chosen = np.take_along_axis(probabilities, labels[..., np.newaxis].astype(int), axis=-1)[..., 0]
    np.testing.assert_allclose(chosen, probabilities.max(axis=-1), atol=ROUNDING)


@pytest.mark.parametrize("axis", range(3))
def test_a_volume_computed_in_parts_gives_the_same_answer(axis: int, dilates: bool) -> None:
    shape = [9, 9, 9]
    shape[axis] = 60
    volume = np.random.default_rng(2).uniform(size=shape).astype(np.float32)
    weights = make_weights()
    whole = MeshNet(LAYERS, weights, dilates=dilates).predict_probabilities(volume)
    parts = MeshNet(LAYERS, weights, dilates=dilates, max_voxels=9_000).predict_probabilities(
        volume
    )
    np.testing.assert_allclose(parts, whole, atol=ROUNDING)


@given(
    length=st.integers(1, 400),
    area=st.integers(1, 50_000),
    margin=st.integers(0, 20),
    reach=st.integers(0, 60),
    max_voxels=st.integers(1, 12_000_000),
)
def test_parts_cover_an_axis_once_and_are_computed_at_once_unless_they_are_short(
    length: int,
    area: int,
    margin: int,
    reach: int,
    max_voxels: int,
) -> None:
    shape = (margin + length + margin, area, 1)
    parts = list(divide_axis(shape, margin, reach, max_voxels))
    covered = [voxel for first, last in parts for voxel in range(first, last)]
    assert covered == list(range(margin, margin + length))
    for first, last in parts:
        start = max(0, first - reach)
        stop = min(shape[0], last + reach)
        assert (stop - start) * area <= max_voxels or last - first <= max(reach, 1)


def test_what_is_far_enough_away_changes_nothing(dilates: bool) -> None:
    reach = sum(layer.reach for layer in LAYERS)
    network = MeshNet(LAYERS, make_weights(), dilates=dilates)
    volume = np.random.default_rng(3).uniform(size=(reach + 4, 8, 8)).astype(np.float32)
    changed = volume.copy()
    changed[-2:] = 0
    near = network.predict_probabilities(volume)
    np.testing.assert_allclose(network.predict_probabilities(changed)[:2], near[:2], atol=ROUNDING)
    # The network does see as far as its layers reach.
    assert (
        np.abs(network.predict_probabilities(changed)[-2 - reach] - near[-2 - reach]).max()
        > ROUNDING
    )


def test_background_around_a_head_changes_nothing(
    dilates: bool, volume: NDArray[np.float32]
) -> None:
    network = MeshNet(LAYERS, make_weights(), dilates=dilates)
    wide = network.predict_probabilities(np.pad(volume, 5))
    inside = wide[5:-5, 5:-5, 5:-5]
    np.testing.assert_allclose(network.predict_probabilities(volume), inside, atol=ROUNDING)


def test_the_shipped_network_is_surrounded_by_what_its_layers_change() -> None:
    layers = read_model_file(SHIPPED).layers
    # Dilations 1, 2, 4, 8 change 15 voxels; those after the next, 8, 4, 2, 1, see 15.
    assert find_margin([layer.reach for layer in layers]) == 15
