"""Reading a volume in whichever of the formats it is: NIfTI, MGH, or a pair of header and voxels."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from nibabel.nifti1 import Nifti1Header
from nibabel.nifti2 import Nifti2Header

from ..image.choices import MAX_VOXELS
from ..image.volume import Volume
from .mgh import MGH_START, is_mgh_name, read_mgh
from .nifti import read_nifti
from .pair import is_pair_name, read_pair
from .partial_volumes import refuse_partial_volumes
from .voxels import opened

_ORDERS: tuple[Literal["little", "big"], ...] = ("little", "big")


def read_volume(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from NIfTI, from MGH or MGZ, or from either file of a pair of header and voxels.

    Args:
        path: Of the file. Its content says whether it is NIfTI or MGH, whatever it is called.
        max_voxels: A header that claims more is refused before anything is allocated.

    Raises:
        OasisGanError: If there is no such volume in it, or one that cannot be trusted.
        OSError: If it cannot be read at all.
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
    """Whether a file holds MGH, or is called so and holds no NIfTI either: then its reader says what is wrong."""
    with opened(path, "an MGH or MGZ file" if is_mgh_name(path) else "a NIfTI file") as stream:
        start = stream.read(len(MGH_START))
    sizes = {int.from_bytes(start, order) for order in _ORDERS}
    holds_nifti = bool(sizes & {Nifti1Header.sizeof_hdr, Nifti2Header.sizeof_hdr})
    return start == MGH_START or (is_mgh_name(path) and not holds_nifti)
