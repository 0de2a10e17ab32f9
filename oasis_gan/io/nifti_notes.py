"""Note what is odd about a NIfTI file that can be read: what was corrected, or is in doubt.

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
# By the code in xyzt_units; any other code means millimetres.
_UNITS = {1: "metres", 3: "microns"}
_MILLIMETRES = {1: 1000.0, 3: 0.001}


def read_unit(header: Nifti1Header) -> int:
    """Return the code of the unit of space in a header."""
    return int(header["xyzt_units"]) & 7


def millimetres_per_unit(header: Nifti1Header) -> float:
    """Return how many millimetres the unit of a header has; an unknown unit counts as 1 mm."""
    return _MILLIMETRES.get(read_unit(header), 1.0)


def note_misleading_name(
    path: Path, *, compressed: bool, endings: tuple[str, ...] = (".gz",)
) -> tuple[str, ...]:
    """Return a note if the name of a file does not say whether it is compressed.

    Args:
        path: The path of the file.
        compressed: Whether the file is compressed.
        endings: The endings of compressed files.
    """
    if path.name.lower().endswith(endings) == compressed:
        return ()
    state = "compressed" if compressed else "not compressed"
    return (RepairNote(f"{state}, though its name says otherwise"),)


def note_odd_fields(header: Nifti1Header, geometry: Geometry) -> tuple[str, ...]:
    """Return notes on dropped axes, other units, and fields that contradict each other."""
    notes: tuple[str, ...] = ()
    unit = read_unit(header)
    bits = int(header["bitpix"])
    if int(header["dim"][0]) > 3:
        notes += (RepairNote("axes of length 1 after the third are dropped"),)
    if unit in _UNITS:
        notes += (RepairNote(f"positions are given in {_UNITS[unit]}: converted to millimetres"),)
    if bits != header.get_data_dtype().itemsize * 8:
        notes += (f"bitpix is {bits}, which is not the size of its datatype",)
    if int(header["sform_code"]) > 0:
        notes += _note_other_sizes(header, geometry)
    return notes


def _note_other_sizes(header: Nifti1Header, geometry: Geometry) -> tuple[str, ...]:
    """Return a note if the voxel sizes of a header are not those of its sform."""
    stored = np.abs(header["pixdim"][1:4].astype(np.float64))
    sizes = stored * millimetres_per_unit(header)
    if np.allclose(sizes, geometry.spacing, rtol=_SIZE_TOLERANCE, atol=0):
        return ()
    found = _format_sizes(sizes)
    used = _format_sizes(geometry.spacing)
    return (f"pixdim says voxels of {found} mm, the sform {used} mm: the sform is used",)


def _format_sizes(sizes: Iterable[float]) -> str:
    return " x ".join(f"{size:.4g}" for size in sizes)


def note_odd_extensions(block: bytes, order: Literal["little", "big"]) -> tuple[str, ...]:
    """Return a note if the size of a header extension is impossible; extensions are not kept.

    Args:
        block: The bytes between header and voxels. The first of four says whether extensions
            follow. Each has its size (a multiple of 16) and a code of four bytes each, and its
            content.
        order: The byte order of the header.
    """
    has_extensions = any(block[:1])
    end = len(block)
    at = 4
    while has_extensions and at + 8 <= end:
        size = int.from_bytes(block[at : at + 4], order, signed=True)
        if size < 16 or size % 16 or at + size > end:
            return (f"a header extension claims {size} bytes, which cannot be: it is left out",)
        at += size
    return ()
