"""Showing how far a run is: a bar on a terminal, a line a subject in a log."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from .errors import printable
from .ledger import Outcome, Status


class Reporter(Protocol):
    """Takes what happens in a run."""

    def advance(self, index: int, fraction: float) -> None:
        """Subject ``index`` is done up to ``fraction``."""

    def say(self, line: str) -> None:
        """Show a line that stays."""

    def give(self, result: Path) -> None:
        """Write a result to standard output."""


class _Bar:
    """A bar over all subjects, at the bottom of a terminal."""

    def __init__(self, progress: Progress, total: int) -> None:
        self._progress, self._task = progress, progress.add_task("translating", total=total)

    def advance(self, index: int, fraction: float) -> None:
        self._progress.update(self._task, completed=index + fraction)

    def say(self, line: str) -> None:
        self._progress.console.print(line, markup=False, highlight=False, soft_wrap=True)

    def give(self, result: Path) -> None:
        # Where both are one terminal, what is written past the bar would land in the middle of it.
        if sys.stdout.isatty():
            self.say(printable(result))
        else:
            click.echo(result)


class _Log:
    """Lines on standard error, nothing between them."""

    def advance(self, index: int, fraction: float) -> None:
        pass

    def say(self, line: str) -> None:
        sys.stderr.write(f"{line}\n")
        sys.stderr.flush()

    def give(self, result: Path) -> None:
        click.echo(result)


@contextmanager
def reporting(total: int) -> Iterator[Reporter]:
    """Show the progress of ``total`` subjects on standard error, in the way that suits it."""
    if not sys.stderr.isatty():
        yield _Log()
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TaskProgressColumn(), TimeRemainingColumn())
    bar = Progress(*columns, console=Console(stderr=True), transient=True, redirect_stdout=False, redirect_stderr=False)
    with bar as progress:
        yield _Bar(progress, total)


class Clock:
    """Turns outcomes into lines with a count and the seconds since the one before."""

    def __init__(self, total: int) -> None:
        self._total, self._count, self._before = total, 0, time.monotonic()

    def line(self, outcome: Outcome) -> str:
        """Return the line for the next outcome."""
        now = time.monotonic()
        seconds, self._before, self._count = now - self._before, now, self._count + 1
        name = "" if outcome.status is Status.FAILED and outcome.subject in outcome.message else f"{outcome.subject}: "
        took = f" ({seconds:.1f} s)" if outcome.status is Status.DONE else ""
        message = f" - {outcome.message}" if outcome.message else ""
        return printable(f"[{self._count}/{self._total}] {name}{outcome.status}{took}{message}")
