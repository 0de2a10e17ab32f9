"""Call the code of plugins, and turn whatever it raises into an error of one line."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType

from ..errors import OasisGanError, raise_interruption
from .errors import ModelFailedError, PluginExitError, UnreadableError


class foreign_code:  # noqa: N801 - used like `contextlib.suppress`
    """A context manager for calls into a plugin, which lets only an `Exception` through.

    A plugin may raise anything: `SystemExit` from a ``sys.exit(0)``, `GeneratorExit`, or its own
    `BaseException`. These become an `OasisGanError`. The user's Ctrl-C passes unchanged.

    Args:
        where: The file, model or plugin that the error names.

    Raises:
        OasisGanError: In place of any exception that is not an `Exception`.
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
        """Let an `Exception` or an interruption pass; raise `OasisGanError` for anything else."""
        if error is None:
            return
        # Ctrl-C reaches only the main thread: in any other, the plugin raised KeyboardInterrupt.
        if threading.current_thread() is threading.main_thread():
            raise_interruption(error)
        if isinstance(error, Exception):
            return
        raise PluginExitError(self._where, error) from error


@contextmanager
def reading(where: object, plugin: str) -> Iterator[None]:
    """Add the file and the plugin to the errors that a dataset plugin raises in this block.

    A reader may raise a `KeyError` for a missing column, or an `EOFError` for a truncated file;
    neither names the file.

    Args:
        where: The file or folder that is read.
        plugin: The name of the dataset plugin; empty if it is not known.

    Raises:
        OasisGanError: In place of any exception but an error of the file system.
    """
    try:
        with foreign_code(where):
            yield
    except (OasisGanError, MemoryError):
        raise
    except Exception as error:
        # Only errors of the file system have a number; gzip raises an OSError without.
        if isinstance(error, OSError) and error.errno is not None:
            raise
        raise UnreadableError(where, plugin, error) from error


@contextmanager
def using_model(
    folder: Path,
    kind: str,
    expected: str | None = None,
    remedy: str = "fix the model, or the plugin",
) -> Iterator[None]:
    """Add the folder and the plugin to the errors that a model plugin raises in this block.

    Args:
        folder: The folder of the model.
        kind: The name of the kind of the model.
        expected: What should have happened; by default a model that the plugin can use.
        remedy: What to do about it.

    Raises:
        OasisGanError: In place of any exception but an `OSError`.
    """
    try:
        with foreign_code(folder):
            yield
    except (OasisGanError, OSError):
        raise
    # The kind may come from any plugin, and raise anything.
    except Exception as error:
        expected = expected or f"a model that the plugin {kind} can use"
        raise ModelFailedError(folder, expected, error, remedy) from error
