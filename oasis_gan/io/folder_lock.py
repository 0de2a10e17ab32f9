"""Let one process at a time work in a folder."""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import FolderHeldError

try:
    import fcntl
except ImportError:  # Not on Windows.
    fcntl = None  # type: ignore[assignment]

_MAX_BYTES = 200  # of what a lock file says
_UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


@contextmanager
def hold_folder(folder: Path, name: str, doing: str) -> Iterator[None]:
    """Hold ``folder`` for this process: another that wants to hold it is refused, and told who does.

    The system lets go of a lock when its process ends, however it ends. Where a file system has no locks there are
    none.

    Args:
        folder: It must be there.
        name: Of the lock file in it, which is removed at the end.
        doing: What the process does there, for the message: ``training``.

    Raises:
        FolderHeldError: If another process holds it.
        OSError: If the lock file cannot be written.
    """
    path = folder / name
    descriptor = _open_locked(path, folder, doing)
    try:
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, f"process {os.getpid()} on {socket.gethostname()}".encode(), 0)
        yield
    finally:
        # Removed while it is still held: whoever waits for this file notices that it is no longer the one of the name.
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _open_locked(path: Path, folder: Path, doing: str) -> int:
    """Return a descriptor of the lock file, locked."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | getattr(os, "O_NOFOLLOW", 0), 0o666)
        try:
            _lock(descriptor)
            if _is_still_there(path, descriptor):
                return descriptor
        except BlockingIOError:
            holder = os.pread(descriptor, _MAX_BYTES, 0).decode(errors="replace")
            os.close(descriptor)
            raise FolderHeldError(folder, holder or "another process", doing) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    if fcntl is None:
        return
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise
    except OSError as error:
        if error.errno not in _UNSUPPORTED:
            raise


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
