"""Calling the code of plugins: whatever it raises can be reported in one line, and ends nothing but itself."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from ..errors import DEBUG, OasisGanError, one_line, safe_text


class foreign_code:  # noqa: N801 - used like `contextlib.suppress`
    """A block that calls a plugin: only an `Exception` leaves it, so that ``except Exception`` is enough around it.

    A plugin may raise anything: `SystemExit` from a ``sys.exit(0)``, `GeneratorExit`, a `BaseException` of its own.
    These become an `OasisGanError`. The user's Ctrl-C goes through.

    Args:
        where: The file, model or plugin concerned; the error names it.

    Raises:
        OasisGanError: Instead of what is no `Exception`.
    """

    def __init__(self, where: object) -> None:
        self._where = where

    def __enter__(self) -> None:
        """Begin the block."""

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Let an `Exception` or an interruption pass; raise `OasisGanError` instead of anything else."""
        if error is None or isinstance(error, Exception):
            return
        # Signals reach the main thread alone: in any other it is the plugin that says "interrupted".
        if (
            isinstance(error, KeyboardInterrupt)
            and threading.current_thread() is threading.main_thread()
        ):
            return
        found = f"{type(error).__name__}: {safe_text(error)}".removesuffix(": ")
        raise OasisGanError(
            self._where,
            expected="an answer or an error from the plugin",
            found=found,
            remedy="fix the plugin",
        ) from error


@contextmanager
def reading(where: object, plugin: str) -> Iterator[None]:
    """Let a dataset plugin read or list in a block: what it raises names the file and the plugin.

    A reader that meets a missing column raises a `KeyError`, one that meets a file cut short an `EOFError`: neither
    says in which file.

    Args:
        where: The file or folder that is read.
        plugin: The name of the dataset plugin; empty if it is not known.

    Raises:
        OasisGanError: Instead of what is neither an `OasisGanError` nor an error of the file system.
    """
    try:
        with foreign_code(where):
            yield
    except (OasisGanError, MemoryError):
        raise
    except Exception as error:
        # With its number an error of the file system says what to do; without, it is a format's, as of gzip.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        reader = f"the dataset plugin {plugin}" if plugin else "its reader"
        remedy = f"check the file, or fix the plugin ({DEBUG}=1 shows where it failed)"
        expected = f"something that {reader} can read"
        raise OasisGanError(
            where, expected=expected, found=one_line(error), remedy=remedy
        ) from error


@contextmanager
def using_model(
    folder: Path,
    kind: str,
    expected: str | None = None,
    remedy: str = "fix the model, or the plugin",
) -> Iterator[None]:
    """Let a model plugin work on a model folder in a block: what it raises names the folder and the plugin.

    Args:
        folder: The folder of the model.
        kind: The name of the kind of the model.
        expected: What should have happened; by default a model that the plugin can use.
        remedy: What to do about it.

    Raises:
        OasisGanError: Instead of what is neither an `OasisGanError` nor an error of the file system.
    """
    try:
        with foreign_code(folder):
            yield
    except (OasisGanError, OSError):
        raise
    # The kind may be anybody's.
    except Exception as error:
        expected = expected or f"a model that the plugin {kind} can use"
        raise OasisGanError(
            folder, expected=expected, found=one_line(error), remedy=remedy
        ) from error
