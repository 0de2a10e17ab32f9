"""A volume reaches the network in its order of axes, and labels come back to their voxels."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel import orientations
from numpy.typing import NDArray
from oasis_gan_meshnet.conforming import ConformedGrid
from scipy.ndimage import maximum_filter, minimum_filter

from oasis_gan import Geometry, OasisGanError

ORIENTATIONS = [
    "".join(axes)
    for order in itertools.permutations(("LR", "PA", "IS"))
    for axes in itertools.product(*order)
]
Shape = tuple[int, int, int]
Spacings = tuple[float, float, float]

any_orientation = st.sampled_from(ORIENTATIONS)
any_shape = st.tuples(*[st.integers(1, 12)] * 3)
any_seed = st.integers(0, 2**32 - 1)


def make_geometry(axes: str, shape: Shape, spacings: Spacings = (1, 1, 1)) -> Geometry:
    """Return a grid whose axes run to these directions, its first voxel somewhere in the world."""
    affine = np.eye(4)
    turned = orientations.axcodes2ornt(axes)
    for axis, (world, flip) in enumerate(turned):
        affine[:3, axis] = 0
        affine[int(world), axis] = flip * spacings[axis]
    affine[:3, 3] = (-31, 17, 5)
    return Geometry(shape, affine)


def world_coordinates(geometry: Geometry) -> NDArray[np.float64]:
    """Return x, y and z of each voxel, (3, voxels...)."""
    indices = np.indices(geometry.shape).reshape(3, -1)
    places = geometry.affine[:3, :3] @ indices + geometry.affine[:3, 3:]
    return np.asarray(places.reshape(3, *geometry.shape))


def test_there_are_48_orientations() -> None:
    assert len(set(ORIENTATIONS)) == 48


@pytest.mark.parametrize("axes", ORIENTATIONS)
def test_conformed_axes_run_to_the_left_to_the_feet_and_to_the_front(axes: str) -> None:
    geometry = make_geometry(axes, (6, 5, 7))
    grid = ConformedGrid.from_mask(np.ones(geometry.shape, bool), geometry)
    x, y, z = (grid.conform(place.astype(np.float32)) for place in world_coordinates(geometry))
    assert (np.diff(x, axis=0) == -1).all()
    assert (np.diff(z, axis=1) == -1).all()
    assert (np.diff(y, axis=2) == 1).all()


@given(axes=any_orientation, shape=any_shape, seed=any_seed)
def test_labels_of_1_mm_come_back_to_their_voxels(axes: str, shape: Shape, seed: int) -> None:
    labels = np.random.default_rng(seed).integers(0, 18, shape).astype(np.uint8)
    geometry = make_geometry(axes, shape)
    grid = ConformedGrid.from_mask(labels > 0, geometry)
    assert not grid.resamples
    restored = grid.restore(grid.conform(labels.astype(np.float32)).astype(np.uint8))
    np.testing.assert_array_equal(restored, labels)


@given(
    axes=any_orientation,
    spacings=st.tuples(*[st.floats(0.4, 3.5)] * 3),
    blocks=st.tuples(*[st.integers(1, 3)] * 3),
    seed=any_seed,
)
def test_labels_of_other_spacings_come_back_to_their_voxels(
    axes: str, spacings: Spacings, blocks: Shape, seed: int
) -> None:
    labels = np.random.default_rng(seed).integers(0, 5, blocks)
    for axis, spacing in enumerate(spacings):
        # Blocks are large enough to have an inside in either grid.
        labels = labels.repeat(max(6, round(8 / spacing)), axis)
    geometry = make_geometry(axes, labels.shape, spacings)
    grid = ConformedGrid.from_mask(labels > 0, geometry)
    shares = [grid.conform((labels == value).astype(np.float32)) for value in range(5)]
    restored = grid.restore_likeliest(np.stack(shares, axis=-1))
    # How far interpolation reaches, there and back.
    reach = [2 * int(np.ceil(max(2, 2 / spacing))) + 1 for spacing in spacings]
    within_one_block = minimum_filter(labels, reach) == maximum_filter(labels, reach)
    np.testing.assert_array_equal(restored[within_one_block], labels[within_one_block])


@given(axes=any_orientation, spacings=st.tuples(*[st.sampled_from([0.8, 1.0, 1.5, 2.0])] * 3))
def test_no_label_lies_outside_the_head(axes: str, spacings: Spacings) -> None:
    geometry = make_geometry(axes, (12, 10, 11), spacings)
    mask = np.zeros(geometry.shape, bool)
    mask[3:9, 2:7, 4:10] = True
    grid = ConformedGrid.from_mask(mask, geometry)
    shape = grid.conform(mask.astype(np.float32)).shape
    assert list(shape) == [axis.samples for axis in grid.axes]
    everywhere = np.zeros((*shape, 2), np.float32)
    everywhere[..., 1] = 1
    np.testing.assert_array_equal(grid.restore_likeliest(everywhere), mask)


def test_an_oblique_volume_takes_the_nearest_axes() -> None:
    geometry = make_geometry("RAS", (6, 5, 7))
    angle = np.deg2rad(20)
    turn = np.eye(4)
    turn[:2, :2] = [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]
    oblique = Geometry(geometry.shape, turn @ geometry.affine)
    voxels = np.random.default_rng(0).uniform(1, 2, geometry.shape).astype(np.float32)
    straight = ConformedGrid.from_mask(voxels > 0, geometry).conform(voxels)
    np.testing.assert_array_equal(
        ConformedGrid.from_mask(voxels > 0, oblique).conform(voxels), straight
    )


@pytest.mark.parametrize("spacing", [1e-9, 0.01, 50, 1e9])
def test_voxels_of_a_size_that_no_scan_has_are_refused(spacing: float) -> None:
    geometry = make_geometry("RAS", (4, 4, 4), (1, spacing, 1))
    with pytest.raises(OasisGanError, match=r"^volume: expected voxels of 0\.05 to 20 mm, found"):
        ConformedGrid.from_mask(np.ones(geometry.shape, bool), geometry)


def test_a_head_larger_than_any_is_refused_before_memory_is_taken() -> None:
    geometry = make_geometry("RAS", (100, 100, 100), (20, 20, 20))
    with pytest.raises(OasisGanError, match=r"at most 33\.6 litres, found 2000 x 2000 x 2000 mm"):
        ConformedGrid.from_mask(np.ones(geometry.shape, bool), geometry)
