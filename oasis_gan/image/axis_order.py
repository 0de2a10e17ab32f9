"""Bring a volume to the axis order of another volume on the same grid.

Voxels change their places in the array, and none is resampled. Programs store the same head along
axes that run to R, A, S, or to L, P, S, or in any of 48 ways, and the header says which.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from nibabel import orientations

from ..errors import OasisGanError
from .volume import Affine, Geometry, RepairNote, V

_TOLERANCE = 1e-2  # voxels by which two axes may differ and still count as the same


def reorder_axes(volume: V, geometry: Geometry) -> V:
    """Return a volume with its axes in the order and direction of ``geometry``, on the same grid.

    The volume is returned unchanged if the two grids differ, or if their axes agree already.
    Otherwise a note says that the axes were turned.
    """
    given = volume.geometry
    order = _find_axis_order(given, geometry)
    if order is None:
        return volume
    voxels = orientations.apply_orientation(volume.voxels, order)
    to_given = orientations.inv_ornt_aff(order, given.shape)
    affine = given.affine @ to_given
    try:
        geometry.require_same_grid(Geometry(voxels.shape, affine), "volume")
    except OasisGanError:
        return volume
    before = ", ".join(given.orientation)
    after = ", ".join(geometry.orientation)
    note = RepairNote(f"its axes run to {before}: reordered to {after}, nothing is resampled")
    return replace(volume, voxels=voxels, geometry=geometry).add_note(note)


def is_flipped_left_right(one: Geometry, other: Geometry) -> bool:
    """Return whether two geometries differ in nothing but left and right, so that one is wrong.

    Either the voxel axis between left and right runs the other way from the same first voxel, or
    the whole grid is mirrored.
    """
    if one.shape != other.shape:
        return False
    rightward_steps = np.abs(one.axes[0])
    left_right_axis = int(np.argmax(rightward_steps))
    reversed_axis = one.affine @ _make_flip(left_right_axis)
    mirrored_grid = _make_flip(0) @ one.affine
    tolerance = _TOLERANCE * min(one.spacing)
    return any(
        np.allclose(other.affine, flipped, rtol=0, atol=tolerance)
        for flipped in (reversed_axis, mirrored_grid)
    )


def _make_flip(axis: int) -> Affine:
    """Return the 4x4 matrix that reverses an axis."""
    flip = np.eye(4)
    flip[axis, axis] = -1
    return flip


def _find_axis_order(given: Geometry, expected: Geometry) -> Affine | None:
    """Return the orientation array that `nibabel.orientations` turns the axes with.

    Row n says which axis the given axis n becomes, and in which direction. The answer is None if
    the axes agree already, or if no reordering makes them agree.
    """
    # Each column is a given axis, in voxels of the expected grid: a signed unit vector if the two
    # grids agree.
    steps = np.linalg.solve(expected.axes, given.axes)
    whole = np.rint(steps)
    largest_offset = np.abs(steps - whole).max()
    agree_already = np.array_equal(whole, np.eye(3))
    if largest_offset > _TOLERANCE or agree_already:
        return None
    sizes = np.abs(whole)
    if not _is_permutation(sizes):
        return None
    new_axes = sizes.argmax(axis=0)
    directions = whole[new_axes, range(3)]
    order = np.stack([new_axes, directions], axis=1)
    return order.astype(np.float64)


def _is_permutation(sizes: Affine) -> bool:
    """Return whether a matrix of whole sizes has a single 1 in each row and each column."""
    columns = sizes.sum(axis=0)
    rows = sizes.sum(axis=1)
    return {*columns, *rows} == {1}
