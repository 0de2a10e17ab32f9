"""Read NIfTI-1 and NIfTI-2 files that hold header and voxels in one.

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
from .errors import UnusableFileError, WrongHeaderError
from .formats import refuse_content
from .nifti_notes import note_misleading_name, note_odd_extensions
from .nifti_space import Header, read_geometry
from .voxels import (
    MAX_SPARE,
    apply_scaling,
    note_channel_axis,
    open_decompressed,
    read_shape,
    read_voxels,
)

_HEADER = "a NIfTI header"


def is_nifti_name(path: Path) -> bool:
    """Tell whether a file has the name of a NIfTI file, in upper or lower case."""
    return path.name.lower().endswith(NIFTI_ENDINGS)


def read_nifti(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from a NIfTI-1 or NIfTI-2 file, compressed or not, whatever its name.

    Trailing axes of length 1 are dropped; slope and intercept are applied. Orientation and position
    are those of the sform, or of the qform if there is no usable sform.

    Args:
        path: The path of the file.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the file is not such a volume, is damaged or incomplete, or has no usable
            position.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    with open_decompressed(path, "a NIfTI file") as stream:
        header = _read_header(stream, path)
        shape = read_shape(header, path, max_voxels, header.single_vox_offset)
        extensions = stream.read(int(header["vox_offset"]) - header.sizeof_hdr)
        raw = read_voxels(
            stream,
            header,
            shape,
            path,
            at=header.sizeof_hdr + len(extensions),
            max_spare=MAX_SPARE,
        )
        compressed = isinstance(stream, gzip.GzipFile)
    notes = note_misleading_name(path, compressed=compressed)
    notes += note_channel_axis(header)
    notes += note_odd_extensions(extensions, "big" if header.endianness == ">" else "little")
    # NumPy need not warn of overflow and NaN: both are looked for in the result.
    with np.errstate(all="ignore"):
        voxels, scaling_notes = apply_scaling(raw, header)
        geometry, geometry_notes = read_geometry(header, shape, path)
    return Volume(voxels, geometry, notes + scaling_notes + geometry_notes)


def _read_header(stream: BinaryIO, path: Path) -> Header:
    block = stream.read(Nifti1Header.sizeof_hdr)
    sizes = read_header_sizes(block)
    kind: type[Header] = Nifti1Header
    if Nifti2Header.sizeof_hdr in sizes:
        kind = Nifti2Header
        block += stream.read(Nifti2Header.sizeof_hdr - len(block))
    needed = kind.sizeof_hdr
    if needed not in sizes or len(block) < needed:
        refuse_content(path, _HEADER, block)
        remedy = "give a .nii or .nii.gz file"
        raise WrongHeaderError(path, _HEADER, len(block), needed, remedy)
    header = kind(block, check=False)
    if not bytes(header["magic"]).startswith(kind.single_magic):
        expected = "a NIfTI file of header and voxels in one"
        remedy = "convert it to .nii.gz"
        raise UnusableFileError(path, expected, "another magic number", remedy)
    return header


def read_header_sizes(block: bytes) -> set[int]:
    """Return the size that a NIfTI header states for itself, read in both byte orders."""
    if len(block) < 4:
        return set()
    return {int.from_bytes(block[:4], "little"), int.from_bytes(block[:4], "big")}
