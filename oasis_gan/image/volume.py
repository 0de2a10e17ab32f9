"""Volumes of voxels, and where the voxels lie in RAS+ millimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, Self, TypeVar

import numpy as np
from nibabel import orientations
from numpy.typing import NDArray

from .errors import OtherGridError

Voxels = NDArray[Any]
Affine = NDArray[np.float64]
Channels = NDArray[np.float32]
Mask = NDArray[np.bool_]
Content = Literal["labels", "image"]
"""What the values of a volume are: label values, or intensities."""


class RepairNote(str):
    """A note on a clear fault that was corrected.

    A note that is a plain `str` is on something that a user should look at.
    """

    __slots__ = ()


class AssumptionNote(str):
    """A note on what had to be assumed because no file of the format says it.

    It does not mean that anything is wrong with this file.
    """

    __slots__ = ()


@dataclass(frozen=True)
class SpatialHeader:
    """The fields of a NIfTI-1 header that say where voxels lie, by value.

    nibabel and ITK read a volume that is written with them exactly as they read its source,
    whatever each of them makes of sform and qform. Names and meanings:
    https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h
    """

    pixdim: tuple[float, float, float, float]
    qform_code: int
    sform_code: int
    quatern: tuple[float, float, float]
    qoffset: tuple[float, float, float]
    srow: tuple[tuple[float, ...], ...]
    spatial_unit: int


@dataclass(frozen=True, eq=False)
class Geometry:
    """Where the voxels of a volume lie.

    Args:
        shape: Number of voxels along each of the three axes.
        affine: 4x4, voxel index (i, j, k, 1) to RAS+ millimetres.
        header: The source's own NIfTI fields, if it had any; an exporter that writes the same grid
            keeps them.
    """

    shape: tuple[int, int, int]
    affine: Affine
    header: SpatialHeader | None = None

    @property
    def axes(self) -> Affine:
        """Return the step to the next voxel along each axis: the columns of a 3x3 array, in mm."""
        return self.affine[:3, :3]

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Return the distance between neighbouring voxel centres along each axis, in mm."""
        i, j, k = np.sqrt((self.axes**2).sum(axis=0)).tolist()
        return i, j, k

    @property
    def corners(self) -> NDArray[np.int_]:
        """Return the voxel indices (i, j, k, 1) of the eight corners of the grid: (4, 8)."""
        ends = [(0, length - 1) for length in self.shape]
        grid = np.meshgrid(*ends, [1], indexing="ij")
        return np.array(grid).reshape(4, -1)

    @property
    def orientation(self) -> str:
        """Return the nearest anatomical directions of the three axes, such as ``"RAS"``."""
        return "".join(orientations.aff2axcodes(self.affine))

    @property
    def shear(self) -> float:
        """The largest cosine between two axes: 0 where they are perpendicular, as ITK demands."""
        directions = self.axes / self.spacing
        cosines = directions.T @ directions - np.eye(3)
        return float(np.abs(cosines).max())

    @property
    def has_position(self) -> bool:
        """Whether the position of the voxels is known, and not left open by the source's header."""
        header = self.header
        if header is None:
            return True
        return header.sform_code > 0 or header.qform_code > 0

    def has_same_shape_and_spacing(self, other: Geometry) -> bool:
        """Return whether both have the same number of voxels of the same size along each axis."""
        if self.shape != other.shape:
            return False
        return np.allclose(self.spacing, other.spacing, rtol=1e-3)

    def require_same_grid(
        self,
        other: Geometry,
        where: object,
        tolerance_mm: float = 1e-3,
    ) -> None:
        """Raise `OtherGridError` unless both grids have their voxels in the same places.

        Args:
            other: The other grid.
            where: What to call it in an error.
            tolerance_mm: How far a voxel may lie from its counterpart.
        """
        if self.shape != other.shape:
            raise OtherGridError(where, f"shape {self.shape}", f"{other.shape}")
        # No voxel can be further from its counterpart than a corner is.
        offsets = (self.affine - other.affine) @ self.corners
        distances = np.linalg.norm(offsets[:3], axis=0)
        distance = distances.max()
        # Written so that a distance of NaN is refused too.
        if not distance <= tolerance_mm:
            found = f"a corner {distance:.3g} mm away"
            raise OtherGridError(where, "voxels in the same places", found)


@dataclass(frozen=True, eq=False)
class Volume:
    """Voxels and where they lie.

    Args:
        voxels: Array of ``geometry.shape``: intensities in the scanner's unit, or label values.
        geometry: Where the voxels lie.
        notes: What the reader fixed or doubted, a sentence each.

    Further axes of length 1, as in the shape ``(x, y, z, 1)``, are dropped.

    Raises:
        ValueError: If array and geometry disagree about the shape.
    """

    voxels: Voxels
    geometry: Geometry
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        shape = self.voxels.shape
        if _has_single_further_axes(shape):
            voxels = self.voxels.reshape(shape[:3])
            object.__setattr__(self, "voxels", voxels)
        expected = self.geometry.shape
        if _has_single_further_axes(expected):
            geometry = replace(self.geometry, shape=expected[:3])
            object.__setattr__(self, "geometry", geometry)
        shape = self.voxels.shape
        expected = self.geometry.shape
        if shape != expected:
            raise ValueError(f"voxels have shape {shape}, geometry says {expected}")

    def add_note(self, note: str) -> Self:
        """Return the volume with one more note."""
        return replace(self, notes=(*self.notes, note))


@dataclass(frozen=True, eq=False)
class CleanVolume(Volume):
    """A volume of finite voxels with background 0, as `oasis_gan.image.cleaning.clean` makes it.

    Args:
        voxels: As in `Volume`.
        geometry: As in `Volume`.
        notes: As in `Volume`.
        content: What the voxels hold.
    """

    content: Content = "image"


V = TypeVar("V", bound=Volume)
"""A volume, clean or not: a function that changes one returns one of the same type."""


def _has_single_further_axes(shape: tuple[int, ...]) -> bool:
    """Return whether a shape has more than three axes, and all further ones have length 1."""
    return len(shape) > 3 and set(shape[3:]) == {1}
