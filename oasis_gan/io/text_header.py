"""Read what headers in text have in common: those of NRRD and MetaImage.

Both name the file of their voxels, which may be another one. A header from elsewhere must not make
the tool read a file that its sender has no access to, so that only files in the folder of the
header, or below it, are opened.
"""

from __future__ import annotations

import bz2
import gzip
import io
import re
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import Any, BinaryIO, NamedTuple, cast

import numpy as np

from ..image.volume import Affine, Voxels
from .errors import NoVoxelsError
from .header_errors import (
    DamagedVoxelsError,
    HeaderFieldError,
    LongHeaderError,
    OutsideDataFileError,
    SeveralDataFilesError,
    UnusablePositionError,
)
from .nifti_space import is_usable
from .voxels import MAX_SPARE, open_regular, read_array

MAX_HEADER = 2**20
"""Bytes of a header in text; 3D Slicer writes some that have thousands of fields."""
AT_END = -1
"""The number of skipped bytes that stands for "the voxels are the last bytes of the file"."""
_CHUNK = 2**20
# A number, as C's printf writes it.
_PATTERN = re.compile(r"%[\d.]*[a-zA-Z]")

Fields = Mapping[str, str]
"""The fields of a header: what each of them holds, by its name."""


class StoredVoxels(NamedTuple):
    """How a header says that its voxels are stored.

    Args:
        path: The file that holds them.
        at: The byte of that file at which the header ends; 0 if it is another file.
        dtype: The type of a voxel, with its byte order.
        shape: The number of voxels along each axis.
        skip: The number of bytes before the voxels, or `AT_END`.
        encoding: The name of their compression: one of `ENCODINGS`.
    """

    path: Path
    at: int
    dtype: np.dtype[Any]
    shape: tuple[int, int, int]
    skip: int
    encoding: str


def read_lines(stream: BinaryIO, path: Path, kind: str) -> Iterator[str]:
    """Yield the lines of a header without their ends, until the caller stops.

    Args:
        stream: The file, at the start of its header.
        path: Its path.
        kind: What the header is, for the error.

    Raises:
        LongHeaderError: If the file ends first, or the header is larger than `MAX_HEADER`.
    """
    left = MAX_HEADER
    while left > 0:
        line = stream.readline(left)
        left -= len(line)
        if not line:
            break
        yield line.decode("utf-8", "surrogateescape").rstrip("\r\n")
    raise LongHeaderError(path, kind, MAX_HEADER)


def read_integers(fields: Fields, name: str, path: Path) -> list[int]:
    """Return the whole numbers in a field.

    Raises:
        HeaderFieldError: If there is no such field, or something else is in it.
    """
    try:
        return [int(word) for word in fields[name].split()]
    except (KeyError, ValueError):
        raise HeaderFieldError(path, name, "whole numbers", _describe(fields, name)) from None


def read_numbers(fields: Fields, name: str, path: Path, count: int) -> Affine:
    """Return the numbers in a field, which are finite and as many as expected.

    Raises:
        HeaderFieldError: If there is no such field, or something else is in it.
    """
    try:
        numbers = np.array([float(word) for word in fields[name].split()])
    except (KeyError, ValueError):
        numbers = np.array([])
    if len(numbers) != count or not np.isfinite(numbers).all():
        raise HeaderFieldError(path, name, f"{count} numbers", _describe(fields, name))
    return numbers


def _describe(fields: Fields, name: str) -> str:
    return "something else" if name in fields else "no such field"


def locate_data_file(header: Path, name: str) -> Path:
    """Return the path of the file that a header names for its voxels.

    Raises:
        SeveralDataFilesError: If the name stands for several files.
        OutsideDataFileError: If it leads out of the folder of the header.
    """
    if name.split()[:1] == ["LIST"] or _PATTERN.search(name):
        raise SeveralDataFilesError(header)
    # A header can come from Windows, and a path of it must not slip through.
    kinds = (PurePosixPath(name), PureWindowsPath(name))
    leads_out = any(path.is_absolute() or path.drive or ".." in path.parts for path in kinds)
    if leads_out or "\0" in name or not name:
        raise OutsideDataFileError(header)
    return header.parent / name


def make_affine(axes: Affine, origin: Affine, path: Path) -> Affine:
    """Return the affine with these steps to the next voxel (in columns) and this origin, in mm.

    Raises:
        UnusablePositionError: If it is none that a head can have.
    """
    affine = np.eye(4)
    affine[:3, :3] = axes
    affine[:3, 3] = origin
    if not np.isfinite(affine).all() or not is_usable(affine):
        raise UnusablePositionError(path)
    return affine


def read_stored_voxels(stored: StoredVoxels) -> Voxels:
    """Return the voxels that a header describes, in the byte order of the machine.

    Raises:
        OasisGanError: If bytes are missing or damaged, or there are too many.
        OSError: If the file cannot be read.
    """
    with open_regular(stored.path, "the voxels that a header names") as stream:
        _skip(stream, stored)
        decompress = ENCODINGS[stored.encoding]
        with _name_damaged_voxels(stored.path):
            return read_array(
                decompress(stream), stored.dtype, stored.shape, stored.path, MAX_SPARE
            )


def _skip(stream: BinaryIO, stored: StoredVoxels) -> None:
    """Go to the first byte of the voxels."""
    end = stream.seek(0, io.SEEK_END)
    first = stored.at + stored.skip
    if stored.skip == AT_END:
        size = int(np.prod(stored.shape)) * stored.dtype.itemsize
        first = end - size
    if not stored.at <= first <= end:
        raise NoVoxelsError(stored.path, stored.at)
    stream.seek(first)


@contextmanager
def _name_damaged_voxels(path: Path) -> Iterator[None]:
    """Turn the error of a library that cannot unpack the voxels into one that names the file."""
    try:
        yield
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError) as error:
        raise DamagedVoxelsError(path) from error
    except OSError as error:
        # bz2 raises one without a number for damaged data.
        if error.errno is not None:
            raise
        raise DamagedVoxelsError(path) from error


class _ZlibStream(io.RawIOBase):
    """Unpacks a stream of zlib while it is read; it raises `EOFError` if the stream is cut off."""

    def __init__(self, stream: BinaryIO) -> None:
        self._stream = stream
        self._unpacker = zlib.decompressobj()

    def readable(self) -> bool:
        """Tell that the stream can be read."""
        return True

    def readinto(self, buffer: Any) -> int:  # noqa: ANN401 - what Python allows as a buffer
        """Fill the buffer as far as the next bytes go; return how many there were."""
        size = len(buffer)
        data = b""
        while size and not data and not self._unpacker.eof:
            packed = self._unpacker.unconsumed_tail or self._stream.read(_CHUNK)
            if not packed:
                raise EOFError("the stream is cut off")
            data = self._unpacker.decompress(packed, size)
        buffer[: len(data)] = data
        return len(data)


def _open_gzip(stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", gzip.GzipFile(fileobj=stream))


def _open_bzip2(stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", bz2.BZ2File(stream))


def _open_zlib(stream: BinaryIO) -> BinaryIO:
    return cast("BinaryIO", io.BufferedReader(_ZlibStream(stream)))


def _open_raw(stream: BinaryIO) -> BinaryIO:
    return stream


ENCODINGS: Mapping[str, Callable[[BinaryIO], BinaryIO]] = {
    "raw": _open_raw,
    "gzip": _open_gzip,
    "bzip2": _open_bzip2,
    "zlib": _open_zlib,
}
"""How to unpack voxels, by the name of their compression."""
