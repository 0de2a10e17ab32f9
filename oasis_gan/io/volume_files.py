"""Read a volume in any of the formats: NIfTI, MGH, or a pair of header and voxels."""

from __future__ import annotations

from pathlib import Path

from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from ..image.choices import MAX_VOXELS
from ..image.volume import Volume
from .mgh import MGH_START, is_mgh_name, read_mgh
from .nifti import read_header_sizes, read_nifti
from .pair import is_pair_name, read_pair
from .partial_volumes import refuse_partial_volumes
from .voxels import open_decompressed

_NIFTI_SIZES = {Nifti1Header.sizeof_hdr, Nifti2Header.sizeof_hdr}


def read_volume(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from NIfTI, from MGH or MGZ, or from either file of a pair.

    Args:
        path: The path of the file. Its content decides between NIfTI and MGH, not its name.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the file holds no such volume, or one that cannot be trusted.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    if is_pair_name(path):
        volume = read_pair(path, max_voxels)
    elif _is_mgh(path):
        volume = read_mgh(path, max_voxels)
    else:
        volume = read_nifti(path, max_voxels)
    refuse_partial_volumes(path, volume)
    return volume


def _is_mgh(path: Path) -> bool:
    """Tell whether to read a file as MGH.

    A file that is neither MGH nor NIfTI is read as its name says, so that the error is about that.
    """
    has_mgh_name = is_mgh_name(path)
    expected = "an MGH or MGZ file" if has_mgh_name else "a NIfTI file"
    with open_decompressed(path, expected) as stream:
        start = stream.read(len(MGH_START))
    if start == MGH_START:
        return True
    return has_mgh_name and _NIFTI_SIZES.isdisjoint(read_header_sizes(start))
