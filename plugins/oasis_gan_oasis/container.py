"""Read the files below a folder, or the members of a zip, which is never unpacked to disk.

Zip: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. The module `zipfile` sets no limit
on the size of the directory or of an unpacked member; this module does.
"""

from __future__ import annotations

import io
import stat
import struct
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath

from oasis_gan import refuse_content, walk_files

from .bundled import Report, ignore_error
from .errors import (
    DamagedMemberError,
    DamagedZipError,
    LargeMemberError,
    NoRegularZipError,
    UnsafeZipError,
    UnsupportedMemberError,
)
from .png import MAX_BYTES, read_file

Load = Callable[[str], bytes]

_MAX_DIRECTORY = 2**24
"""Bytes of a zip's directory; that of the OASIS slices has three million."""
_START = 256
"""Bytes at the start of a file from which its format is recognised."""
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
# Which of these zipfile raises depends on where a file is damaged.
_DAMAGE = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    EOFError,
    ValueError,
    NotImplementedError,
    RuntimeError,
)


def is_zip_name(path: Path) -> bool:
    """Return whether a file name ends in ``.zip``, in upper or lower case."""
    return path.name.lower().endswith(".zip")


def list_files(root: Path, report: Report = ignore_error) -> Iterator[PurePosixPath]:
    """Yield the files below a folder or in a zip, relative to it.

    Args:
        root: The folder or the zip.
        report: Called for each folder that cannot be listed.

    Raises:
        OasisGanError: If the zip is damaged or unsafe.
    """
    if is_zip_name(root) and root.is_file():
        with _open_zip(root) as archive:
            for name in archive.namelist():
                yield PurePosixPath(name)
    else:
        for path in walk_files(root, report=report):
            yield PurePosixPath(path.relative_to(root))


@contextmanager
def open_container(path: Path) -> Iterator[Load]:
    """Give a function that returns the bytes of a file.

    Args:
        path: A zip, whose members are then read, or a file, whose neighbours are then read.

    Raises:
        OasisGanError: If the zip or the file is damaged or unsafe.
        OSError: If it cannot be read.
    """
    if is_zip_name(path):
        with _open_zip(path) as archive:
            yield lambda name: _read_member(archive, path, name)
    else:
        yield lambda name: read_file(path.with_name(PurePosixPath(name).name))


def describe_file(path: Path, name: PurePosixPath) -> str:
    """Return what an error calls a member of the zip ``path``, or a file beside ``path``."""
    if is_zip_name(path):
        return f"{path}/{name}"
    return str(path.with_name(name.name))


class _BoundedReader(io.BufferedReader):
    """A file that refuses to read too much at once: `zipfile` reads a directory of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > max(_MAX_DIRECTORY, MAX_BYTES):
            raise zipfile.BadZipFile("its directory is too large")
        return super().read(size)


@contextmanager
def _open_zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip, and refuse one with a member that would be unpacked outside of it."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise NoRegularZipError(path)
    with _BoundedReader(io.FileIO(path)) as file:
        start = file.read(_START)
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            if not start.startswith(b"PK"):
                refuse_content(path, "a zip file", start)
            raise DamagedZipError(path, error) from error
        _require_safe_names(archive, path)
        with archive:
            yield archive


def _require_safe_names(archive: zipfile.ZipFile, path: Path) -> None:
    for name in archive.namelist():
        # Some programs write zips with the separators of Windows.
        parts = PurePosixPath(name.replace("\\", "/")).parts
        if name.startswith(("/", "\\")) or ".." in parts:
            raise UnsafeZipError(path, name)


def _read_member(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    where = describe_file(path, PurePosixPath(name))
    try:
        info = archive.getinfo(name)
        _require_readable(info, where)
        return archive.read(info)
    except (KeyError, *_DAMAGE) as error:
        raise DamagedMemberError(where, error) from error


def _require_readable(info: zipfile.ZipInfo, where: str) -> None:
    """Raise `OasisGanError` if a member is encrypted, packed in another way or too large."""
    if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
        raise UnsupportedMemberError(where)
    # Before it is unpacked: a small zip can hold a member of any size.
    if info.file_size > MAX_BYTES:
        raise LargeMemberError(where, MAX_BYTES, info.file_size)
