"""The options of ``oasis-gan run`` for many subjects: which of them to translate, and where."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass

import click

from ..errors import printable

_SLURM = "slurm"


@dataclass(frozen=True)
class Batch:
    """A batch is one of several equal parts of the subjects.

    Args:
        number: The number of the part, from 1 on.
        count: The number of parts.
    """

    number: int
    count: int

    def includes(self, index: int) -> bool:
        """Tell whether the subject at an index belongs to the part."""
        return index % self.count == self.number - 1


@dataclass(frozen=True, kw_only=True)
class CohortOptions:
    """The options say which subjects a run translates, and what does the work."""

    update: bool = False
    retry_failed: bool = False
    stops_on_failure: bool = False
    dry_run: bool = False
    batch: Batch | None = None
    jobs: int | None = None
    timeout: float | None = None


def _parse_batch(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> Batch | None:
    """Take ``2/10``, or ``slurm`` for the task of a job array."""
    if value is None:
        return None
    text = _read_array_task() if value == _SLURM else value
    found = re.fullmatch(r"([0-9]+)/([0-9]+)", text)
    if found is None or not 1 <= int(found[1]) <= int(found[2]):
        expected = "I/N with I from 1 to N, or slurm within a job array"
        message = f"expected {expected}, found {printable(value)} ({printable(text)})"
        raise click.BadParameter(message, context, parameter)
    return Batch(int(found[1]), int(found[2]))


def _read_array_task() -> str:
    """Return the task of the SLURM job array that this process belongs to, such as ``2/10``."""
    task = os.environ.get("SLURM_ARRAY_TASK_ID", "")
    count = os.environ.get("SLURM_ARRAY_TASK_COUNT", "")
    first = os.environ.get("SLURM_ARRAY_TASK_MIN", "1")
    # Arrays are numbered from any number on.
    if task.isdecimal() and first.isdecimal():
        task = str(int(task) - int(first) + 1)
    return f"{task}/{count}"


_OPTIONS = (
    click.option(
        "--update",
        is_flag=True,
        help="Replace outputs whose source, model or options have changed; keep the others.",
    ),
    click.option(
        "--retry-failed",
        is_flag=True,
        help="Translate only the subjects that have failed according to DIR/subjects.tsv.",
    ),
    click.option(
        "--stop-on-first-crash",
        "stops_on_failure",
        is_flag=True,
        help="Begin no further subject once one has failed.",
    ),
    click.option(
        "--dry-run",
        is_flag=True,
        help="Write nothing; print what would be read and written, how long that would take, and "
        "how much space it would need.",
    ),
    click.option(
        "--batch",
        metavar="I/N|slurm",
        callback=_parse_batch,
        help="Translate only part I of N equal parts of the subjects; slurm takes both numbers "
        "from the job array.",
    ),
    click.option(
        "--jobs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Translate in N processes, so that a subject that crashes fails alone.  "
        "[default: in the process itself]",
    ),
    click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        metavar="SECONDS",
        help="End a subject that takes longer than this, try it once more, and go on with the "
        "others.",
    ),
)


def translates_cohorts(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options for many subjects."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
