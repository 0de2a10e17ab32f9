"""What is odd about a NIfTI header though the volume can be read: a note each, on what was put right or is in doubt.

Format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header

from ..image.volume import Geometry, RepairNote

_SIZE_TOLERANCE = 1e-3  # of a voxel
_UNITS = {1: "metres", 3: "microns"}  # by xyzt_units code


def misnamed(path: Path, *, compressed: bool) -> tuple[str, ...]:
    """Return a note if a file's name says that it is compressed and it is not, or the other way round."""
    if path.name.lower().endswith(".gz") == compressed:
        return ()
    if compressed:
        return (RepairNote("compressed, though its name says otherwise"),)
    return (RepairNote("not compressed, though named .gz"),)


def odd_fields(header: Nifti1Header, geometry: Geometry) -> tuple[str, ...]:
    """Return notes on fields that say the same thing twice, and not alike."""
    notes: tuple[str, ...] = ()
    unit = int(header["xyzt_units"]) & 7
    if int(header["dim"][0]) > 3:
        notes += (RepairNote("axes of length 1 after the third are dropped"),)
    if unit in _UNITS:
        notes += (RepairNote(f"places are given in {_UNITS[unit]}: taken in millimetres"),)
    if int(header["bitpix"]) != header.get_data_dtype().itemsize * 8:
        notes += (f"bitpix is {int(header['bitpix'])}, which is not the size of its datatype",)
    scale = {1: 1000.0, 3: 0.001}.get(unit, 1.0)
    sizes = np.abs(header["pixdim"][1:4].astype(np.float64)) * scale
    has_sform = int(header["sform_code"]) > 0
    if has_sform and not np.allclose(sizes, geometry.spacing, rtol=_SIZE_TOLERANCE, atol=0):
        found = _format_sizes(sizes)
        used = _format_sizes(geometry.spacing)
        notes += (f"pixdim says voxels of {found} mm, the sform {used} mm: the sform is used",)
    return notes


def _format_sizes(sizes: Iterable[float]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)


def odd_extensions(block: bytes, order: Literal["little", "big"]) -> tuple[str, ...]:
    """Return a note if header extensions do not add up; they are not read, nor written again.

    Args:
        block: The bytes between header and voxels: four of which the first says whether extensions follow, then
            for each its size (a multiple of 16) and a code, four bytes each, and its content.
        order: Of the header's bytes.
    """
    at = 4
    end = len(block)
    while block[:1] not in (b"", b"\0") and at + 8 <= end:
        size = int.from_bytes(block[at : at + 4], order, signed=True)
        if size < 16 or size % 16 or at + size > end:
            return (f"a header extension claims {size} bytes, which cannot be: it is left out",)
        at += size
    return ()
