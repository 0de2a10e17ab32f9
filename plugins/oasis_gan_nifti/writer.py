"""Writing NIfTI-1 so that nibabel and ITK put every voxel where the source had it."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
from isal import igzip

from oasis_gan import Geometry, OasisGanError, SpatialHeader, Volume, write_atomically

MAX_SHEAR = 5e-5
"""The largest cosine between two axes for which a quaternion can say where voxels lie."""
_MM = 2


def write_nifti(volume: Volume, path: Path) -> None:
    """Write ``volume`` to a NIfTI-1 file, gzipped where its name ends in ``.gz``; slope 1, intercept 0.

    On the grid of a NIfTI source the spatial fields of its header are kept by value; otherwise sform and qform
    are both set. Extensions and descriptions are not carried over: they can hold a patient's name.

    Raises:
        OasisGanError: If a voxel is not finite, or a new grid is sheared by more than `MAX_SHEAR`.
        OSError: As the file system says; nothing is left under ``path``.
    """
    if not np.isfinite(volume.voxels).all():
        raise OasisGanError(
            path, expected="finite voxels", found="NaN or Inf", remedy="ITK would read them as 0"
        )
    image = nib.Nifti1Image(volume.voxels, None, dtype=volume.voxels.dtype)
    header = image.header
    header.set_slope_inter(1, 0)
    if volume.geometry.header is not None:
        _copy_space(header, volume.geometry.header)
    else:
        _set_space(header, volume.geometry, path)
    data = image.to_bytes()
    # No time stamp, so that equal volumes are equal files.
    write_atomically(path, igzip.compress(data, mtime=0) if path.name.endswith(".gz") else data)


def _copy_space(header: nib.Nifti1Header, space: SpatialHeader) -> None:
    # Item by item: nibabel's setters would normalise the quaternion and round what the source said.
    header["pixdim"][:4] = space.pixdim
    header["qform_code"] = space.qform_code
    header["sform_code"] = space.sform_code
    header["quatern_b"], header["quatern_c"], header["quatern_d"] = space.quatern
    header["qoffset_x"], header["qoffset_y"], header["qoffset_z"] = space.qoffset
    header["srow_x"], header["srow_y"], header["srow_z"] = space.srow
    header["xyzt_units"] = space.spatial_unit


def _set_space(header: nib.Nifti1Header, geometry: Geometry, path: Path) -> None:
    if not geometry.shear <= MAX_SHEAR:
        remedy = "resample the source onto a grid with perpendicular axes"
        raise OasisGanError(
            path, expected="perpendicular axes", found=f"shear {geometry.shear:.2g}", remedy=remedy
        )
    # set_qform first: it alone writes pixdim. Both codes are 1, so that ITK takes the exact sform.
    header.set_qform(geometry.affine, code=1)
    header.set_sform(geometry.affine, code=1)
    header["xyzt_units"] = _MM
