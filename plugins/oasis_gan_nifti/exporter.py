"""Write NIfTI-1 so that nibabel and ITK put every voxel where the source had it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import nibabel as nib
import numpy as np
from isal import igzip

from oasis_gan import SYNTHETIC_MARK, Geometry, SpatialHeader, Volume, write_atomically

from .errors import NotFiniteError, ShearedGridError

MAX_SHEAR = 5e-5
"""The largest cosine between two axes at which a quaternion still describes the grid."""
_MM = 2


def write_nifti(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a NIfTI-1 file, gzipped if its name ends in ``.gz``.

    Slope is 1 and intercept 0. On the grid of a NIfTI source the spatial fields of its header keep
    their exact values; otherwise both sform and qform are set. Extensions and descriptions are not
    copied, because they can hold a patient's name; ``descrip`` is `SYNTHETIC_MARK`.

    Raises:
        NotFiniteError: If a voxel is not finite.
        ShearedGridError: If a new grid is sheared by more than `MAX_SHEAR`.
        OSError: If the file cannot be written; nothing is left under ``path``.
    """
    if not np.isfinite(volume.voxels).all():
        raise NotFiniteError(path)
    image = nib.Nifti1Image(volume.voxels, None, dtype=volume.voxels.dtype)
    header = image.header
    header.set_slope_inter(1, 0)
    header["descrip"] = SYNTHETIC_MARK.encode("ascii")
    if volume.geometry.header is not None:
        _copy_space(header, volume.geometry.header)
    else:
        _set_space(header, volume.geometry, path)
    data = image.to_bytes()
    if path.name.endswith(".gz"):
        # No time stamp, so that equal volumes become equal files.
        data = igzip.compress(data, mtime=0)
    write_atomically(path, data)


def _copy_space(header: nib.Nifti1Header, space: SpatialHeader) -> None:
    # Item by item: nibabel's setters would normalise the quaternion and round what the source said.
    header["pixdim"][:4] = space.pixdim
    header["qform_code"] = space.qform_code
    header["sform_code"] = space.sform_code
    header["xyzt_units"] = space.spatial_unit
    _set_fields(header, "quatern", "bcd", space.quatern)
    _set_fields(header, "qoffset", "xyz", space.qoffset)
    _set_fields(header, "srow", "xyz", space.srow)


def _set_fields(
    header: nib.Nifti1Header,
    name: str,
    axes: str,
    values: Iterable[object],
) -> None:
    """Set the fields of a header that have one name and an axis each, such as ``srow_x``."""
    for axis, value in zip(axes, values, strict=True):
        header[f"{name}_{axis}"] = value


def _set_space(header: nib.Nifti1Header, geometry: Geometry, path: Path) -> None:
    # Written so that NaN is refused too.
    if not geometry.shear <= MAX_SHEAR:
        raise ShearedGridError(path, geometry.shear)
    # set_qform comes first, because it alone writes pixdim. Both codes are 1, so that ITK takes
    # the exact sform.
    header.set_qform(geometry.affine, code=1)
    header.set_sform(geometry.affine, code=1)
    header["xyzt_units"] = _MM
