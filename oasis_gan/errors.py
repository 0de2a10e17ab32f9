"""The one kind of error a user sees, and how foreign text is shown in it."""

from __future__ import annotations

import errno
import os

_DISK_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_LONGEST = 1000  # characters of what a file holds, or another program says


class OasisGanError(Exception):
    """Something the user can mend, told in one line: where, expected, found, remedy.

    Args:
        where: The file, option, subject or plugin concerned.
        expected: What would have been right.
        found: What was there instead.
        remedy: What to do about it.
    """

    def __init__(self, where: object, *, expected: str, found: str, remedy: str) -> None:
        super().__init__(f"{_short(where)}: expected {_short(expected)}, found {_short(found)}; {_short(remedy)}")


def printable(text: object) -> str:
    r"""Return ``text`` on one line that any terminal and any UTF-8 file can hold.

    Control characters and bytes that are no UTF-8 (file names may hold both) become escapes such as ``\n``.
    """
    shown = (c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode() for c in str(text))
    return "".join(shown)


def one_line(error: BaseException) -> str:
    """Return what to tell the user about ``error``, whoever raised it."""
    if isinstance(error, OasisGanError):
        return str(error)
    if isinstance(error, OSError) and error.errno is not None:
        where = error.filename if error.filename is not None else "file system"
        remedy = "free some space" if error.errno in _DISK_FULL else "check the path and its permissions"
        return printable(f"{_name(where)}: {os.strerror(error.errno)}; {remedy}")
    if isinstance(error, MemoryError):
        return "memory: expected room for one volume, found none left; close other programs or use a smaller volume"
    return _short(f"{type(error).__name__}: {error}")


def _short(text: object) -> str:
    """Return ``text`` as `printable` does, without what would fill a screen."""
    whole = str(text)
    return printable(whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}...")


def _name(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, (bytes, str, os.PathLike)) else str(path)
