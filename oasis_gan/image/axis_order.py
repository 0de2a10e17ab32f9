"""Bringing a volume to the axis order of another one on the same grid: voxels are moved, none is resampled.

Programs store the same head along axes that run to R, A, S, or to L, P, S, or in any of 48 ways, and headers say which.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from nibabel import orientations

from ..errors import OasisGanError
from .volume import Geometry, RepairNote, V

_ROUNDING = 1e-2  # of a voxel: how far an axis may be off another one that it is taken for


def reorder_axes(volume: V, geometry: Geometry) -> V:
    """Return a volume with its axes in the order and direction of ``geometry``, on that very grid.

    Where the two are not the same grid, or the axes run alike already, the volume is returned as it is. A note says
    that axes were turned.
    """
    order = _order(volume.geometry, geometry)
    if order is None:
        return volume
    voxels = orientations.apply_orientation(volume.voxels, order)
    affine = volume.geometry.affine @ orientations.inv_ornt_aff(order, volume.geometry.shape)
    try:
        geometry.require_same_grid(Geometry(voxels.shape, affine), "volume")
    except OasisGanError:
        return volume
    note = RepairNote(
        f"its axes run to {_named(volume.geometry)}: turned to {_named(geometry)}, nothing is resampled"
    )
    return replace(volume, voxels=voxels, geometry=geometry, notes=(*volume.notes, note))


def is_flipped_left_right(one: Geometry, other: Geometry) -> bool:
    """Whether the headers of two volumes differ in nothing but left and right, so that one of them must be wrong.

    The axis between left and right runs the other way, from the same first voxel or its mirror image.
    """
    if one.shape != other.shape:
        return False
    axis = int(np.argmax(np.abs(one.affine[0, :3])))
    along_axis = np.eye(4)
    across_space = np.eye(4)
    along_axis[axis, axis] = across_space[0, 0] = -1
    tolerance = _ROUNDING * min(one.spacing)
    mirrored = one.affine @ along_axis, across_space @ one.affine
    return any(np.allclose(other.affine, affine, rtol=0, atol=tolerance) for affine in mirrored)


def _order(
    given: Geometry, asked: Geometry
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]] | None:
    """Return, as nibabel does, which axis each axis becomes and in which direction; None if nothing is to be turned."""
    # Each column is an axis of the one in voxels of the other: a signed unit vector where the grids agree.
    axes = np.linalg.solve(asked.affine[:3, :3], given.affine[:3, :3])
    whole = np.rint(axes)
    if np.abs(axes - whole).max() > _ROUNDING or (whole == np.eye(3)).all():
        return None
    if not (np.abs(whole).sum(axis=0) == 1).all() or not (np.abs(whole).sum(axis=1) == 1).all():
        return None
    becomes = np.abs(whole).argmax(axis=0)
    return np.stack([becomes, whole[becomes, range(3)]], axis=1).astype(np.float64)


def _named(geometry: Geometry) -> str:
    return ", ".join(geometry.orientation)
