"""Names in a folder that one process at a time works on, and clearing up after processes that were killed.

A claim on a name is a file ``.HEX.part`` whose lock (flock) the process holds; HEX is taken from the name, or is
random. What it is making lies in a folder ``.HEX.work`` beside it. The lock ends with the process however that ends: a
file that nobody holds is a leftover, and whatever runs next in that folder may remove it.
"""

from __future__ import annotations

import errno
import fcntl
import hashlib
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

_LEFTOVER = re.compile(r"\.([0-9a-f]{16})\.(part|work)")
_DIGITS = 16


@dataclass(frozen=True)
class Claim:
    """A name in a folder, held by this process until it is released."""

    lock: Path
    descriptor: int

    @property
    def work(self) -> Path:
        """Return the folder for unfinished files."""
        return self.lock.with_suffix(".work")

    def make_work_folder(self) -> Path:
        """Return a new, empty folder for unfinished files, on the same disk as the name."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        return self.work

    def release(self) -> None:
        """Remove the work folder and let others have the name."""
        shutil.rmtree(self.work, ignore_errors=True)
        # While it is still locked, so that nobody else can have claimed the file that is removed.
        with suppress(OSError):
            self.lock.unlink()
        with suppress(OSError):
            os.close(self.descriptor)


def claim(folder: Path, name: str, *, wait: bool) -> Claim | None:
    """Claim a name in a folder.

    Args:
        folder: Where the name is to be taken.
        name: Any text; equal names exclude each other.
        wait: Whether to wait for whoever holds it.

    Returns:
        The claim; None if somebody else holds it and nobody wants to wait. Where the file system knows no locks,
        nothing is excluded.

    Raises:
        OSError: If the folder cannot be written to.
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return _claim_file(folder / f".{digest[:_DIGITS]}.part", wait=wait, strict=False)


@contextmanager
def claimed(folder: Path, name: str) -> Iterator[None]:
    """Hold a name within a block; wait for whoever holds it before.

    Raises:
        OSError: If the folder cannot be written to.
    """
    held = claim(folder, name, wait=True)
    try:
        yield
    finally:
        if held is not None:
            held.release()


def hold(path: Path, descriptor: int) -> bool:
    """Lock a temporary file or folder that was just made, so that nobody takes it for a leftover.

    Returns:
        Whether it is still there: somebody may have been quicker, and removed it.
    """
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return _is_at(path, descriptor)


def sweep(folder: Path) -> int:
    """Remove what killed processes have left in a folder; what a process still holds stays.

    Returns:
        How many files and folders were removed.
    """
    try:
        names = [entry.name for entry in os.scandir(folder) if _LEFTOVER.fullmatch(entry.name)]
    except OSError:
        return 0
    locks = {folder / f"{name[: _DIGITS + 1]}.part" for name in names}
    gone = [lock for lock in sorted(locks) if _sweep_one(lock)]
    swept = {lock.name[: _DIGITS + 1] for lock in gone}
    return len([name for name in names if name[: _DIGITS + 1] in swept])


def _sweep_one(lock: Path) -> bool:
    """Remove a lock file that nobody holds, with its work folder."""
    try:
        if lock.is_dir():
            return _sweep_folder(lock)
        held = _claim_file(lock, wait=False, strict=True)
    except OSError:
        # Another user's, or on a disk without locks.
        return False
    if held is None:
        return False
    held.release()
    return True


def _sweep_folder(folder: Path) -> bool:
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        if not _lock(descriptor, wait=False, strict=True):
            return False
        shutil.rmtree(folder, ignore_errors=True)
        return True
    finally:
        os.close(descriptor)


def _claim_file(path: Path, *, wait: bool, strict: bool) -> Claim | None:
    while True:
        descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
        try:
            locked = _lock(descriptor, wait=wait, strict=strict)
        except BaseException:
            os.close(descriptor)
            raise
        if locked and _is_at(path, descriptor):
            return Claim(path, descriptor)
        # Whoever held it has removed the file since: what was locked is no longer there.
        os.close(descriptor)
        if not locked:
            return None


def _lock(descriptor: int, *, wait: bool, strict: bool) -> bool:
    """Return whether the lock could be taken; where there are no locks: True, or an `OSError` if that is ``strict``."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        if strict:
            raise
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Whether an open file is the one that a path leads to."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False
