"""Write files whole or not at all, and tell one file from another."""

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
from .errors import BytesLostError, FileTooLargeError, NoRegularFileError, PathTakenError


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``: it holds all of it afterwards, or what it held before.

    A temporary file in the same folder is written, synced to disk, read back and renamed.

    Raises:
        OSError: As the file system says (disk full, no permission); nothing is left behind.
        BytesLostError: If the disk gives back other bytes than were written.
    """
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        with _create_held(temporary) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
            if temporary.read_bytes() != data:
                raise BytesLostError(path)
            # Held up to here: closing the file would let others take it for a leftover.
            temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # A failing write does not say where, and nobody knows the temporary name.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    sync_folder(path.parent)


@contextmanager
def write_whole(path: Path, *, overwrite: bool = True) -> Iterator[Path]:
    """Give a temporary path to write to: what is there when the block ends takes the name ``path``, and not before.

    For libraries that write to a path, not to bytes. Some of them do not report a full disk, SimpleITK among them: read
    the file back before the block ends, and raise if it is not what was written.

    Args:
        path: The final name, of a file or of a folder; its folder is there.
        overwrite: Whether a file that is there already gives way.

    Raises:
        PathTakenError: If ``path`` is there already and may not be overwritten.
        OSError: As the file system says, or if nothing was written; nothing is left behind.
    """
    if not overwrite:
        _refuse_existing(path)
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        temporary.mkdir()
        with _held_folder(temporary):
            # Under its own name, since libraries tell the format by it.
            yield temporary / path.name
            sync_all(temporary)
            if not overwrite:
                _refuse_existing(path)
            (temporary / path.name).replace(path)
    except OSError as error:
        if error.filename is None or temporary.name in str(error.filename):
            # Nobody knows the temporary name.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    finally:
        shutil.rmtree(temporary, ignore_errors=True)
    sync_folder(path.parent)


def _create_held(path: Path) -> BufferedWriter:
    """Create a file and hold it, so that nobody takes it for a leftover."""
    while True:
        file = path.open("xb")
        if hold(path, file.fileno()):
            return file
        # Somebody swept the folder between these two lines.
        file.close()


@contextmanager
def _held_folder(folder: Path) -> Iterator[None]:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        hold(folder, descriptor)
        yield
    finally:
        os.close(descriptor)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a regular file's content, in hex.

    Raises:
        NoRegularFileError: If it is no regular file.
        OSError: As the file system says.
    """
    with _open_regular(path) as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_small(path: Path, most: int = 2**20) -> bytes:
    """Return the content of a regular file of at most ``most`` bytes.

    Raises:
        FileTooLargeError: If it is larger.
        NoRegularFileError: If it is a pipe, which would wait for ever, or a device, which has no end.
        OSError: As the file system says.
    """
    with _open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise FileTooLargeError(path, most)
    return data


def _open_regular(path: Path) -> BufferedReader:
    # Opening a pipe would wait for somebody to write into it.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NoRegularFileError(path)
    return open(descriptor, "rb")  # noqa: PTH123 - closed by the caller; there is no path, but a descriptor


def _refuse_existing(path: Path) -> None:
    if os.path.lexists(path):
        raise PathTakenError(path)


def sync_all(folder: Path) -> None:
    """Put every file below ``folder`` on the disk, and every name."""
    for path in folder.rglob("*"):
        if path.is_dir():
            sync_folder(path)
        else:
            with path.open("rb") as file:
                os.fsync(file.fileno())


def sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut; some file systems cannot, and that is no error."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
