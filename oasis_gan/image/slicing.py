"""Cutting a volume into slices of an anatomical plane, and joining slices to the volume they came from."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from nibabel import orientations

from .choices import Plane
from .volume import Affine, Geometry, Voxels


@dataclass(frozen=True, eq=False)
class SliceStack:
    """The slices of a volume, and what is needed to put them back.

    Args:
        slices: Array (slices, rows, columns, ...), each axis pointing to R, A or S; rows and columns are the two
            in-plane axes in the order R, A, S.
        geometry: Of the volume that was cut.
        plane: The plane it was cut in.
    """

    slices: Voxels
    geometry: Geometry
    plane: Plane

    @property
    def spacing(self) -> tuple[float, float]:
        """Distance between neighbouring rows and neighbouring columns, in mm."""
        canonical = [self.geometry.spacing[axis] for axis in _voxel_axes(self.geometry.affine)]
        del canonical[self.plane.axis]
        rows, columns = canonical
        return rows, columns

    def with_slices(self, slices: Voxels) -> SliceStack:
        """Return these slices in the places of the old ones; their number, rows and columns must be the same."""
        if slices.shape[:3] != self.slices.shape[:3]:
            raise ValueError(
                f"expected slices of shape {self.slices.shape[:3]}, got {slices.shape[:3]}"
            )
        return SliceStack(slices, self.geometry, self.plane)


def cut(voxels: Voxels, geometry: Geometry, plane: Plane) -> SliceStack:
    """Cut an array (I, J, K, ...) that lies as ``geometry`` says into slices of ``plane``. A view, not a copy."""
    if voxels.shape[:3] != geometry.shape:
        raise ValueError(f"expected an array of shape {geometry.shape}, got {voxels.shape[:3]}")
    towards_ras = orientations.apply_orientation(
        voxels, orientations.io_orientation(geometry.affine)
    )
    return SliceStack(np.moveaxis(towards_ras, plane.axis, 0), geometry, plane)


def join(stack: SliceStack) -> Voxels:
    """Return the array (I, J, K, ...) that the slices were cut from: every voxel back in its place."""
    towards_ras = np.moveaxis(stack.slices, 0, stack.plane.axis)
    there = orientations.io_orientation(stack.geometry.affine)
    back = orientations.ornt_transform(orientations.axcodes2ornt("RAS"), there)
    return np.ascontiguousarray(orientations.apply_orientation(towards_ras, back))


def _voxel_axes(affine: Affine) -> list[int]:
    """Return which voxel axis runs nearest to R-L, which to A-P and which to S-I."""
    nearest = orientations.io_orientation(affine)[:, 0]
    return [int(np.flatnonzero(nearest == axis)[0]) for axis in range(3)]
