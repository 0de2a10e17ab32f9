"""Convert a volume to what ITK has: origin, spacing and directions in LPS+ millimetres."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import Geometry, Volume

from .errors import NotFiniteVoxelsError, ShearedGridError, VoxelTypeError

MAX_SHEAR = 5e-5
"""The largest cosine between two axes that ITK takes for perpendicular."""
_TYPES = (
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
)
_LPS = np.array([-1.0, -1.0, 1.0])  # times RAS+, in which volumes lie


@dataclass(frozen=True, eq=False)
class ItkImage:
    """A volume that has the fields of an image in ITK.

    Args:
        voxels: (I, J, K), of a type that ITK has.
        spacing: Distance between voxel centres along each axis, mm.
        directions: The unit vector of each axis in a column, LPS+.
        origin: Centre of the first voxel, LPS+ mm.
    """

    voxels: NDArray[Any]
    spacing: NDArray[np.float64]
    directions: NDArray[np.float64]
    origin: NDArray[np.float64]

    @classmethod
    def from_volume(cls, volume: Volume, path: Path) -> ItkImage:
        """Return the image of ``volume``; errors name ``path``.

        Raises:
            OasisGanError: If its grid is sheared by more than `MAX_SHEAR`, or a voxel is not a
                finite number.
        """
        geometry = volume.geometry
        voxels = volume.voxels
        _require_perpendicular(geometry, path)
        _require_finite_numbers(voxels, path)
        # SimpleITK reads only the byte order of the machine.
        native = voxels.dtype.newbyteorder("=")
        axes = geometry.affine[:3, :3] / geometry.spacing
        position = geometry.affine[:3, 3]
        return cls(
            voxels=voxels.astype(native, copy=False),
            spacing=np.array(geometry.spacing),
            # A zero is added so that none is written as -0.0.
            directions=axes * _LPS[:, np.newaxis] + 0.0,
            origin=position * _LPS + 0.0,
        )

    @classmethod
    def from_simpleitk(cls, image: Any, itk: Any) -> ItkImage:  # noqa: ANN401 - SimpleITK has no types
        """Return the volume in an image of SimpleITK."""
        return cls(
            voxels=itk.GetArrayFromImage(image).T,
            spacing=np.array(image.GetSpacing()),
            directions=np.reshape(image.GetDirection(), (3, 3)),
            origin=np.array(image.GetOrigin()),
        )

    def to_simpleitk(self, itk: Any) -> Any:  # noqa: ANN401
        """Return the volume as an image of SimpleITK."""
        # Arrays of SimpleITK have the slowest axis first.
        image = itk.GetImageFromArray(np.ascontiguousarray(self.voxels.T))
        image.SetSpacing(self.spacing.tolist())
        image.SetDirection(self.directions.ravel().tolist())
        image.SetOrigin(self.origin.tolist())
        return image

    def equals(self, other: ItkImage, rounding: float) -> bool:
        """Whether both hold the same voxels on the same grid, within ``rounding``."""
        return (
            self.voxels.dtype == other.voxels.dtype
            and np.array_equal(self.voxels, other.voxels)
            # In millimetres: text has no room for the smallest numbers that a double can hold.
            and np.allclose(self.origin, other.origin, rtol=0, atol=rounding)
            and np.allclose(self.spacing, other.spacing, rtol=rounding, atol=0)
            and np.allclose(self.directions, other.directions, rtol=0, atol=rounding)
        )


def _require_perpendicular(geometry: Geometry, path: Path) -> None:
    # Written so that NaN is refused too.
    if not geometry.shear <= MAX_SHEAR:
        raise ShearedGridError(path, geometry.shear)


def _require_finite_numbers(voxels: NDArray[Any], path: Path) -> None:
    if voxels.dtype.name not in _TYPES:
        raise VoxelTypeError(path, voxels.dtype.name, _TYPES)
    if not np.isfinite(voxels).all():
        raise NotFiniteVoxelsError(path)
