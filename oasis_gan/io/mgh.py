"""Read the volumes of FreeSurfer, MGH and MGZ (gzipped).

Format: https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/MghFormat
"""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
from nibabel.freesurfer.mghformat import DATA_OFFSET, MGHHeader

from ..image.choices import MAX_VOXELS
from ..image.volume import Affine, Geometry, Volume
from .endings import MGH_ENDINGS
from .errors import UnusableFileError, VoxelTypeError, WrongHeaderError
from .formats import refuse_content
from .nifti_notes import note_misleading_name
from .nifti_space import check_shear, is_usable
from .voxels import MAX_SPARE, open_decompressed, read_array, require_3d

MGH_START = (1).to_bytes(4, "big")
"""The first bytes of each file: the version."""
_HEADER = "a header of MGH or MGZ"
_BYTES = 90  # of the header that have a meaning; zeros follow until the voxels
# Bytes of the header. nibabel sets this flag if it is not set, and so cannot tell.
_RAS_FLAG = slice(28, 30)
_COMPRESSED_ENDINGS = (".mgz", ".gz")
# The directions of the axes in RAS: left, down and to the front.
_CORONAL = (
    (-1, 0, 0),
    (0, 0, -1),
    (0, 1, 0),
)
# By the code in the header; nibabel does not know 10.
_DTYPES = {
    0: ">u1",
    1: ">i4",
    3: ">f4",
    4: ">i2",
    10: ">u2",
}


def is_mgh_name(path: Path) -> bool:
    """Tell whether a file has the name of a volume of FreeSurfer, in upper or lower case."""
    return path.name.lower().endswith(MGH_ENDINGS)


def read_mgh(path: Path | str, max_voxels: int = MAX_VOXELS) -> Volume:
    """Read a 3-D volume from an MGH or MGZ file, compressed or not, whatever its name.

    The affine is nibabel's. A header without orientation (its RAS flag is 0) is read as FreeSurfer
    reads it: coronal slices of 1 mm around the middle of the scanner, with axes that run to the
    left, down and to the front.

    Args:
        path: The path of the file.
        max_voxels: The largest number of voxels; a larger volume is refused before it is read.

    Raises:
        OasisGanError: If the file is not such a volume, has several frames, is damaged, or has no
            usable position.
        OSError: If the file cannot be read.
    """
    path = Path(path)
    with open_decompressed(path, "an MGH or MGZ file") as stream:
        block = stream.read(DATA_OFFSET)
        _require_header(block, path)
        header = _parse_header(block)
        sizes = [int(size) for size in header["dims"]]
        shape = require_3d(sizes, path, max_voxels)
        voxels = read_array(stream, _read_dtype(header, path), shape, path, MAX_SPARE)
        compressed = isinstance(stream, gzip.GzipFile)
    notes = note_misleading_name(path, compressed=compressed, endings=_COMPRESSED_ENDINGS)
    geometry = Geometry(shape, _read_affine(header, path))
    notes += check_shear(geometry, path)
    if not _has_orientation(block):
        notes += ("no orientation in the header: taken as FreeSurfer does, coronal slices of 1 mm",)
    return Volume(voxels, geometry, notes)


def _require_header(block: bytes, path: Path) -> None:
    """Raise `OasisGanError` if the first bytes of a file are not a whole header of MGH."""
    if not block.startswith(MGH_START) or len(block) < DATA_OFFSET:
        refuse_content(path, _HEADER, block)
        remedy = "give a .mgz or .mgh file"
        raise WrongHeaderError(path, _HEADER, len(block), DATA_OFFSET, remedy)


def _has_orientation(block: bytes) -> bool:
    return any(block[_RAS_FLAG])


def _parse_header(block: bytes) -> MGHHeader:
    header = MGHHeader(block[:_BYTES], check=False)
    if not _has_orientation(block):
        # nibabel 5 flips the second and third axis.
        header["Mdc"] = _CORONAL
    return header


def _read_dtype(header: MGHHeader, path: Path) -> np.dtype[np.generic]:
    code = int(header["type"])
    if code not in _DTYPES:
        raise VoxelTypeError(path, f"type code {code}", "convert it with mri_convert")
    return np.dtype(_DTYPES[code])


def _read_affine(header: MGHHeader, path: Path) -> Affine:
    # NumPy need not warn of overflow and NaN: both are refused here.
    with np.errstate(all="ignore"):
        affine = np.asarray(header.get_affine(), np.float64)
    if not np.isfinite(affine).all() or not is_usable(affine):
        raise UnusableFileError(
            path,
            expected="a usable position",
            found="unusable directions or voxel sizes",
            remedy="correct it with mri_convert",
        )
    return affine
