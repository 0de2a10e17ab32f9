"""Let only one process at a time work in a folder."""

from __future__ import annotations

import errno
import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from .errors import FolderHeldError

_MAX_BYTES = 200  # of the text in a lock file
_UNSUPPORTED = {errno.ENOLCK, errno.EOPNOTSUPP, errno.ENOSYS, errno.EINVAL}


@contextmanager
def hold_folder(folder: Path, name: str, doing: str) -> Iterator[None]:
    """Hold ``folder`` for this process; another that tries is refused, and told who holds it.

    The system drops the lock when the process ends, however it ends. On a file system without locks
    nobody is refused.

    Args:
        folder: An existing folder.
        name: The name of the lock file in the folder; the file is removed at the end.
        doing: What the process does there, for the message, such as ``training``.

    Raises:
        FolderHeldError: If another process holds the folder.
        OSError: If the lock file cannot be written.
    """
    path = folder / name
    descriptor = _open_locked(path, doing)
    try:
        holder = f"process {os.getpid()} on {socket.gethostname()}"
        os.ftruncate(descriptor, 0)
        os.pwrite(descriptor, holder.encode(), 0)
        yield
    finally:
        # Removed while it is held: a process that waits for this file notices that it is gone.
        with suppress(OSError):
            path.unlink()
        os.close(descriptor)


def _open_locked(path: Path, doing: str) -> int:
    """Create and lock a lock file, and return a descriptor for it."""
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, 0o666)
        try:
            _lock(descriptor)
            if _is_still_there(path, descriptor):
                return descriptor
        except BlockingIOError:
            holder = os.pread(descriptor, _MAX_BYTES, 0).decode(errors="replace")
            os.close(descriptor)
            raise FolderHeldError(path.parent, holder or "another process", doing) from None
        except BaseException:
            os.close(descriptor)
            raise
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock a file, or raise `BlockingIOError` if another process holds it."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        # Some file systems have no locks, and it is better to work without than not at all.
        if error.errno not in _UNSUPPORTED:
            raise


def _is_still_there(path: Path, descriptor: int) -> bool:
    try:
        return os.path.samestat(path.stat(), os.fstat(descriptor))
    except FileNotFoundError:
        return False
