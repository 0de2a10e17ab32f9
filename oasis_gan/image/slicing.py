"""Cut a volume into slices of an anatomical plane, and join slices to a volume."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from nibabel import orientations

from .choices import Plane
from .volume import Affine, Geometry, Voxels


@dataclass(frozen=True, eq=False)
class SliceStack:
    """The slices of a volume, and what is needed to put them back.

    Args:
        slices: Array (slices, rows, columns, ...), each axis pointing to R, A or S; rows and
            columns are the two in-plane axes in the order R, A, S.
        geometry: The geometry of the volume that was cut.
        plane: The plane it was cut in.
    """

    slices: Voxels
    geometry: Geometry
    plane: Plane

    @property
    def spacing(self) -> tuple[float, float]:
        """Return the distance between neighbouring rows and neighbouring columns, in mm."""
        spacing = self.geometry.spacing
        axes = find_voxel_axes(self.geometry.affine)
        towards_ras = [spacing[axis] for axis in axes]
        del towards_ras[self.plane.axis]
        rows, columns = towards_ras
        return rows, columns

    def with_slices(self, slices: Voxels) -> SliceStack:
        """Return a stack with other slices, as many and as large, in the places of these."""
        expected = self.slices.shape[:3]
        found = slices.shape[:3]
        if found != expected:
            raise ValueError(f"expected slices of shape {expected}, got {found}")
        return replace(self, slices=slices)


def cut(voxels: Voxels, geometry: Geometry, plane: Plane) -> SliceStack:
    """Cut an array (I, J, K, ...) that lies as ``geometry`` says into slices of ``plane``.

    The slices are a view, not a copy.
    """
    if voxels.shape[:3] != geometry.shape:
        raise ValueError(f"expected an array of shape {geometry.shape}, got {voxels.shape[:3]}")
    orientation = orientations.io_orientation(geometry.affine)
    towards_ras = orientations.apply_orientation(voxels, orientation)
    slices = np.moveaxis(towards_ras, plane.axis, 0)
    return SliceStack(slices, geometry, plane)


def join(stack: SliceStack) -> Voxels:
    """Return the array (I, J, K, ...) that slices were cut from, every voxel back in its place."""
    towards_ras = np.moveaxis(stack.slices, 0, stack.plane.axis)
    ras = orientations.axcodes2ornt("RAS")
    orientation = orientations.io_orientation(stack.geometry.affine)
    back = orientations.ornt_transform(ras, orientation)
    voxels = orientations.apply_orientation(towards_ras, back)
    return np.ascontiguousarray(voxels)


def find_voxel_axes(affine: Affine) -> list[int]:
    """Return which voxel axis runs nearest to left-right, to back-front and to bottom-top."""
    nearest = orientations.io_orientation(affine)[:, 0]
    # Sorting the numbers of a permutation gives its inverse.
    voxel_axes: list[int] = np.argsort(nearest).tolist()
    return voxel_axes
