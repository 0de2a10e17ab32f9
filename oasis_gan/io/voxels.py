"""Read the voxels that a header announces, trusting nothing that the header says.

NIfTI and Analyze 7.5 lay these fields out alike. What nibabel does not check (gzip's CRC, bytes missing or to spare,
offsets, sizes) is checked here.
"""

from __future__ import annotations

import gzip
import io
import stat
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
from nibabel.spatialimages import HeaderDataError

from ..image.volume import Voxels
from .errors import (
    BytesBehindGzipError,
    DamagedGzipError,
    DimensionsError,
    FirstVoxelError,
    IncompleteVoxelsError,
    TooManyVoxelsError,
    TrailingBytesError,
    UnusableFileError,
    VoxelTypeError,
)
from .formats import require_content
from .nifti_space import Header

MAX_SPARE = 2**20
"""Bytes that may follow the voxels of a file that holds its header too."""
_MAX_EXTENSIONS = 2**24  # bytes before the voxels
_DATATYPES = (
    "int8",
    "uint8",
    "int16",
    "uint16",
    "int32",
    "uint32",
    "int64",
    "uint64",
    "float32",
    "float64",
)
_COLOURS = ("void24", "void32")  # as NumPy calls RGB and RGBA
_GZIP = b"\x1f\x8b"
_NOT_GZIP = "Not a gzipped file"  # as Python's gzip says


@contextmanager
def opened(path: Path, expected: str) -> Iterator[BinaryIO]:
    """Open a regular file, through gzip if that is what it holds; what breaks while it is read names the file."""
    require_content(path, expected)
    if not stat.S_ISREG(path.stat().st_mode):
        remedy = "name a .nii, .nii.gz, .mgz or .hdr file"
        raise UnusableFileError(path, expected, "no regular file", remedy)
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
        # The stream has begun, so that this is not about its own first bytes but about what follows its end.
        reason = str(error)
        if isinstance(error, gzip.BadGzipFile) and reason.startswith(_NOT_GZIP):
            start = reason.removeprefix(_NOT_GZIP).strip()
            raise BytesBehindGzipError(path, start) from error
        raise DamagedGzipError(path, error) from error


def checked_shape(
    header: Header, path: Path, max_voxels: int, first_voxel: int
) -> tuple[int, int, int]:
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
    if not 1 <= dim[0] <= 7:
        raise DimensionsError(path, dim)
    sizes = checked_sizes(dim[1 : dim[0] + 1], path, max_voxels)
    _require_numbers(header, path)
    offset = float(header["vox_offset"])
    # Written so that NaN is refused too.
    if not first_voxel <= offset <= _MAX_EXTENSIONS:
        raise FirstVoxelError(path, first_voxel, offset)
    return sizes


def _require_numbers(header: Header, path: Path) -> None:
    """Raise `VoxelTypeError` if voxels are neither integers nor floats."""
    try:
        datatype = header.get_data_dtype().newbyteorder("=").name
    except (HeaderDataError, KeyError):
        datatype = f"datatype code {int(header['datatype'])}"
    if datatype in _COLOURS:
        raise VoxelTypeError(path, "colours (RGB)", "convert it to grey levels")
    if datatype not in _DATATYPES:
        remedy = "convert it to one of " + ", ".join(_DATATYPES)
        raise VoxelTypeError(path, datatype, remedy)


def checked_sizes(sizes: Sequence[int], path: Path, max_voxels: int) -> tuple[int, int, int]:
    """Return the sizes of a volume along its three axes; further axes of length 1 are dropped.

    Args:
        sizes: As a header has them.
        path: Of the header.
        max_voxels: More are refused.

    Raises:
        OasisGanError: If it is no 3-D volume, or too large.
    """
    kept = list(sizes)
    while len(kept) > 3 and kept[-1] == 1:
        kept.pop()
    if len(kept) != 3 or min(kept) < 1:
        raise DimensionsError(path, kept, _remedy_for_sizes(kept))
    if np.prod(kept, dtype=object) > max_voxels:
        raise TooManyVoxelsError(path, kept, max_voxels)
    i, j, k = kept
    return i, j, k


def _remedy_for_sizes(sizes: Sequence[int]) -> str:
    if min(sizes) < 1:
        return "export it again from the tool it came from"
    if len(sizes) == 2:
        # Nothing says how thick a slice is, nor, in general, where it lies.
        return "save it as a volume of one slice, with a third axis of length 1, or give the volume it was taken from"
    if len(sizes) < 2:
        return "give the volume that it was taken from"
    if len(sizes) == 4 and sizes[0] == 1:
        return "its first axis seems to be one of channels: remove it"
    return "split it into 3-D volumes"


def odd_axes(header: Header) -> tuple[str, ...]:
    """Return a note if the axes of a header may be meant otherwise than they are read.

    Args:
        header: As it is in the file.
    """
    count, *sizes = (int(size) for size in header["dim"])
    if count > 3 and sizes[0] == 1 and min(sizes[1:3]) > 1:
        note = "the first axis has length 1, as channels have: read as a slice, and not as channels"
        return (note,)
    return ()


def read_voxels(
    stream: BinaryIO,
    header: Header,
    shape: tuple[int, int, int],
    path: Path,
    at: int,
    max_spare: int,
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
    first = int(header["vox_offset"])
    between = first - at
    if len(stream.read(between)) < between:
        expected = f"voxels from byte {first} on"
        raise UnusableFileError(path, expected, "a shorter file", "copy it again")
    return stored_voxels(stream, header.get_data_dtype(), shape, path, max_spare)


def stored_voxels(
    stream: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, int, int], path: Path, max_spare: int
) -> Voxels:
    """Return the voxels that a stream has come to, the first axis fastest, and read on to the end of the stream.

    Args:
        stream: The file that holds them.
        dtype: As they are stored, in whichever order of bytes.
        shape: Their number along each axis.
        path: Of the file.
        max_spare: How many bytes may follow the voxels.

    Raises:
        OasisGanError: If bytes are missing, or there are more of them.
    """
    size = int(np.prod(shape)) * dtype.itemsize
    # Grows with what is there, not with what the header claims.
    data = io.BytesIO()
    while data.tell() < size:
        missing = size - data.tell()
        chunk = stream.read(min(2**24, missing))
        if not chunk:
            break
        data.write(chunk)
    if data.tell() < size:
        raise IncompleteVoxelsError(path, size, data.tell())
    if len(stream.read(max_spare + 1)) > max_spare:
        raise TrailingBytesError(path, max_spare)
    voxels = np.frombuffer(data.getbuffer(), dtype).reshape(shape, order="F")
    return voxels.astype(dtype.newbyteorder("="), copy=False)


def scaled(raw: Voxels, header: Header) -> tuple[Voxels, tuple[str, ...]]:
    """Return voxels with the header's slope and intercept applied, and what is odd about these."""
    slope = float(header["scl_slope"])
    inter = float(header["scl_inter"])
    if np.isinf(slope):
        note = f"scl_slope is {slope:g}, which scales nothing: voxels are taken as they are stored"
        return raw, (note,)
    if slope == 0 or np.isnan(slope):
        return raw, ()
    notes: tuple[str, ...] = ()
    if not np.isfinite(inter):
        inter = 0.0
        notes = ("scl_inter is not finite, taken as 0",)
    if slope < 0:
        notes += (f"scl_slope is {slope:g}: intensities are turned over",)
    if (slope, inter) == (1.0, 0.0):
        return raw, notes
    return raw * slope + inter, notes
