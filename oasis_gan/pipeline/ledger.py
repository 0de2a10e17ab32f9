"""The table of a run, ``subjects.tsv``: what became of each subject."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..errors import printable
from ..io.claims import claimed
from ..io.endings import stem_of
from ..io.files import write_atomically

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

    def row(self, folder: Path) -> str:
        """Return the outcome as a line of the table in a folder; tabs and line ends in names are escaped."""
        output = _name_in(folder, self.output) if self.output else ""
        return "\t".join(
            printable(cell) for cell in (self.subject, self.status, output, self.message)
        )


class Ledger:
    """The table of one run, which grows as subjects end; other runs may write to it at the same time.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: list[str] = []
        self._written: set[str] = set()

    def add(self, outcome: Outcome) -> None:
        """Take an outcome in. What was done or failed is on the disk at once, what was skipped with the next of those.

        Raises:
            OSError: As the file system says; the row is written with the next one.
        """
        self._pending.append(outcome.row(self._path.parent))
        if outcome.status is not Status.SKIPPED:
            self.write()

    def write(self) -> None:
        """Write what is not on the disk yet.

        Rows of earlier runs stay, but for those of subjects that have a new one.

        Raises:
            OSError: As the file system says; the old table stays.
        """
        path = self._path
        if not self._pending and path.is_file():
            return
        with claimed(path.parent, path.name):
            subjects = {_subject(row) for row in self._pending}
            # Two sources may share a subject's name: only rows of other runs give way.
            earlier = [
                row
                for row in _earlier(path)
                if row in self._written or _subject(row) not in subjects
            ]
            rows = (_HEADER, *earlier, *self._pending)
            write_atomically(path, "".join(f"{row}\n" for row in rows).encode())
        self._written.update(self._pending)
        self._pending.clear()


def _name_in(folder: Path, output: Path) -> str:
    """Return how an output is called in the table of a folder: by its path from there on."""
    return output.relative_to(folder).as_posix() if output.is_relative_to(folder) else output.name


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
