"""Show how far a run or a training is: by a bar on a terminal, and by lines in a log."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Column

from ..errors import printable
from ..pipeline.ledger import Outcome, Status
from .flags import with_flags
from .streams import get_results_stream, write_result

# Seconds over which the speed is averaged, so that a pause to save hardly changes it.
_SPEED_PERIOD = 300.0


class Reporter(Protocol):
    """Takes what happens in a run or a training."""

    def advance(self, done: float, total: int, doing: str) -> None:
        """Show that ``done`` of ``total`` subjects or steps are done, and what is being done."""

    def log(self, line: str) -> None:
        """Show a line that stays."""

    def write_result(self, result: Path) -> None:
        """Write a result to standard output."""


class _Bar:
    """A bar over all subjects or steps, at the bottom of a terminal."""

    def __init__(self, progress: Progress, doing: str, total: int | None) -> None:
        self._progress = progress
        self._task = progress.add_task(doing, total=total)

    def advance(self, done: float, total: int, doing: str) -> None:
        self._progress.update(self._task, completed=done, total=total, description=printable(doing))

    def log(self, line: str) -> None:
        text = printable(with_flags(line))
        # The name of a file may look like markup, such as [bold].
        self._progress.console.print(
            text, markup=False, emoji=False, highlight=False, soft_wrap=True
        )

    def write_result(self, result: Path) -> None:
        # On one terminal, text that is written past the bar would land in the middle of it.
        if get_results_stream().isatty():
            self.log(str(result))
        else:
            write_result(result)


class _Log:
    """Lines on standard error, without a bar."""

    def advance(self, done: float, total: int, doing: str) -> None:
        pass

    def log(self, line: str) -> None:
        sys.stderr.write(f"{printable(with_flags(line))}\n")
        # Whoever follows a log sees each line at once.
        sys.stderr.flush()

    def write_result(self, result: Path) -> None:
        write_result(result)


@contextmanager
def reporting(doing: str, total: int | None = None) -> Iterator[Reporter]:
    """Show progress on standard error, in the way that suits it.

    Args:
        doing: What is going on, in a word or a few.
        total: The number of subjects or steps, if it is known yet.
    """
    if not sys.stderr.isatty():
        yield _Log()
        return
    bar = Progress(
        TextColumn("{task.description}", markup=False),
        # On a narrow terminal only the bar itself is shortened.
        BarColumn(),
        MofNCompleteColumn(table_column=Column(no_wrap=True)),
        TimeRemainingColumn(table_column=Column(no_wrap=True)),
        console=Console(stderr=True),
        speed_estimate_period=_SPEED_PERIOD,
        transient=True,
        redirect_stdout=False,
        redirect_stderr=False,
    )
    with bar as progress:
        yield _Bar(progress, doing, total)


class OutcomeFormatter:
    """Turn outcomes into lines with a count."""

    def __init__(self, total: int) -> None:
        self._total = total
        self._count = 0

    def format(self, outcome: Outcome) -> str:
        """Return the line for the next outcome."""
        self._count += 1
        # A message that names the subject is not preceded by the name once more.
        name = (
            ""
            if outcome.status is Status.FAILED and outcome.subject in outcome.message
            else f"{outcome.subject}: "
        )
        took = f" ({outcome.seconds:.1f} s)" if outcome.status is Status.DONE else ""
        message = f" - {outcome.message}" if outcome.message else ""
        return printable(f"[{self._count}/{self._total}] {name}{outcome.status}{took}{message}")
