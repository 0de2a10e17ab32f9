"""Read a volume in any of the formats: NIfTI, MGH, NRRD, MetaImage, or header and voxels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from ..errors import OasisGanError
from ..image.choices import MAX_VOXELS
from ..image.volume import Volume
from .endings import METAIMAGE_ENDINGS, MGH_ENDINGS, MINC_ENDINGS, NRRD_ENDINGS, ending_of
from .metaimage import METAIMAGE_START, list_metaimage_data_files, read_metaimage
from .mgh import MGH_START, read_mgh
from .minc import read_minc
from .nifti import read_header_sizes, read_nifti
from .nrrd import NRRD_START, list_nrrd_data_files, read_nrrd
from .pair import is_pair_name, read_pair
from .partial_volumes import refuse_partial_volumes
from .voxels import open_decompressed

_NIFTI_SIZES = {Nifti1Header.sizeof_hdr, Nifti2Header.sizeof_hdr}
_START = 64
"""Bytes at the start of a file that are enough to tell the formats apart."""
_Reader = Callable[[Path, int], Volume]


def read_volume(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from NIfTI, MGH or MGZ, NRRD, MetaImage, or either file of a pair.

    Args:
        path: The path of the file. Its content decides between the formats, not its name.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the file holds no such volume, or one that cannot be trusted.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    reader = read_pair if is_pair_name(path) else _choose_reader(path)
    volume = reader(path, max_voxels)
    refuse_partial_volumes(path, volume)
    return volume


def list_data_files(path: Path) -> tuple[Path, ...]:
    """Return the other files that belong to a volume: the voxels that a header names.

    A header that cannot be read has none; reading the volume says what is wrong.
    """
    ending = ending_of(path.name).lower()
    try:
        if ending in NRRD_ENDINGS:
            return list_nrrd_data_files(path)
        if ending in METAIMAGE_ENDINGS:
            return list_metaimage_data_files(path)
    except (OasisGanError, OSError):
        return ()
    return ()


def _choose_reader(path: Path) -> _Reader:
    """Return the reader for the content of a file.

    If the content is of none of the formats, the name decides, so that the error is about that.
    """
    by_name = _choose_by_name(path)
    with open_decompressed(path, _EXPECTED[by_name]) as stream:
        start = stream.read(_START)
    if start.startswith(MGH_START):
        return read_mgh
    if start.startswith(NRRD_START):
        return read_nrrd
    if METAIMAGE_START.match(start):
        return read_metaimage
    return by_name if _NIFTI_SIZES.isdisjoint(read_header_sizes(start)) else read_nifti


def _choose_by_name(path: Path) -> _Reader:
    ending = ending_of(path.name).lower()
    for endings, reader in _BY_ENDING.items():
        if ending in endings:
            return reader
    return read_nifti


_BY_ENDING: Mapping[tuple[str, ...], _Reader] = {
    MGH_ENDINGS: read_mgh,
    NRRD_ENDINGS: read_nrrd,
    METAIMAGE_ENDINGS: read_metaimage,
    MINC_ENDINGS: read_minc,
}
_EXPECTED: Mapping[_Reader, str] = {
    read_mgh: "an MGH or MGZ file",
    read_nifti: "a NIfTI file",
    read_nrrd: "an NRRD file",
    read_metaimage: "a MetaImage file",
    read_minc: "a MINC file",
}
