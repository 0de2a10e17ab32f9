"""The base of all errors that a user sees, and how foreign text is shown in them."""

from __future__ import annotations

import errno
import os
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Self

DEBUG = "OASIS_GAN_DEBUG"
"""The environment variable that shows the traceback of each error that is told in one line."""
_REMEDIES = {
    errno.ENOSPC: "free some space",
    errno.EDQUOT: "free some space, or raise your quota",
    errno.EFBIG: "raise the limit on the size of a file (ulimit -f), or write to another disk",
    errno.EROFS: "name a folder on a disk that can be written to",
    errno.EIO: "check the disk",
}
_LONGEST = 1000  # characters of what a file holds, or another program says


class OasisGanError(Exception):
    """Something the user can fix, told in one line: where, expected, found, remedy.

    Its facts are fields, and it can be pickled.

    Args:
        where: The file, option, subject or plugin concerned.
        expected: What would have been right.
        found: What was there instead.
        remedy: What to do about it.
    """

    def __init__(self, where: object, *, expected: str, found: str, remedy: str) -> None:
        super().__init__(
            f"{_short(where)}: expected {_short(expected)}, found {_short(found)}; {_short(remedy)}"
        )
        self.where = where
        self.expected = expected
        self.found = found
        self.remedy = remedy

    def __reduce__(
        self,
    ) -> tuple[Callable[..., OasisGanError], tuple[object, ...], dict[str, object]]:
        """Return what another process makes the error of; there, ``where`` is text."""
        attributes = {**self.__dict__, "where": safe_text(self.where)}
        return _restore, (type(self), *self.args), attributes

    def at(self, where: object) -> Self:
        """Return the same error about another place; its class and the facts of that stay."""
        copy = self.__class__.__new__(self.__class__)
        copy.__dict__.update(self.__dict__)
        # Not the subclass's own: its arguments are other facts.
        OasisGanError.__init__(
            copy,
            where,
            expected=self.expected,
            found=self.found,
            remedy=self.remedy,
        )
        return copy


def _restore(kind: type[OasisGanError], *args: object) -> OasisGanError:
    """Return an error without its facts, which pickle sets after this call."""
    # Not by calling it: a subclass takes other arguments.
    return kind.__new__(kind, *args)


def printable(text: object) -> str:
    r"""Return ``text`` on one line that any terminal and any UTF-8 file can hold.

    Control characters and bytes that are no UTF-8 (file names may hold both) become escapes such as
    ``\n``.
    """
    shown = (
        c if c.isprintable() else c.encode("unicode_escape", "backslashreplace").decode()
        for c in safe_text(text)
    )
    return "".join(shown)


def safe_text(thing: object) -> str:
    """Return ``str(thing)``, or its type where that raises: a plugin may define any ``__str__``."""
    try:
        return str(thing)
    except KeyboardInterrupt:
        raise
    except BaseException:  # noqa: BLE001
        return f"a {type(thing).__name__} that cannot be shown"


def one_line(error: BaseException) -> str:
    """Return what to tell the user about ``error``, whoever raised it.

    Where the environment variable `DEBUG` is set, its traceback goes to standard error.
    """
    _show_traceback(error)
    if isinstance(error, OasisGanError):
        return safe_text(error)
    if isinstance(error, OSError) and isinstance(error.errno, int):
        where = error.filename if error.filename is not None else "file system"
        return printable(f"{_name(where)}: {_reason(error.errno)}; {remedy_for(error.errno)}")
    if isinstance(error, MemoryError):
        return (
            "memory: expected room for one volume, found none left; "
            "close other programs or use a smaller volume"
        )
    # Some say nothing, such as the EOFError of a file that is cut short.
    return _short(f"{type(error).__name__}: {safe_text(error)}".removesuffix(": "))


def raise_interruption(error: BaseException) -> None:
    """Raise the interruption that led to ``error``, if one did.

    Ctrl-C may come while compiled code calls back into Python, and that code may make an error of
    its own of the interruption, as pydantic's serializers do.

    Raises:
        KeyboardInterrupt: If it is a cause of the error, or was being handled when it was raised.
    """
    causes: list[BaseException | None] = [error]
    seen = set()
    while causes:
        cause = causes.pop()
        if cause is None or id(cause) in seen:
            continue
        if isinstance(cause, KeyboardInterrupt):
            raise cause
        seen.add(id(cause))
        causes.append(cause.__cause__)
        if not cause.__suppress_context__:
            causes.append(cause.__context__)


@contextmanager
def restoring_interruptions() -> Iterator[None]:
    """Raise the interruption in place of an error that was made of it within the block."""
    try:
        yield
    except Exception as error:
        raise_interruption(error)
        raise


def remedy_for(code: int) -> str:
    """Return what to do about an error of the file system."""
    return _REMEDIES.get(code, "check the path and its permissions")


def _reason(code: int) -> str:
    try:
        return os.strerror(code)
    except (ValueError, OverflowError):
        return f"error {code}"


def _show_traceback(error: BaseException) -> None:
    """Write the traceback of ``error``, if it has one and the user asks for it."""
    if os.environ.get(DEBUG, "0") in {"", "0"} or error.__traceback__ is None:
        return
    # Neither a closed standard error nor an exception that cannot be formatted may hide the line.
    with suppress(Exception):
        traceback.print_exception(error)


def _short(text: object) -> str:
    """Return ``text`` as `printable` does, without what would fill a screen."""
    whole = safe_text(text)
    return printable(whole if len(whole) <= _LONGEST else f"{whole[:_LONGEST]}...")


def _name(path: object) -> str:
    return os.fsdecode(path) if isinstance(path, (bytes, str)) else safe_text(path)
