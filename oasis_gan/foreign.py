"""Calling the code of plugins: whatever it raises can be reported in one line, and ends nothing but itself."""

from __future__ import annotations

import threading
from types import TracebackType

from .errors import OasisGanError, safe_text


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
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        """Let an `Exception` or an interruption pass; raise `OasisGanError` instead of anything else."""
        if error is None or isinstance(error, Exception):
            return
        # Signals reach the main thread alone: in any other it is the plugin that says "interrupted".
        if isinstance(error, KeyboardInterrupt) and threading.current_thread() is threading.main_thread():
            return
        found = f"{type(error).__name__}: {safe_text(error)}"
        raise OasisGanError(
            self._where, expected="an answer or an error from the plugin", found=found, remedy="fix the plugin"
        ) from error
