"""A volume as ITK sees it: origin, spacing and directions in LPS+ millimetres, and voxels in a type that it reads."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import Geometry, OasisGanError, Volume

MAX_SHEAR = 5e-5
"""The largest cosine between two axes: ITK's directions are perpendicular."""
_TYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
_LPS = np.array([-1.0, -1.0, 1.0])  # times RAS+, in which volumes lie


@dataclass(frozen=True, eq=False)
class ItkImage:
    """What the two formats write.

    Args:
        size: Number of voxels along each axis.
        spacing: Between voxel centres along each axis, mm.
        directions: One row an axis: the unit vector it points along, LPS+.
        origin: Where the first voxel's centre lies, LPS+ mm.
        dtype: Name of the voxels' NumPy type.
        data: The voxels, little-endian, the first axis fastest.
    """

    size: tuple[int, int, int]
    spacing: tuple[float, float, float]
    directions: NDArray[np.float64]
    origin: NDArray[np.float64]
    dtype: str
    data: bytes

    @classmethod
    def of(cls, volume: Volume, path: Path) -> ItkImage:
        """Return ``volume`` for ``path``.

        Raises:
            OasisGanError: If its grid is sheared by more than `MAX_SHEAR`, or its voxels are not finite numbers.
        """
        geometry, voxels = volume.geometry, volume.voxels
        _require_perpendicular(geometry, path)
        _require_finite_numbers(voxels, path)
        return cls(
            size=geometry.shape,
            spacing=geometry.spacing,
            directions=(geometry.affine[:3, :3] / geometry.spacing).T * _LPS,
            origin=geometry.affine[:3, 3] * _LPS,
            dtype=voxels.dtype.name,
            data=voxels.astype(voxels.dtype.newbyteorder("<"), copy=False).tobytes(order="F"),
        )


def _require_perpendicular(geometry: Geometry, path: Path) -> None:
    # Written so that NaN is refused too.
    if not geometry.shear <= MAX_SHEAR:
        remedy = "resample the source onto a grid with perpendicular axes"
        raise OasisGanError(path, expected="perpendicular axes", found=f"shear {geometry.shear:.2g}", remedy=remedy)


def _require_finite_numbers(voxels: NDArray[Any], path: Path) -> None:
    if voxels.dtype.name not in _TYPES:
        remedy = "convert them to one of " + ", ".join(_TYPES)
        raise OasisGanError(path, expected="integer or float voxels", found=voxels.dtype.name, remedy=remedy)
    if not np.isfinite(voxels).all():
        remedy = "few filters of ITK can take them: set them to 0"
        raise OasisGanError(path, expected="finite voxels", found="NaN or Inf", remedy=remedy)


def numbers(values: Any) -> str:  # noqa: ANN401 - any sequence of numbers
    """Return numbers as text from which the same doubles are read."""
    # A zero is added so that none is written as -0.0.
    return " ".join(repr(float(value) + 0.0) for value in values)
