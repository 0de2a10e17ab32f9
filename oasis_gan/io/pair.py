"""Read pairs of ``.hdr`` and ``.img`` files, gzipped or not: NIfTI-1 or Analyze 7.5.

The magic number tells which. Formats: https://nifti.nimh.nih.gov/pub/dist/src/niftilib/nifti1.h and
https://eeg.sourceforge.net/ANALYZE75.pdf; where an Analyze volume lies is told in `oasis_gan.io.analyze_space`.
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
from .errors import UnusableFileError
from .formats import refuse_content
from .nifti_space import Header
from .voxels import checked_shape, odd_axes, opened, read_voxels, scaled

_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


def is_pair_name(path: Path) -> bool:
    """Whether a file is called like the header or the voxels of a pair, in upper or lower case."""
    return ending_of(path.name).lower() in {*HEADER_ENDINGS, *VOXEL_ENDINGS}


def read_pair(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from a ``.hdr`` and the ``.img`` of the same name, NIfTI-1 or Analyze 7.5 of either endianness.

    Trailing axes of length 1 are dropped, slope and intercept applied (SPM keeps them in Analyze headers too). What
    SPM says elsewhere of an Analyze volume is ignored: a ``.mat`` file beside it, and an origin in the header.

    Args:
        path: Of either file.
        max_voxels: A header that claims more is refused before anything is allocated.

    Raises:
        OasisGanError: If the two are no such volume, damaged, too short or too long, or lie nowhere in particular.
        OSError: If they cannot be read at all.
    """
    path = Path(path)
    header_path = _half(path, HEADER_ENDINGS)
    voxel_path = _half(path, VOXEL_ENDINGS)
    with opened(header_path, "a header (.hdr) to go with the .img file") as stream:
        block = stream.read(Nifti1Header.sizeof_hdr)
    header = _header(block, header_path)
    shape = checked_shape(header, header_path, max_voxels, first_voxel=0)
    with opened(voxel_path, "voxels (.img) to go with the .hdr file") as stream:
        raw = read_voxels(stream, header, shape, voxel_path, at=0, max_spare=0)
    # What overflows or is no number is looked for in the result; NumPy need not warn of it.
    with np.errstate(all="ignore"):
        voxels, notes = scaled(raw, header)
        if _is_nifti(header):
            geometry, geometry_notes = nifti_space.located(header, shape, header_path)
        else:
            geometry, geometry_notes = analyze.located(block, header, shape, header_path)
            notes += _left_out(header_path)
    return Volume(voxels, geometry, odd_axes(header) + notes + geometry_notes)


def other_half(path: Path) -> Path:
    """Return the file that goes with a header, or with voxels."""
    is_header = ending_of(path.name).lower() in HEADER_ENDINGS
    return _half(path, VOXEL_ENDINGS if is_header else HEADER_ENDINGS)


def _half(path: Path, endings: Sequence[str]) -> Path:
    """Return the header or the voxels that go with a file of a pair; either may be compressed."""
    ending = ending_of(path.name)
    if ending.lower() in endings:
        return path
    # The half that is compressed alike comes first.
    alike = sorted(endings, key=lambda end: end.endswith(".gz") != ending.lower().endswith(".gz"))
    candidates = [path.with_name(f"{stem_of(path.name)}{end}") for end in alike]
    return NameLookup().first(candidates) or candidates[0]


def _header(block: bytes, path: Path) -> Header:
    size = Nifti1Header.sizeof_hdr
    order = _find_byte_order(block)
    if order is None or len(block) < size:
        expected = "a header of NIfTI-1 or Analyze 7.5"
        refuse_content(path, expected, block)
        found = f"{len(block)} bytes" if len(block) < size else "another format"
        raise UnusableFileError(path, expected, found, "copy it again")
    endianness = "<" if order == "little" else ">"
    header = Nifti1Header(block, endianness=endianness, check=False)
    if bytes(header["magic"]).startswith(Nifti1Header.single_magic):
        found = "that of a file with voxels in it"
        raise UnusableFileError(path, "a header alone", found, "call it .nii")
    return header


def _find_byte_order(block: bytes) -> Literal["little", "big"] | None:
    """Return the order of bytes in which a header gives its right size, or None."""
    for order in _ORDERS:
        if int.from_bytes(block[:4], order) == Nifti1Header.sizeof_hdr:
            return order
    return None


def _is_nifti(header: Header) -> bool:
    return bytes(header["magic"]).startswith(Nifti1PairHeader.pair_magic)


def _left_out(path: Path) -> tuple[str, ...]:
    """Return a note if there is a ``.mat`` file beside an Analyze pair, which other programs may heed."""
    matrix = path.with_name(f"{stem_of(path.name)}.mat")
    return (RepairNote("the .mat file beside it is ignored"),) if matrix.exists() else ()


__all__ = ["is_pair_name", "other_half", "read_pair"]
