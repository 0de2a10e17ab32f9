"""Claim names in a folder, one process at a time, and clean up after processes that were killed.

A claim on a name is a file ``.HEX.part`` whose lock (flock) the process holds; HEX comes from the
name, or is random. Work in progress lies in a folder ``.HEX.work`` beside it. The system drops the
lock when the process ends, however it ends: a file that nobody has locked is a leftover, and the
next run in that folder may remove it.
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

_LEFTOVER = re.compile(r"(\.[0-9a-f]{16})\.(part|work)")
_DIGITS = 16


@dataclass(frozen=True)
class Claim:
    """A name in a folder that this process holds until it is released."""

    lock: Path
    descriptor: int

    @property
    def work(self) -> Path:
        """The folder that holds work in progress."""
        return self.lock.with_suffix(".work")

    def make_work_folder(self) -> Path:
        """Make a new, empty work folder on the same disk as the name, and return its path."""
        shutil.rmtree(self.work, ignore_errors=True)
        self.work.mkdir()
        return self.work

    def release(self) -> None:
        """Remove the work folder and let other processes claim the name."""
        shutil.rmtree(self.work, ignore_errors=True)
        # Removed while it is still locked, so that it cannot be a file that somebody else claims.
        with suppress(OSError):
            self.lock.unlink()
        with suppress(OSError):
            os.close(self.descriptor)


def claim(folder: Path, name: str, *, wait: bool) -> Claim | None:
    """Claim a name in a folder.

    Args:
        folder: The folder.
        name: Any text; equal names exclude each other.
        wait: Whether to wait until the process that holds the name releases it.

    Returns:
        The claim, or None if another process holds the name and ``wait`` is false. On a file system
        without locks every claim succeeds.

    Raises:
        OSError: If the folder cannot be written to.
    """
    digest = hashlib.sha256(name.encode("utf-8", "surrogatepass")).hexdigest()
    return _claim_file(folder / f".{digest[:_DIGITS]}.part", wait=wait, strict=False)


@contextmanager
def hold_name(folder: Path, name: str) -> Iterator[None]:
    """Hold a name within a block, after waiting until no other process holds it.

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
    """Lock a new temporary file or folder, so that no other process takes it for a leftover.

    Returns:
        Whether it still exists: another process may have removed it before it was locked.
    """
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX)
    return _is_at(path, descriptor)


def sweep(folder: Path) -> int:
    """Remove the leftovers of killed processes in a folder; claims that are still held stay.

    Returns:
        The number of files and folders that were removed.
    """
    try:
        entries = [entry.name for entry in os.scandir(folder)]
    except OSError:
        return 0
    # A claim may leave a lock file, a work folder, or both; they are removed together.
    claims = [match[1] for match in map(_LEFTOVER.fullmatch, entries) if match]
    removed = 0
    for stem in sorted(set(claims)):
        if _remove_leftover(folder / f"{stem}.part"):
            removed += claims.count(stem)
    return removed


def _remove_leftover(lock: Path) -> bool:
    """Remove a lock file with its work folder, unless another process holds it."""
    try:
        if lock.is_dir():
            return _remove_folder(lock)
        held = _claim_file(lock, wait=False, strict=True)
    except OSError:
        # It belongs to another user, or the disk has no locks.
        return False
    if held is None:
        return False
    held.release()
    return True


def _remove_folder(folder: Path) -> bool:
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
        # Its last holder has removed the file in the meantime: the lock is on a file that is gone.
        os.close(descriptor)
        if not locked:
            return None


def _lock(descriptor: int, *, wait: bool, strict: bool) -> bool:
    """Lock a file, and return whether that worked.

    On a file system without locks the answer is True, unless ``strict`` lets the error through.
    """
    operation = fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB
    try:
        fcntl.flock(descriptor, operation)
    except OSError as error:
        if error.errno in {errno.EWOULDBLOCK, errno.EACCES}:
            return False
        if strict:
            raise
    return True


def _is_at(path: Path, descriptor: int) -> bool:
    """Tell whether an open file is the one at a path."""
    try:
        return os.path.samestat(path.lstat(), os.fstat(descriptor))
    except OSError:
        return False
