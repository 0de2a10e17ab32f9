"""Read NIfTI-1 and NIfTI-2 single files: header first, then voxels, then the rest of the file.

Format: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and nifti2.h
"""

from __future__ import annotations

import gzip
from pathlib import Path
from typing import BinaryIO

import numpy as np
from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from ..image.choices import MAX_VOXELS
from ..image.volume import Volume
from .endings import NIFTI_ENDINGS
from .errors import UnusableFileError
from .formats import refuse_content
from .nifti_notes import misnamed, odd_extensions
from .nifti_space import Header, located
from .voxels import MAX_SPARE, checked_shape, odd_axes, opened, read_voxels, scaled


def is_nifti_name(path: Path) -> bool:
    """Whether a file is called like a NIfTI file of header and voxels in one, in upper or lower case."""
    return path.name.lower().endswith(NIFTI_ENDINGS)


def read_nifti(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from a NIfTI-1 or NIfTI-2 file, compressed or not, whatever its name says.

    Trailing axes of length 1 are dropped, slope and intercept applied. Orientation and position are those of the
    sform, or of the qform where there is no usable sform.

    Args:
        path: Of the file.
        max_voxels: A header that claims more is refused before anything is allocated.

    Raises:
        OasisGanError: If the file is no such volume, damaged, incomplete, or lies nowhere in particular.
        OSError: If it cannot be read at all.
    """
    path = Path(path)
    with opened(path, "a NIfTI file") as stream:
        header = _read_header(stream, path)
        shape = checked_shape(header, path, max_voxels, header.single_vox_offset)
        between = stream.read(int(header["vox_offset"]) - header.sizeof_hdr)
        raw = read_voxels(stream, header, shape, path, header.sizeof_hdr + len(between), MAX_SPARE)
        notes = misnamed(path, compressed=isinstance(stream, gzip.GzipFile)) + odd_axes(header)
        notes += odd_extensions(between, "big" if header.endianness == ">" else "little")
    # What overflows or is no number is looked for in the result; NumPy need not warn of it.
    with np.errstate(all="ignore"):
        voxels, scaling_notes = scaled(raw, header)
        geometry, geometry_notes = located(header, shape, path)
    return Volume(voxels, geometry, notes + scaling_notes + geometry_notes)


def _read_header(stream: BinaryIO, path: Path) -> Header:
    block = stream.read(Nifti1Header.sizeof_hdr)
    sizes = _sizes_of_header(block)
    kind: type[Header] = Nifti1Header
    if Nifti2Header.sizeof_hdr in sizes:
        kind = Nifti2Header
        block += stream.read(Nifti2Header.sizeof_hdr - len(block))
    if kind.sizeof_hdr not in sizes or len(block) < kind.sizeof_hdr:
        refuse_content(path, "a NIfTI header", block)
        found = f"{len(block)} bytes" if len(block) < kind.sizeof_hdr else "another format"
        raise UnusableFileError(path, "a NIfTI header", found, "give a .nii or .nii.gz file")
    header = kind(block, check=False)
    if not bytes(header["magic"]).startswith(kind.single_magic):
        expected = "a NIfTI file of header and voxels in one"
        remedy = "convert it to .nii.gz"
        raise UnusableFileError(path, expected, "another magic number", remedy)
    return header


def _sizes_of_header(block: bytes) -> set[int]:
    """Return the size that a header gives for itself, read in both orders of bytes."""
    if len(block) < 4:
        return set()
    return {int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big")}
