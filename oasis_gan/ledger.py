"""The table of a run, ``subjects.tsv``: what became of each subject."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from .endings import stem_of
from .errors import printable
from .files import write_atomically

NAME = "subjects.tsv"
_HEADER = "subject\tstatus\toutput\tmessage"


class Status(StrEnum):
    """How a subject ended."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """What became of one subject.

    Args:
        subject: Its name.
        status: How it ended.
        output: The file that was made, or was there already.
        message: What went wrong, or was noticed; one line.
        seconds: That it took to read, translate and write it, others at the same time.
    """

    subject: str
    status: Status
    output: Path | None
    message: str
    seconds: float = 0.0

    def row(self) -> str:
        """Return the outcome as a line of the table; tabs and line ends in names are escaped."""
        output = self.output.name if self.output else ""
        return "\t".join(printable(cell) for cell in (self.subject, self.status, output, self.message))


def write_ledger(folder: Path, outcomes: Iterable[Outcome]) -> None:
    """Write the table of a run into its output folder; rows that earlier runs left of other subjects stay.

    Raises:
        OSError: As the file system says; the old table stays.
    """
    rows = [outcome.row() for outcome in outcomes]
    # Two sources may share a subject's name: only rows of earlier runs give way.
    subjects = {_subject(row) for row in rows}
    earlier = [row for row in _earlier(folder / NAME) if _subject(row) not in subjects]
    write_atomically(folder / NAME, "".join(f"{row}\n" for row in (_HEADER, *earlier, *rows)).encode())


def _subject(row: str) -> str:
    return row.split("\t", 1)[0]


def _earlier(path: Path) -> list[str]:
    """Return the rows of a table that this tool wrote; anything else under that name has none."""
    if not path.is_file():
        return []
    lines = path.read_text("utf-8", "replace").splitlines()
    rows = lines[1:] if lines[:1] == [_HEADER] else []
    outputs = {stem_of(output) for output in (_cells(row)[2] for row in rows) if "_synth" in output}
    return [row for row in rows if not _took_output_for_source(row, outputs)]


def _took_output_for_source(row: str, outputs: set[str]) -> bool:
    """Whether an earlier version failed on an output, in a folder within the one that was searched."""
    subject, status, *_ = _cells(row)
    parts = subject.split("_")
    endings = {"_".join(parts[start:]) for start in range(len(parts))}
    return status == Status.FAILED and not endings.isdisjoint(outputs)


def _cells(row: str) -> list[str]:
    cells = row.split("\t")
    return cells + [""] * (4 - len(cells))
