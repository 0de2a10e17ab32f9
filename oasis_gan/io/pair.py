"""Read pairs of a header (``.hdr``) and voxels (``.img``): NIfTI-1 or Analyze 7.5, gzipped or not.

The magic number in the header decides between the two. Formats:
https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and
https://eeg.sourceforge.net/ANALYZE75.pdf; `oasis_gan.io.analyze_space` reads the geometry of
Analyze.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

import numpy as np
from nibabel.nifti1 import Nifti1Header, Nifti1PairHeader

from ..image.choices import MAX_VOXELS
from ..image.volume import RepairNote, Volume
from . import analyze_space as analyze
from . import nifti_space
from .endings import HEADER_ENDINGS, VOXEL_ENDINGS, NameLookup, ending_of, stem_of
from .errors import UnusableFileError, WrongHeaderError
from .formats import refuse_content
from .nifti_space import Header
from .voxels import (
    apply_scaling,
    note_channel_axis,
    open_decompressed,
    read_shape,
    read_voxels,
)

_HEADER = "a header of NIfTI-1 or Analyze 7.5"
_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


def is_pair_name(path: Path) -> bool:
    """Tell whether a file has the name of a header or of voxels, in upper or lower case."""
    return ending_of(path.name).lower() in {*HEADER_ENDINGS, *VOXEL_ENDINGS}


def read_pair(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from a ``.hdr`` and the ``.img`` of the same name, NIfTI-1 or Analyze 7.5.

    Either byte order is read. Trailing axes of length 1 are dropped; slope and intercept are
    applied (SPM keeps them in Analyze headers too). What SPM says about an Analyze volume in other
    places is ignored: in a ``.mat`` file beside it, and in the origin of the header.

    Args:
        path: The path of either file.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the two files are not such a volume, are damaged, too short or too long,
            or have no usable position.
        OSError: If they cannot be read.
    """
    path = Path(path)
    header_path = _find_half(path, HEADER_ENDINGS)
    voxel_path = _find_half(path, VOXEL_ENDINGS)
    with open_decompressed(header_path, "a header (.hdr) to go with the .img file") as stream:
        block = stream.read(Nifti1Header.sizeof_hdr)
    header = _parse_header(block, header_path)
    shape = read_shape(header, header_path, max_voxels, first_voxel=0)
    with open_decompressed(voxel_path, "voxels (.img) to go with the .hdr file") as stream:
        raw = read_voxels(stream, header, shape, voxel_path, at=0, max_spare=0)
    notes = note_channel_axis(header)
    # NumPy need not warn of overflow and NaN: both are looked for in the result.
    with np.errstate(all="ignore"):
        voxels, scaling_notes = apply_scaling(raw, header)
        notes += scaling_notes
        if _is_nifti(header):
            geometry, geometry_notes = nifti_space.read_geometry(header, shape, header_path)
        else:
            notes += _note_ignored_matrix(header_path)
            geometry, geometry_notes = analyze.read_geometry(block, header, shape, header_path)
    return Volume(voxels, geometry, notes + geometry_notes)


def other_half(path: Path) -> Path:
    """Return the voxels that go with a header, or the header that goes with voxels."""
    is_header = ending_of(path.name).lower() in HEADER_ENDINGS
    return _find_half(path, VOXEL_ENDINGS if is_header else HEADER_ENDINGS)


def _find_half(path: Path, endings: Sequence[str]) -> Path:
    """Return the file of a pair that has one of these endings; either half may be compressed."""
    ending = ending_of(path.name).lower()
    if ending in endings:
        return path
    stem = stem_of(path.name)
    candidates = [path.with_name(f"{stem}{other}") for other in endings]
    if ending.endswith(".gz"):
        # The halves are usually compressed alike.
        candidates.reverse()
    return NameLookup().find_first(candidates) or candidates[0]


def _parse_header(block: bytes, path: Path) -> Header:
    needed = Nifti1Header.sizeof_hdr
    order = _find_byte_order(block)
    if order is None or len(block) < needed:
        refuse_content(path, _HEADER, block)
        raise WrongHeaderError(path, _HEADER, len(block), needed, "copy it again")
    endianness = "<" if order == "little" else ">"
    header = Nifti1Header(block, endianness=endianness, check=False)
    if bytes(header["magic"]).startswith(Nifti1Header.single_magic):
        found = "that of a file with voxels in it"
        raise UnusableFileError(path, "a header alone", found, "call it .nii")
    return header


def _find_byte_order(block: bytes) -> Literal["little", "big"] | None:
    """Return the byte order in which a header states its right size, or None."""
    for order in _ORDERS:
        if int.from_bytes(block[:4], order) == Nifti1Header.sizeof_hdr:
            return order
    return None


def _is_nifti(header: Header) -> bool:
    return bytes(header["magic"]).startswith(Nifti1PairHeader.pair_magic)


def _note_ignored_matrix(path: Path) -> tuple[str, ...]:
    """Return a note if an Analyze pair has a ``.mat`` file, which other programs may use."""
    matrix = path.with_name(f"{stem_of(path.name)}.mat")
    if matrix.exists():
        return (RepairNote("the .mat file beside it is ignored"),)
    return ()


__all__ = ["is_pair_name", "other_half", "read_pair"]
