"""Report faults of the cache of training slices."""

from __future__ import annotations

from pathlib import Path

from oasis_gan import OasisGanError, one_line

_FREE_ROOM = "free some room, or name a folder on another disk as `cache`"


class CacheFolderError(OasisGanError):
    """The cache was given the path of a file.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a folder for training slices",
            found="a file",
            remedy="name another folder as `cache`",
        )


class DamagedSlicesError(OasisGanError):
    """A file in the cache does not hold the training slices that it should.

    Args:
        where: The file.
        found: What it holds.
    """

    def __init__(self, where: object, found: str) -> None:
        super().__init__(
            where,
            expected="the training slices of a subject",
            found=found,
            remedy="they are made again",
        )


class LostSlicesError(OasisGanError):
    """Training slices cannot be read any more, because their file was removed or damaged.

    Args:
        where: The file.
        error: What was raised when they were read.
    """

    def __init__(self, where: object, error: Exception) -> None:
        super().__init__(
            where,
            expected="the training slices that it held when the training began",
            found=one_line(error),
            remedy="resume the training: it makes them again",
        )


class CacheRoomError(OasisGanError):
    """The disk of the cache does not have enough room for the training slices of all subjects.

    Args:
        folder: The folder of the cache.
        expected: The room that they need.
        free: The room that there is.
    """

    def __init__(self, folder: Path, expected: str, free: str) -> None:
        super().__init__(
            folder,
            expected=f"room for the training slices of all subjects, {expected}",
            found=free,
            remedy=_FREE_ROOM,
        )


class CacheWriteError(OasisGanError):
    """Training slices cannot be written to the cache.

    Args:
        folder: The folder of the cache.
        error: What the file system raised.
    """

    def __init__(self, folder: Path, error: OSError) -> None:
        super().__init__(
            folder,
            expected="room and permission to write training slices",
            found=error.strerror or str(error),
            remedy=_FREE_ROOM,
        )
