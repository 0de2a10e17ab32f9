"""Files below a folder, or in a zip that is never unpacked to disk.

Zip: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT. What zipfile does not bound (the size of the
directory, what a member unpacks to) is bounded here.
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

from oasis_gan import OasisGanError, refuse_content, walk_files

from .png import MAX_BYTES, file_bytes

Load = Callable[[str], bytes]

_MAX_DIRECTORY = 2**24  # bytes: the OASIS slices need three million
_START = 256  # bytes that tell what a file is
_ENCRYPTED = 1
_METHODS = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
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
    """Whether a file is called like a zip, in upper or lower case."""
    return path.name.lower().endswith(".zip")


def paths_in(
    root: Path, report: Callable[[OSError], None] = lambda error: None
) -> Iterator[PurePosixPath]:
    """Yield the files below a folder or in a zip, relative to it.

    Args:
        root: The folder or the zip.
        report: Told about each folder that cannot be listed.

    Raises:
        OasisGanError: If the zip is damaged, or not to be trusted.
    """
    if is_zip_name(root) and root.is_file():
        with _zip(root) as archive:
            yield from (PurePosixPath(name) for name in archive.namelist())
    else:
        yield from (
            PurePosixPath(path.relative_to(root)) for path in walk_files(root, report=report)
        )


@contextmanager
def opened(path: Path) -> Iterator[Load]:
    """Give a function that returns the bytes of a member of the zip ``path``, or of a file beside ``path``.

    Raises:
        OasisGanError: If zip or file cannot be trusted.
        OSError: If it cannot be read.
    """
    if is_zip_name(path):
        with _zip(path) as archive:
            yield lambda name: _member(archive, path, name)
    else:
        yield lambda name: file_bytes(path.with_name(PurePosixPath(name).name))


def named(path: Path, name: PurePosixPath) -> str:
    """Return what to call a member of the zip ``path``, or a file beside ``path``, in an error."""
    return f"{path}/{name}" if is_zip_name(path) else str(path.with_name(name.name))


class _Bounded(io.BufferedReader):
    """A file of which nobody can ask for too much at once, as zipfile does for a directory of any size."""

    def read(self, size: int | None = -1, /) -> bytes:
        if size is not None and size > max(_MAX_DIRECTORY, MAX_BYTES):
            raise zipfile.BadZipFile("its directory is too large")
        return super().read(size)


@contextmanager
def _zip(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open a zip none of whose members leads out of it."""
    if not stat.S_ISREG(path.stat().st_mode):
        raise OasisGanError(
            path, expected="a zip file", found="no regular file", remedy="name a .zip file"
        )
    with _Bounded(io.FileIO(path)) as file:
        start = file.read(_START)
        try:
            archive = zipfile.ZipFile(file)
        except _DAMAGE as error:
            if not start.startswith(b"PK"):
                refuse_content(path, "a zip file", start)
            found = f"a damaged or incomplete one ({error})"
            raise OasisGanError(
                path, expected="a whole zip file", found=found, remedy="copy it again"
            ) from error
        for name in archive.namelist():
            if name.startswith(("/", "\\")) or ".." in PurePosixPath(name.replace("\\", "/")).parts:
                expected = "members that stay in the zip"
                remedy = "do not unpack it, and ask where it came from"
                raise OasisGanError(path, expected=expected, found=name, remedy=remedy)
        with archive:
            yield archive


def _member(archive: zipfile.ZipFile, path: Path, name: str) -> bytes:
    where = named(path, PurePosixPath(name))
    try:
        info = archive.getinfo(name)
        if info.flag_bits & _ENCRYPTED or info.compress_type not in _METHODS:
            found = "one that is encrypted, or compressed in another way"
            raise OasisGanError(
                where,
                expected="a plain or deflated member",
                found=found,
                remedy="pack the zip anew",
            )
        if info.file_size > MAX_BYTES:
            found = f"{info.file_size}"
            raise OasisGanError(
                where, expected=f"at most {MAX_BYTES} bytes", found=found, remedy="leave it out"
            )
        return archive.read(info)
    except (KeyError, *_DAMAGE) as error:
        found = f"none, or a damaged one ({error})"
        raise OasisGanError(
            where, expected="a whole member", found=found, remedy="copy the zip again"
        ) from error
