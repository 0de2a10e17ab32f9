"""Reading the voxels that a header announces, trusting nothing: sizes first, then voxels, then the rest of the file.

NIfTI and Analyze 7.5 lay these fields out alike. What nibabel does not check (gzip's CRC, bytes missing or to spare,
offsets, sizes) is checked here.
"""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from nibabel.spatialimages import HeaderDataError

from .errors import OasisGanError
from .nifti_space import Header, refuse
from .volume import Voxels

_MAX_EXTENSIONS = 2**24  # bytes before the voxels
_DATATYPES = ("int8", "uint8", "int16", "uint16", "int32", "uint32", "int64", "uint64", "float32", "float64")
_GZIP = b"\x1f\x8b"


@contextmanager
def opened(path: Path, expected: str) -> Iterator[BinaryIO]:
    """Open a regular file, through gzip if that is what it holds; what breaks while it is read names the file."""
    if not path.exists():
        refuse(path, expected, "no such file", "check the path")
    if not stat.S_ISREG(path.stat().st_mode):
        refuse(path, expected, "no regular file", "name a .nii, .nii.gz or .hdr file")
    with path.open("rb") as raw, _damage_named(path):
        compressed = raw.read(2) == _GZIP
        raw.seek(0)
        if compressed:
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield cast("BinaryIO", unzipped)
        else:
            yield raw


@contextmanager
def _damage_named(path: Path) -> Iterator[None]:
    """Name the file when gzip finds its stream cut off, or its checksum wrong."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        found = f"a damaged or incomplete one ({error})"
        raise OasisGanError(path, expected="a whole gzip file", found=found, remedy="copy it again") from error


def checked_shape(header: Header, path: Path, max_voxels: int, first_voxel: int) -> tuple[int, int, int]:
    """Return the three sizes, once dimensions, datatype and offset make sense.

    Args:
        header: Of the volume.
        path: Of the header.
        max_voxels: More are refused.
        first_voxel: The first byte of the file that can be a voxel.

    Raises:
        OasisGanError: If they do not.
    """
    dim = [int(size) for size in header["dim"]]
    sizes = dim[1 : dim[0] + 1] if 1 <= dim[0] <= 7 else []
    while len(sizes) > 3 and sizes[-1] == 1:
        sizes.pop()
    if len(sizes) != 3 or min(sizes) < 1:
        refuse(path, "a 3-D volume", f"dimensions {sizes or dim}", "split it into 3-D volumes")
    if np.prod(sizes, dtype=object) > max_voxels:
        refuse(path, f"at most {max_voxels} voxels", f"dimensions {sizes}", "crop it, or raise --max-voxels")
    try:
        datatype = header.get_data_dtype().newbyteorder("=").name
    except (HeaderDataError, KeyError):
        datatype = f"datatype code {int(header['datatype'])}"
    if datatype not in _DATATYPES:
        refuse(path, "integer or float voxels", datatype, "convert it to one of " + ", ".join(_DATATYPES))
    offset = float(header["vox_offset"])
    # Written so that NaN is refused too.
    if not first_voxel <= offset <= _MAX_EXTENSIONS:
        refuse(path, f"voxels from byte {first_voxel} on", f"vox_offset {offset:g}")
    i, j, k = sizes
    return i, j, k


def read_voxels(
    stream: BinaryIO, header: Header, shape: tuple[int, int, int], path: Path, at: int, max_spare: int
) -> Voxels:
    """Return the voxels as they are stored, and read on to the end, where gzip keeps its checksum.

    Args:
        stream: The file that holds them.
        header: Which has passed `checked_shape`.
        shape: What that returned.
        path: Of the file.
        at: The byte that the stream has come to.
        max_spare: How many bytes may follow the voxels.

    Raises:
        OasisGanError: If bytes are missing, or there are more of them.
    """
    between = int(header["vox_offset"]) - at
    dtype = header.get_data_dtype()
    size = int(np.prod(shape)) * dtype.itemsize
    if len(stream.read(between)) < between:
        refuse(path, f"voxels from byte {int(header['vox_offset'])} on", "a shorter file", "copy it again")
    # Grows with what is there, not with what the header claims.
    data = io.BytesIO()
    while data.tell() < size and (chunk := stream.read(min(2**24, size - data.tell()))):
        data.write(chunk)
    if data.tell() < size:
        refuse(path, f"{size} bytes of voxels", f"{data.tell()}", "copy it again, it is incomplete")
    if len(stream.read(max_spare + 1)) > max_spare:
        refuse(path, f"at most {max_spare} bytes after the voxels", "more")
    voxels = np.frombuffer(data.getbuffer(), dtype).reshape(shape, order="F")
    return voxels.astype(dtype.newbyteorder("="), copy=False)


def scaled(raw: Voxels, header: Header) -> tuple[Voxels, tuple[str, ...]]:
    """Return voxels with the header's slope and intercept applied, and what is odd about these."""
    slope, inter = float(header["scl_slope"]), float(header["scl_inter"])
    if slope == 0 or not np.isfinite(slope):
        return raw, ()
    notes: tuple[str, ...] = ()
    if not np.isfinite(inter):
        inter, notes = 0.0, ("scl_inter is not finite, taken as 0",)
    if slope < 0:
        notes += (f"scl_slope is {slope:g}: intensities are turned over",)
    if (slope, inter) == (1.0, 0.0):
        return raw, notes
    return raw * slope + inter, notes
