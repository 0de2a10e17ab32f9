"""Say what a run would do, without doing it: ``oasis-gan run --dry-run``."""

from __future__ import annotations

import shutil
from collections.abc import Sequence
from pathlib import Path

from ..errors import printable
from ..pipeline.forecast import Rates
from ..pipeline.ledger import Ledger
from ..pipeline.work import Work
from .lines import log
from .streams import write_result

_UNITS = ("bytes", "kB", "MB", "GB", "TB")
_MINUTE = 60
_HOUR = 3600


def describe_run(works: Sequence[Work], ledger: Ledger, out: Path, jobs: int) -> None:
    """Print the source and the output of each subject that is left, and what they would cost.

    Args:
        works: The work on each subject.
        ledger: The table of earlier runs.
        out: The output folder.
        jobs: The number of subjects that are translated at the same time.
    """
    left = [work for work in works if work.recognise(ledger.earlier) is None]
    for work in left:
        write_result(printable(f"{work.subject.source.path} -> {work.locate().volume}"))
    log(f"{len(works) - len(left)} of {len(works)} subjects are finished, {len(left)} are left")
    existing = sum(work.locate().volume.exists() for work in left)
    if existing:
        log(f"{existing} of these have an output, which a run would compare first")
    rates = Rates.measure(list(ledger.earlier.values()), out)
    log(_describe_time(rates.seconds, len(left), jobs))
    log(_describe_space(rates.bytes, len(left), out))


def _describe_time(seconds: float | None, count: int, jobs: int) -> str:
    if seconds is None:
        return "time: not known until a subject is done"
    total = seconds * count / jobs
    return f"time: at most {_format_time(total)}, at {seconds:.1f} s a subject so far"


def _describe_space(size: float | None, count: int, out: Path) -> str:
    existing = next(
        folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir()
    )
    free = _format_size(shutil.disk_usage(existing).free)
    if size is None:
        return f"space: not known until a subject is done; {free} are free"
    return f"space: about {_format_size(size * count)} of {free} that are free"


def _format_time(seconds: float) -> str:
    if seconds < _MINUTE:
        return f"{seconds:.0f} s"
    if seconds < _HOUR:
        return f"{seconds / _MINUTE:.0f} min"
    return f"{seconds / _HOUR:.1f} h"


def _format_size(size: float) -> str:
    for unit in _UNITS[:-1]:
        if size < 1000:
            return f"{size:.0f} {unit}"
        size /= 1000
    return f"{size:.1f} {_UNITS[-1]}"
