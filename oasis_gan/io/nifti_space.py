"""Where a NIfTI header says its voxels lie: sform, qform, units, and what to think of each.

Format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, cast

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header
from nibabel.spatialimages import HeaderDataError

from ..image.volume import Affine, Geometry, RepairNote, SpatialHeader
from .errors import NoAffineError, ShearError, VoxelSizesError
from .nifti_notes import odd_fields

Header = Nifti1Header  # of which Nifti2Header is a subclass
_MM = {
    0: 1.0,
    1: 1000.0,
    2: 1.0,
    3: 0.001,
}  # millimetres in an xyzt_units code: unknown, metre, mm, micron
_SHEAR_NOTED = 5e-5
_SHEAR_REFUSED = 5e-3
# A kilometre, and a voxel of a tenth of a micron: no head lies beyond them.
_MAX_MM = 1e6
_MIN_MM3 = 1e-12


def located(
    header: Header, shape: tuple[int, int, int], path: Path
) -> tuple[Geometry, tuple[str, ...]]:
    """Return where a header says the voxels lie, and what is odd about how it says it.

    Raises:
        OasisGanError: If it says nothing that can be used.
    """
    if not np.isfinite(header["pixdim"][:4]).all():
        raise VoxelSizesError(path, header["pixdim"][1:4], expected="finite voxel sizes")
    affine, trusted, notes = _affine(header, path)
    can_be_copied = trusted and _fits_nifti1(header)
    geometry = Geometry(shape, affine, _spatial(header) if can_be_copied else None)
    notes += check_shear(geometry, path)
    notes += odd_fields(header, geometry)
    return geometry, notes


def check_shear(geometry: Geometry, path: Path) -> tuple[str, ...]:
    """Return a note if axes are slightly sheared; raise `ShearError` if they are sheared too far."""
    if geometry.shear > _SHEAR_REFUSED:
        raise ShearError(path, geometry.shear)
    if geometry.shear > _SHEAR_NOTED:
        shear = f"{geometry.shear:.2g}"
        return (f"axes are sheared by {shear}: ITK may refuse the file, and what is made of it",)
    return ()


def _affine(header: Header, path: Path) -> tuple[Affine, bool, tuple[str, ...]]:
    """Return voxel to RAS+ mm, whether the header can be copied as it stands, and what there is to say."""
    codes = {"sform": int(header["sform_code"]), "qform": int(header["qform_code"])}
    notes: tuple[str, ...] = tuple(
        RepairNote(f"{form}_code {code} is unknown")
        for form, code in codes.items()
        if not 0 <= code <= 5
    )
    unusable = 0
    for form, get in (("sform", header.get_sform), ("qform", _qform(header))):
        if codes[form] <= 0:
            continue
        affine = _in_mm(header, get())
        if affine is not None:
            return affine, not notes, notes + _left_aside(header, form) + _negative_sizes(header)
        notes += (RepairNote(f"the {form} is unusable"),)
        unusable += 1
    if unusable:
        raise NoAffineError(path, notes)
    trusted = not notes
    sizes, size_notes = voxel_sizes(header)
    repaired = header.copy()
    repaired["pixdim"][1:4] = sizes
    affine = _in_mm(header, repaired.get_base_affine())
    if affine is None:
        raise VoxelSizesError(path, header["pixdim"][1:4])
    notes += size_notes
    notes += (
        "no orientation in the header: taken as nibabel does, left to the left-hand side of the first axis",
    )
    return affine, trusted, notes


def _negative_sizes(header: Header) -> tuple[str, ...]:
    """Return a note if voxel sizes are negative: by the format that turns no axis over, in ITK 5.4 it does."""
    if not (header["pixdim"][1:4] < 0).any():
        return ()
    return (
        "voxel sizes are negative: their absolute values are used, as nibabel does; ITK turns such axes over",
    )


def _left_aside(header: Header, used: str) -> tuple[str, ...]:
    """Return a note if the qform, which is not used, could not be."""
    if (
        used == "qform"
        or int(header["qform_code"]) <= 0
        or _in_mm(header, _qform(header)()) is not None
    ):
        return ()
    return (RepairNote("the qform is unusable: the sform is used"),)


def _in_mm(header: Header, affine: Affine | None) -> Affine | None:
    """Return an affine of a header in millimetres, or None where it lies nowhere or flattens a voxel."""
    if affine is None or not np.isfinite(affine).all():
        return None
    scale = _MM.get(int(header["xyzt_units"]) & 7, 1.0)
    affine = np.diag([scale, scale, scale, 1.0]) @ affine
    return affine if usable(affine) else None


def voxel_sizes(header: Header) -> tuple[Affine, tuple[str, ...]]:
    """Return the three voxel sizes of a header, made positive, and a note if they were not."""
    sizes = header["pixdim"][1:4].astype(np.float64)
    if not (sizes <= 0).any():
        return sizes, ()
    note = "voxel sizes are not positive: their absolute values are used, and 1 for 0"
    return np.where(sizes == 0, 1, np.abs(sizes)), (note,)


def usable(affine: Affine) -> bool:
    """Whether an affine in millimetres lies where a head can be, and flattens no voxel; one with NaN does not."""
    # The bound first: a determinant can overflow.
    return bool(np.abs(affine).max() <= _MAX_MM and abs(np.linalg.det(affine)) > _MIN_MM3)


def _qform(header: Header) -> Any:  # noqa: ANN401 - a callable that mirrors Nifti1Header.get_sform
    def get() -> Affine | None:
        copy = header.copy()
        # The format takes 0 for 1, and ITK and nibabel take every positive number for it.
        if copy["pixdim"][0] >= 0:
            copy["pixdim"][0] = 1
        copy["pixdim"][1:4] = np.abs(copy["pixdim"][1:4])
        try:
            return cast("Affine", copy.get_qform())
        except (HeaderDataError, ValueError):
            return None

    return get


def _fits_nifti1(header: Header) -> bool:
    """Whether a NIfTI-1 header can say the same; the doubles of NIfTI-2 have more room, and more digits."""
    if not isinstance(header, Nifti2Header):
        return True
    # Near half a turn, where LPS heads lie, rounding a quaternion to floats turns it by up to 3e-4.
    by_quaternion = header["sform_code"] <= 0 < header["qform_code"]
    names = (
        "quatern_b",
        "quatern_c",
        "quatern_d",
        "qoffset_x",
        "qoffset_y",
        "qoffset_z",
        "srow_x",
        "srow_y",
        "srow_z",
    )
    values = np.concatenate(
        [header["pixdim"][:4], *(np.atleast_1d(header[name]) for name in names)]
    )
    return not by_quaternion and bool((np.abs(values) <= np.finfo(np.float32).max).all())


def _spatial(header: Header) -> SpatialHeader:
    def values(*names: str) -> tuple[float, ...]:
        return tuple(float(header[name]) for name in names)

    zero = float(header["pixdim"][0])
    i, j, k = (abs(float(size)) for size in header["pixdim"][1:4])
    b, c, d = values("quatern_b", "quatern_c", "quatern_d")
    x, y, z = values("qoffset_x", "qoffset_y", "qoffset_z")
    return SpatialHeader(
        pixdim=(zero, i, j, k),
        qform_code=int(header["qform_code"]),
        sform_code=int(header["sform_code"]),
        quatern=(b, c, d),
        qoffset=(x, y, z),
        srow=tuple(
            tuple(float(value) for value in header[row]) for row in ("srow_x", "srow_y", "srow_z")
        ),
        spatial_unit=int(header["xyzt_units"]) & 7,
    )
