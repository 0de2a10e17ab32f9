"""Volumes, and where their voxels lie: RAS+, millimetres."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, Literal, TypeVar

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
    """A note on a clear fault that was corrected. Notes that are plain `str` should be looked at."""

    __slots__ = ()


class AssumptionNote(str):
    """A note on what no file of its format says, so that it had to be assumed: nothing is wrong with this one."""

    __slots__ = ()


@dataclass(frozen=True)
class SpatialHeader:
    """The fields of a NIfTI-1 header that say where voxels lie, by value.

    A volume written with them is read by nibabel and by ITK exactly as its source is, whatever the two make of
    its sform and qform. Names and meanings: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h
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
        header: The source's own NIfTI fields, if it had any; an exporter that writes the same grid keeps them.
    """

    shape: tuple[int, int, int]
    affine: Affine
    header: SpatialHeader | None = None

    @property
    def spacing(self) -> tuple[float, float, float]:
        """Distance between neighbouring voxel centres along each axis, in mm."""
        i, j, k = np.sqrt((self.affine[:3, :3] ** 2).sum(axis=0))
        return float(i), float(j), float(k)

    @property
    def orientation(self) -> str:
        """The nearest anatomical directions of the three axes, such as ``"RAS"``."""
        return "".join(orientations.aff2axcodes(self.affine))

    @property
    def shear(self) -> float:
        """The largest cosine between two axes: 0 where they are perpendicular, as ITK demands."""
        directions = self.affine[:3, :3] / np.array(self.spacing)
        cosines = directions.T @ directions - np.eye(3)
        return float(np.abs(cosines).max())

    @property
    def has_position(self) -> bool:
        """Whether the source's header, if it had one, says where the voxels lie; else their place is a custom."""
        return self.header is None or max(self.header.sform_code, self.header.qform_code) > 0

    def has_same_shape_and_spacing(self, other: Geometry) -> bool:
        """Whether both have the same number of voxels of the same size along each axis."""
        return self.shape == other.shape and np.allclose(self.spacing, other.spacing, rtol=1e-3)

    def require_same_grid(self, other: Geometry, where: object, tolerance_mm: float = 1e-3) -> None:
        """Raise `OtherGridError` unless both grids have their voxels in the same places.

        Args:
            other: The other grid.
            where: What to call it in an error.
            tolerance_mm: How far a voxel may lie from its counterpart.
        """
        if self.shape != other.shape:
            raise OtherGridError(where, f"shape {self.shape}", f"{other.shape}")
        corners = np.array(
            np.meshgrid(*((0, n - 1) for n in self.shape), [1], indexing="ij")
        ).reshape(4, -1)
        distance = np.linalg.norm(((self.affine - other.affine) @ corners)[:3], axis=0).max()
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

    Further axes of length 1, as ``(x, y, z, 1)`` has them, are dropped.

    Raises:
        ValueError: If array and geometry disagree about the shape.
    """

    voxels: Voxels
    geometry: Geometry
    notes: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if np.ndim(self.voxels) > 3 and set(self.voxels.shape[3:]) == {1}:
            object.__setattr__(self, "voxels", self.voxels.reshape(self.voxels.shape[:3]))
        if len(self.geometry.shape) > 3 and set(self.geometry.shape[3:]) == {1}:
            object.__setattr__(
                self, "geometry", replace(self.geometry, shape=self.geometry.shape[:3])
            )
        if self.voxels.shape != self.geometry.shape:
            raise ValueError(
                f"voxels have shape {self.voxels.shape}, geometry says {self.geometry.shape}"
            )


@dataclass(frozen=True, eq=False)
class CleanVolume(Volume):
    """A volume of finite voxels whose background is 0: `oasis_gan.image.cleaning.clean` returns no other.

    Args:
        voxels: As in `Volume`.
        geometry: As in `Volume`.
        notes: As in `Volume`.
        content: What the voxels hold.
    """

    content: Content = "image"


V = TypeVar("V", bound=Volume)
"""A volume, clean or not: what changes one returns one of the same type."""
