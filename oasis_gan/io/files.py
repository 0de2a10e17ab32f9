"""Write files completely or not at all, and read and hash small files."""

from __future__ import annotations

import hashlib
import os
import secrets
import shutil
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from io import BufferedReader, BufferedWriter
from pathlib import Path

from .claims import hold
from .errors import BytesLostError, FileTooLargeError, NotRegularFileError, PathTakenError


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path`` completely, or leave what was there.

    The data go to a temporary file in the same folder, which is synced to disk, read back and
    renamed.

    Raises:
        OSError: If the file system refuses (disk full, no permission); nothing is left behind.
        BytesLostError: If the disk returns other bytes than were written.
    """
    temporary = _make_temporary_path(path)
    try:
        with _create_and_hold(temporary) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if temporary.read_bytes() != data:
                raise BytesLostError(path)
            # It is renamed before it is closed: others could take a closed file for a leftover.
            temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # A failing write names no file, and the user does not know the temporary name.
            raise _change_path(error, path) from error
        raise
    sync_folder(path.parent)


@contextmanager
def write_whole(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Yield a temporary path to write to, and rename it to ``path`` when the block ends.

    This is for libraries that write to a path, not to bytes. Some of them do not report a full
    disk, SimpleITK among them: read the file back before the block ends, and raise an error if it
    differs from what was written.

    Args:
        path: The final path of a file or folder, in an existing folder.
        overwrite: Whether to replace an existing file.

    Raises:
        PathTakenError: If ``path`` exists and may not be overwritten.
        OSError: If the file system refuses, or nothing was written; nothing is left behind.
    """
    if not overwrite:
        _refuse_existing(path)
    temporary = _make_temporary_path(path)
    try:
        temporary.mkdir()
        with _make_and_hold_folder(temporary):
            # It keeps its own name, because libraries choose the format by the name.
            written = temporary / path.name
            yield written
            sync_all(temporary)
            if not overwrite:
                _refuse_existing(path)
            written.replace(path)
    except OSError as error:
        if error.filename is None or temporary.name in str(error.filename):
            # The user does not know the temporary name.
            raise _change_path(error, path) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(path.parent)


def _make_temporary_path(path: Path) -> Path:
    """Return a new hidden path in the same folder, which `sweep` removes if it is left behind."""
    return path.parent / f".{secrets.token_hex(8)}.part"


def _change_path(error: OSError, path: Path) -> OSError:
    """Return the same error of the file system about another path."""
    return OSError(error.errno, error.strerror, str(path))


def _create_and_hold(path: Path) -> BufferedWriter:
    """Create a file and hold it, so that no other process takes it for a leftover."""
    while True:
        file = path.open("xb")
        if hold(path, file.fileno()):
            return file
        # Another process may have swept the folder between these two lines.
        file.close()


@contextmanager
def _make_and_hold_folder(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        hold(folder, descriptor)
        yield
    finally:
        os.close(descriptor)


def hash_file(path: Path) -> str:
    """Return the SHA-256 of the content of a regular file as hex digits.

    Raises:
        NotRegularFileError: If it is not a regular file.
        OSError: If it cannot be read.
    """
    with _open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_small(path: Path, most: int = 2**20) -> bytes:
    """Return the content of a regular file of at most ``most`` bytes.

    Raises:
        FileTooLargeError: If it is larger.
        NotRegularFileError: If it is a pipe, which may block, or a device, which may be endless.
        OSError: If it cannot be read.
    """
    with _open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise FileTooLargeError(path, most)
    return data


def _open_regular(path: Path) -> BufferedReader:
    # Opening a pipe would otherwise block until somebody writes into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegularFileError(path)
    # The caller closes it.
    return open(descriptor, "rb")  # noqa: PTH123 - a descriptor, not a path


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise PathTakenError(path)


def sync_all(folder: Path) -> None:
    """Write every file below ``folder``, and every name, to the disk itself."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut, on file systems that can do that."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
