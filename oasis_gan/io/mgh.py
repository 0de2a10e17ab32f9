"""Read FreeSurfer's MGH and MGZ (gzipped) volumes: header, voxels, then the rest of the file.

Format: https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader

from ..image.choices import MAX_VOXELS
from ..image.volume import Geometry, RepairNote, Volume
from .endings import MGH_ENDINGS
from .errors import UnusableFileError, VoxelTypeError
from .formats import refuse_content
from .nifti_space import check_shear, usable
from .voxels import MAX_SPARE, checked_sizes, opened, stored_voxels

MGH_START = (1).to_bytes(4, "big")
"""The version, with which each file begins."""
_HEADER = "a header of MGH or MGZ"
_BYTES = 90  # of the header that say something; zeros follow until the voxels
_PLACE_FLAG = slice(28, 30)  # bytes; nibabel sets this flag where it is not, and so cannot be asked
_CORONAL = (
    (-1, 0, 0),
    (0, 0, -1),
    (0, 1, 0),
)  # where the axes run to, left, down and to the front, in RAS
_DTYPES = {
    0: ">u1",
    1: ">i4",
    3: ">f4",
    4: ">i2",
    10: ">u2",
}  # by the code in the header; nibabel does not know 10


def is_mgh_name(path: Path) -> bool:
    """Whether a file is called like a volume of FreeSurfer, in upper or lower case."""
    return path.name.lower().endswith(MGH_ENDINGS)


def read_mgh(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from an MGH or MGZ file, compressed or not, whatever its name says.

    The affine is nibabel's. A header that says nothing of orientation (its RAS flag is 0) is taken as FreeSurfer takes
    it: coronal slices of 1 mm, axes that run to the left, down and to the front, around the middle of the scanner.

    Args:
        path: Of the file.
        max_voxels: A header that claims more is refused before anything is allocated.

    Raises:
        OasisGanError: If the file is no such volume, has several frames, is damaged, or lies nowhere in particular.
        OSError: If it cannot be read at all.
    """
    path = Path(path)
    with opened(path, "an MGH or MGZ file") as stream:
        block = stream.read(DATA_OFFSET)
        if not block.startswith(MGH_START) or len(block) < DATA_OFFSET:
            refuse_content(path, _HEADER, block)
            found = f"{len(block)} bytes" if len(block) < DATA_OFFSET else "another format"
            raise UnusableFileError(path, _HEADER, found, "give a .mgz or .mgh file")
        header = _header(block)
        sizes = [int(size) for size in header["dims"]]
        shape = checked_sizes(sizes, path, max_voxels)
        voxels = stored_voxels(stream, _dtype(header, path), shape, path, MAX_SPARE)
        notes = _misnamed(path, compressed=isinstance(stream, gzip.GzipFile))
    geometry, geometry_notes = _located(header, shape, path, has_place=any(block[_PLACE_FLAG]))
    return Volume(voxels, geometry, notes + geometry_notes)


def _header(block: bytes) -> MGHHeader:
    header = MGHHeader(block[:_BYTES], check=False)
    if not any(block[_PLACE_FLAG]):
        # nibabel 5 turns the second and third axis over.
        header["Mdc"] = _CORONAL
    return header


def _dtype(header: MGHHeader, path: Path) -> np.dtype[np.generic]:
    code = int(header["type"])
    if code not in _DTYPES:
        raise VoxelTypeError(path, f"type code {code}", "convert it with mri_convert")
    return np.dtype(_DTYPES[code])


def _located(
    header: MGHHeader, shape: tuple[int, int, int], path: Path, *, has_place: bool
) -> tuple[Geometry, tuple[str, ...]]:
    # What overflows or is no number is refused below; NumPy need not warn of it.
    with np.errstate(all="ignore"):
        affine = np.asarray(header.get_affine(), np.float64)
    if not np.isfinite(affine).all() or not usable(affine):
        expected = "voxels that lie in space"
        found = "directions or sizes that place none"
        raise UnusableFileError(path, expected, found, "correct it with mri_convert")
    geometry = Geometry(shape, affine)
    notes = check_shear(geometry, path)
    if not has_place:
        notes += ("no orientation in the header: taken as FreeSurfer does, coronal slices of 1 mm",)
    return geometry, notes


def _misnamed(path: Path, *, compressed: bool) -> tuple[str, ...]:
    """Return a note if a file's name says that it is compressed and it is not, or the other way round."""
    if path.name.lower().endswith((".mgz", ".gz")) == compressed:
        return ()
    if compressed:
        return (RepairNote("compressed, though its name says otherwise"),)
    return (RepairNote("not compressed, though named so"),)
