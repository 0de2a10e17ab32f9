"""Writing files whole or not at all, and telling one file from another."""

from __future__ import annotations

import hashlib
import os
import secrets
from contextlib import suppress
from pathlib import Path

from .errors import OasisGanError


def write_atomically(path: Path, data: bytes) -> None:
    """Write ``data`` to ``path``: it holds all of it afterwards, or what it held before.

    A temporary file in the same folder is written, synced to disk, read back and renamed.

    Raises:
        OSError: As the file system says (disk full, no permission); nothing is left behind.
        OasisGanError: If the disk gives back other bytes than were written.
    """
    temporary = path.parent / f".{secrets.token_hex(8)}.part"
    try:
        with temporary.open("xb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        if temporary.read_bytes() != data:
            raise OasisGanError(path, expected="the bytes written", found="others", remedy="check the disk")
        temporary.replace(path)
    except BaseException as error:
        with suppress(OSError):
            temporary.unlink(missing_ok=True)
        if isinstance(error, OSError):
            # A failing write does not say where, and nobody knows the temporary name.
            raise OSError(error.errno, error.strerror, str(path)) from error
        raise
    _sync_folder(path.parent)


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file's content, in hex."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _sync_folder(folder: Path) -> None:
    """Make a rename in ``folder`` survive a power cut; some file systems cannot, and that is no error."""
    with suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
