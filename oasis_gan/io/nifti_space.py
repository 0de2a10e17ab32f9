"""Read the geometry of a NIfTI header from its sform, qform and units, and judge each of them.

Format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from ..image.volume import Affine, Geometry, RepairNote, SpatialHeader
from .errors import NoAffineError, ShearError, VoxelSizesError
from .nifti_notes import millimetres_per_unit, note_odd_fields, read_unit

Header = Nifti1Header
"""A header of NIfTI-1, or of NIfTI-2: nibabel's class for that is a subclass."""
# Fields of a header.
_QUATERNION = ("quatern_b", "quatern_c", "quatern_d")
_OFFSET = ("qoffset_x", "qoffset_y", "qoffset_z")
_ROWS = ("srow_x", "srow_y", "srow_z")
_SHEAR_NOTED = 5e-5
_SHEAR_REFUSED = 5e-3
# A kilometre, and the volume of a voxel of a tenth of a micron: no head lies beyond these limits.
_MAX_MM = 1e6
_MIN_MM3 = 1e-12


def read_geometry(
    header: Header, shape: tuple[int, int, int], path: Path
) -> tuple[Geometry, tuple[str, ...]]:
    """Return the position of the voxels, and notes on what is odd about the header.

    Args:
        header: The header.
        shape: The shape of the volume.
        path: The path of the header.

    Raises:
        OasisGanError: If the header gives no usable position.
    """
    if not np.isfinite(header["pixdim"][:4]).all():
        raise VoxelSizesError(path, header["pixdim"][1:4], expected="finite voxel sizes")
    affine, trusted, notes = _read_affine(header, path)
    can_be_copied = trusted and _fits_nifti1(header)
    geometry = Geometry(shape, affine, _copy_spatial_fields(header) if can_be_copied else None)
    notes += check_shear(geometry, path)
    notes += note_odd_fields(header, geometry)
    return geometry, notes


def check_shear(geometry: Geometry, path: Path) -> tuple[str, ...]:
    """Return a note if the axes are slightly sheared; raise `ShearError` if the shear is large."""
    if geometry.shear > _SHEAR_REFUSED:
        raise ShearError(path, geometry.shear)
    if geometry.shear > _SHEAR_NOTED:
        shear = f"{geometry.shear:.2g}"
        return (f"axes are sheared by {shear}: ITK may refuse the file, and what is made of it",)
    return ()


def _read_affine(header: Header, path: Path) -> tuple[Affine, bool, tuple[str, ...]]:
    """Return the affine from voxels to RAS+ mm, whether the header can be copied, and notes."""
    notes = _note_unknown_codes(header)
    forms = {"sform": _read_sform, "qform": _read_qform}
    given = [form for form in forms if int(header[f"{form}_code"]) > 0]
    for form in given:
        affine = forms[form](header)
        if affine is not None:
            trusted = not notes
            if form == "sform":
                notes += _note_unusable_qform(header)
            notes += _note_negative_sizes(header)
            return affine, trusted, notes
        notes += (RepairNote(f"the {form} is unusable"),)
    if given:
        raise NoAffineError(path, notes)
    affine, assumptions = _assume_affine(header, path)
    return affine, not notes, notes + assumptions


def _assume_affine(header: Header, path: Path) -> tuple[Affine, tuple[str, ...]]:
    """Return the affine for a header without orientation, and notes on what it assumes."""
    sizes, notes = read_voxel_sizes(header)
    repaired = header.copy()
    repaired["pixdim"][1:4] = sizes
    affine = _scale_to_mm(header, repaired.get_base_affine())
    if affine is None:
        raise VoxelSizesError(path, header["pixdim"][1:4])
    assumption = (
        "no orientation in the header: taken as nibabel does, "
        "left to the left-hand side of the first axis"
    )
    return affine, (*notes, assumption)


def _note_unknown_codes(header: Header) -> tuple[str, ...]:
    notes: tuple[str, ...] = ()
    for name in ("sform_code", "qform_code"):
        code = int(header[name])
        if not 0 <= code <= 5:
            notes += (RepairNote(f"{name} {code} is unknown"),)
    return notes


def _note_negative_sizes(header: Header) -> tuple[str, ...]:
    """Return a note if voxel sizes are negative; ITK 5.4 flips such axes, against the format."""
    if (header["pixdim"][1:4] < 0).any():
        note = (
            "voxel sizes are negative: their absolute values are used, as nibabel does; "
            "ITK turns such axes over"
        )
        return (note,)
    return ()


def _note_unusable_qform(header: Header) -> tuple[str, ...]:
    """Return a note if a header with a usable sform has an unusable qform."""
    has_qform = int(header["qform_code"]) > 0
    if has_qform and _read_qform(header) is None:
        return (RepairNote("the qform is unusable: the sform is used"),)
    return ()


def _scale_to_mm(header: Header, affine: Affine) -> Affine | None:
    """Return an affine of a header in millimetres, or None if it is unusable."""
    if not np.isfinite(affine).all():
        return None
    scale = millimetres_per_unit(header)
    affine = np.diag([scale, scale, scale, 1.0]) @ affine
    return affine if is_usable(affine) else None


def read_voxel_sizes(header: Header) -> tuple[Affine, tuple[str, ...]]:
    """Return the three voxel sizes of a header, made positive, with a note if that changed them."""
    sizes = header["pixdim"][1:4].astype(np.float64)
    if not (sizes <= 0).any():
        return sizes, ()
    note = "voxel sizes are not positive: their absolute values are used, and 1 for 0"
    return np.where(sizes == 0, 1, np.abs(sizes)), (note,)


def is_usable(affine: Affine) -> bool:
    """Tell whether an affine in millimetres can be that of a head; one with NaN cannot."""
    # The limit comes first, because a determinant can overflow.
    is_near = np.abs(affine).max() <= _MAX_MM
    return bool(is_near and abs(np.linalg.det(affine)) > _MIN_MM3)


def _read_sform(header: Header) -> Affine | None:
    """Return the sform in millimetres, or None if it is unusable."""
    return _scale_to_mm(header, header.get_sform())


def _read_qform(header: Header) -> Affine | None:
    """Return the qform in millimetres, or None if it is unusable."""
    copy = header.copy()
    # By the format, 0 counts as 1; ITK and nibabel also take every positive number for 1.
    if copy["pixdim"][0] >= 0:
        copy["pixdim"][0] = 1
    copy["pixdim"][1:4] = np.abs(copy["pixdim"][1:4])
    try:
        affine = copy.get_qform()
    except (HeaderDataError, ValueError):
        return None
    return _scale_to_mm(header, affine)


def _fits_nifti1(header: Header) -> bool:
    """Tell whether NIfTI-1 can hold the position; the doubles of NIfTI-2 have more range."""
    if not isinstance(header, Nifti2Header):
        return True
    # Near half a turn, where LPS heads lie, rounding a quaternion to floats turns it by up to 3e-4.
    by_quaternion = header["sform_code"] <= 0 < header["qform_code"]
    if by_quaternion:
        return False
    fields = [np.ravel(header[name]) for name in (*_QUATERNION, *_OFFSET, *_ROWS)]
    values = np.concatenate([header["pixdim"][:4], *fields])
    return bool((np.abs(values) <= np.finfo(np.float32).max).all())


def _copy_spatial_fields(header: Header) -> SpatialHeader:
    qfac, *sizes = (float(value) for value in header["pixdim"][:4])
    i, j, k = map(abs, sizes)
    b, c, d = (float(header[name]) for name in _QUATERNION)
    x, y, z = (float(header[name]) for name in _OFFSET)
    return SpatialHeader(
        pixdim=(qfac, i, j, k),
        qform_code=int(header["qform_code"]),
        sform_code=int(header["sform_code"]),
        quatern=(b, c, d),
        qoffset=(x, y, z),
        srow=tuple(tuple(map(float, header[row])) for row in _ROWS),
        spatial_unit=read_unit(header),
    )
