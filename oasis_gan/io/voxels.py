"""Read the voxels that a header describes, and check everything: sizes, voxels, and what follows.

NIfTI and Analyze 7.5 have the same fields for this. It checks what nibabel does not: the checksum
of gzip, missing and extra bytes, offsets and sizes.
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
    EXPORT_AGAIN,
    BytesBehindGzipError,
    DamagedGzipError,
    DimensionsError,
    FirstVoxelError,
    IncompleteVoxelsError,
    NoVoxelsError,
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
_CHUNK = 2**24  # bytes
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


def open_regular(path: Path, expected: str) -> BinaryIO:
    """Open a regular file to read its bytes.

    Args:
        path: The path of the file.
        expected: What it should be, for errors.

    Raises:
        OasisGanError: If it is not a regular file.
        OSError: If it cannot be read.
    """
    require_content(path, expected)
    if not stat.S_ISREG(path.stat().st_mode):
        remedy = "name a .nii, .nii.gz, .mgz or .hdr file"
        raise UnusableFileError(path, expected, "no regular file", remedy)
    return path.open("rb")


@contextmanager
def open_decompressed(path: Path, expected: str) -> Iterator[BinaryIO]:
    """Open a regular file, through gzip if it is compressed; errors while it is read name the file.

    Args:
        path: The path of the file.
        expected: What it should be, for errors.

    Raises:
        OasisGanError: If it is not a regular file, or its gzip stream is damaged.
        OSError: If it cannot be read.
    """
    with open_regular(path, expected) as raw, _name_damaged_file(path):
        is_compressed = raw.read(2) == _GZIP
        raw.seek(0)
        if is_compressed:
            with gzip.GzipFile(fileobj=raw) as unzipped:
                yield cast("BinaryIO", unzipped)
        else:
            yield raw


@contextmanager
def _name_damaged_file(path: Path) -> Iterator[None]:
    """Add the path to the error that gzip raises for a truncated stream or a wrong checksum."""
    try:
        yield
    except (EOFError, gzip.BadGzipFile, zlib.error) as error:
        reason = str(error)
        # The file began as gzip, so this message is about the bytes after the end of the stream.
        if isinstance(error, gzip.BadGzipFile) and reason.startswith(_NOT_GZIP):
            start = reason.removeprefix(_NOT_GZIP).strip()
            raise BytesBehindGzipError(path, start) from error
        raise DamagedGzipError(path, error) from error


def read_shape(
    header: Header, path: Path, max_voxels: int, first_voxel: int
) -> tuple[int, int, int]:
    """Return the shape of a volume, after checking its dimensions, its datatype and its offset.

    Args:
        header: The header of the volume.
        path: The path of the header.
        max_voxels: The largest number of voxels that is allowed.
        first_voxel: The first byte of the file that can be a voxel.

    Raises:
        OasisGanError: If one of them is impossible, or there are too many voxels.
    """
    count, *sizes = (int(size) for size in header["dim"])
    if not 1 <= count <= 7:
        raise DimensionsError(path, [count, *sizes])
    shape = require_3d(sizes[:count], path, max_voxels)
    _require_numbers(header, path)
    offset = float(header["vox_offset"])
    # Written this way so that NaN is refused too.
    if not first_voxel <= offset <= _MAX_EXTENSIONS:
        raise FirstVoxelError(path, first_voxel, offset)
    return shape


def _require_numbers(header: Header, path: Path) -> None:
    """Raise `VoxelTypeError` if the voxels are neither integers nor floats."""
    try:
        datatype = header.get_data_dtype().newbyteorder("=").name
    except (HeaderDataError, KeyError):
        datatype = f"datatype code {int(header['datatype'])}"
    if datatype in _COLOURS:
        raise VoxelTypeError(path, "colours (RGB)", "convert it to grey levels")
    if datatype not in _DATATYPES:
        remedy = f"convert it to one of {', '.join(_DATATYPES)}"
        raise VoxelTypeError(path, datatype, remedy)


def require_3d(sizes: Sequence[int], path: Path, max_voxels: int) -> tuple[int, int, int]:
    """Return the shape of a 3-D volume; further axes of length 1 are dropped.

    Args:
        sizes: The length of each axis in the header.
        path: The path of the header.
        max_voxels: The largest number of voxels that is allowed.

    Raises:
        OasisGanError: If the volume is not 3-D, or too large.
    """
    shape = list(sizes)
    while len(shape) > 3 and shape[-1] == 1:
        shape.pop()
    if len(shape) != 3 or min(shape) < 1:
        raise DimensionsError(path, shape, _remedy_for_shape(shape))
    i, j, k = shape
    if i * j * k > max_voxels:
        raise TooManyVoxelsError(path, shape, max_voxels)
    return i, j, k


def _remedy_for_shape(shape: Sequence[int]) -> str:
    if min(shape) < 1:
        return EXPORT_AGAIN
    if len(shape) == 2:
        # The file does not say how thick a slice is or, usually, where it lies.
        return (
            "save it as a volume of one slice, with a third axis of length 1, "
            "or give the volume it was taken from"
        )
    if len(shape) < 2:
        return "give the volume that it was taken from"
    if len(shape) == 4 and shape[0] == 1:
        return "its first axis seems to be one of channels: remove it"
    return "split it into 3-D volumes"


def note_channel_axis(header: Header) -> tuple[str, ...]:
    """Return a note if the first axis of a header may be one of channels instead of space.

    Args:
        header: The header as it is in the file.
    """
    count, first, *others = (int(size) for size in header["dim"])
    if count > 3 and first == 1 and min(others[:2]) > 1:
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
    """Return the voxels of a NIfTI or Analyze file as they are stored; see `read_array`.

    Args:
        stream: The file that holds the voxels.
        header: A header that has passed `read_shape`.
        shape: The shape that `read_shape` returned.
        path: The path of the file.
        at: The current position in the stream.
        max_spare: The number of bytes that may follow the voxels.

    Raises:
        OasisGanError: If bytes are missing, or there are too many.
    """
    first = int(header["vox_offset"])
    skipped = first - at
    if len(stream.read(skipped)) < skipped:
        raise NoVoxelsError(path, first)
    return read_array(stream, header.get_data_dtype(), shape, path, max_spare)


def read_array(
    stream: BinaryIO, dtype: np.dtype[Any], shape: tuple[int, int, int], path: Path, max_spare: int
) -> Voxels:
    """Return the voxels at the current position, first axis fastest, and read on to the end.

    At the end of the stream gzip compares its checksum.

    Args:
        stream: The file that holds the voxels.
        dtype: The type of the stored voxels, in any byte order.
        shape: The number of voxels along each axis.
        path: The path of the file.
        max_spare: The number of bytes that may follow the voxels.

    Raises:
        OasisGanError: If bytes are missing, or there are too many.
    """
    size = int(np.prod(shape)) * dtype.itemsize
    data = _read_bytes(stream, size)
    if data.tell() < size:
        raise IncompleteVoxelsError(path, size, data.tell())
    if len(stream.read(max_spare + 1)) > max_spare:
        raise TrailingBytesError(path, max_spare)
    voxels = np.frombuffer(data.getbuffer(), dtype).reshape(shape, order="F")
    return voxels.astype(dtype.newbyteorder("="), copy=False)


def _read_bytes(stream: BinaryIO, size: int) -> io.BytesIO:
    """Return ``size`` bytes of a stream, or all that are left."""
    # The memory grows with the content of the file, not with the size that the header claims.
    data = io.BytesIO()
    while data.tell() < size:
        missing = size - data.tell()
        chunk = stream.read(min(_CHUNK, missing))
        if not chunk:
            break
        data.write(chunk)
    return data


def apply_scaling(raw: Voxels, header: Header) -> tuple[Voxels, tuple[str, ...]]:
    """Return voxels with the slope and the intercept of the header applied, and notes on both."""
    slope = float(header["scl_slope"])
    intercept = float(header["scl_inter"])
    if np.isinf(slope):
        note = f"scl_slope is {slope:g}, which scales nothing: voxels are taken as they are stored"
        return raw, (note,)
    # The format takes a slope of 0 for no scaling, and leaves NaN undefined.
    if slope == 0 or np.isnan(slope):
        return raw, ()
    notes: tuple[str, ...] = ()
    if not np.isfinite(intercept):
        intercept = 0.0
        notes = ("scl_inter is not finite, taken as 0",)
    if slope < 0:
        notes += (f"scl_slope is {slope:g}: intensities are inverted",)
    if slope == 1 and intercept == 0:
        return raw, notes
    return raw * slope + intercept, notes
