"""Slices point to R, A and S whatever the axes of the volume, and go back to where they were."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from nibabel.quaternions import quat2mat
from numpy.typing import NDArray

from oasis_gan import Geometry, Plane, cut, join

SHAPE = (3, 4, 5)
SPACING = (0.5, 1.0, 2.5)  # of the voxel axes i, j, k
SIGNED_PERMUTATIONS = tuple(
    itertools.product(itertools.permutations(range(3)), itertools.product((1, -1), repeat=3))
)
VOXELS: NDArray[np.int16] = np.arange(60, dtype=np.int16).reshape(SHAPE)


def axis_aligned(order: tuple[int, ...], signs: tuple[int, ...]) -> Geometry:
    """Return the geometry whose voxel axis n runs along RAS axis order[n]."""
    affine = np.eye(4)
    affine[:3, :3] = 0
    affine[order, range(3)] = np.array(signs) * SPACING
    affine[:3, 3] = (7, -11, 13)
    return Geometry(SHAPE, affine)


@pytest.mark.parametrize("plane", Plane)
@pytest.mark.parametrize(("order", "signs"), SIGNED_PERMUTATIONS)
def test_every_voxel_lies_at_its_place_in_the_stack(
    order: tuple[int, ...], signs: tuple[int, ...], plane: Plane
) -> None:
    geometry = axis_aligned(order, signs)
    stack = cut(VOXELS, geometry, plane)
    indices = np.argwhere(np.ones(SHAPE))
    positions = indices @ geometry.affine[:3, :3].T
    # Counted from the outermost voxel to the left, behind and below.
    spacing = np.abs(geometry.affine[:3, :3]).sum(axis=1)
    counted = np.rint((positions - positions.min(axis=0)) / spacing).astype(int)
    across, rows, columns = (
        counted[:, axis] for axis in [plane.axis, *(a for a in range(3) if a != plane.axis)]
    )
    assert np.array_equal(stack.slices[across, rows, columns], VOXELS[tuple(indices.T)])
    assert stack.spacing == tuple(np.delete(spacing, plane.axis))
    assert np.array_equal(join(stack), VOXELS)


@pytest.mark.parametrize(
    ("plane", "axes"),
    [(Plane.AXIAL, "SRA"), (Plane.CORONAL, "ARS"), (Plane.SAGITTAL, "RAS")],
    ids=str,
)
def test_slices_rows_and_columns_point_to_these_directions(plane: Plane, axes: str) -> None:
    voxels = np.zeros((9, 9, 9), np.int16)
    lps = np.diag([-1.0, -1.0, 1.0, 1.0])
    for number, (i, j, k) in enumerate(
        [(0, 4, 4), (4, 0, 4), (4, 4, 8)], start=1
    ):  # rightmost, foremost, topmost
        voxels[i, j, k] = number
    slices = cut(voxels, Geometry((9, 9, 9), lps), plane).slices
    for number, direction in enumerate("RAS", start=1):
        place = np.argwhere(slices == number)[0]
        assert place.tolist() == [8 if axis == direction else 4 for axis in axes]


@given(
    quaternion=st.tuples(*[st.floats(-1, 1)] * 4).filter(lambda q: np.linalg.norm(q) > 0.1),
    spacing=st.tuples(*[st.floats(0.3, 6)] * 3),
    flip=st.sampled_from([1, -1]),
    plane=st.sampled_from(Plane),
)
def test_an_oblique_volume_comes_back_as_it_was_cut(
    quaternion: tuple[float, ...], spacing: tuple[float, ...], flip: int, plane: Plane
) -> None:
    affine = np.eye(4)
    affine[:3, :3] = quat2mat(np.array(quaternion) / np.linalg.norm(quaternion)) * spacing
    affine[:3, 0] *= flip
    geometry = Geometry(SHAPE, affine)
    stack = cut(VOXELS, geometry, plane)
    assert np.array_equal(join(stack), VOXELS)
    assert set(np.round(stack.spacing, 9)) <= set(np.round(geometry.spacing, 9))
    assert stack.geometry is geometry


def test_channels_stay_with_their_voxel() -> None:
    geometry = axis_aligned((2, 0, 1), (-1, 1, -1))
    channels = np.stack([VOXELS, -VOXELS], axis=-1)
    stack = cut(channels, geometry, Plane.CORONAL)
    assert np.array_equal(stack.slices[..., 1], -stack.slices[..., 0])
    assert np.array_equal(join(stack), channels)


def test_cutting_copies_nothing() -> None:
    stack = cut(VOXELS, axis_aligned((1, 2, 0), (1, -1, 1)), Plane.AXIAL)
    assert np.shares_memory(stack.slices, VOXELS)


def test_new_slices_take_the_places_of_the_old_ones() -> None:
    stack = cut(VOXELS, axis_aligned((1, 2, 0), (-1, -1, 1)), Plane.AXIAL)
    assert np.array_equal(join(stack.with_slices(stack.slices * 2.0)), VOXELS * 2.0)


def test_slices_of_another_shape_are_refused() -> None:
    geometry = axis_aligned((0, 1, 2), (1, 1, 1))
    stack = cut(VOXELS, geometry, Plane.AXIAL)
    with pytest.raises(ValueError, match="expected slices of shape"):
        stack.with_slices(stack.slices[1:])
    with pytest.raises(ValueError, match="expected an array of shape"):
        cut(VOXELS[1:], geometry, Plane.AXIAL)
