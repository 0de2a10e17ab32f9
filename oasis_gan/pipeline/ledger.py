"""The table of a run, ``subjects.tsv``, which lists the outcome of each subject."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from ..errors import printable
from ..io.claims import hold_name
from ..io.endings import stem_of
from ..io.files import write_atomically

_HEADER = "subject\tstatus\toutput\tmessage"


class Status(StrEnum):
    """What has become of a subject."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


@dataclass(frozen=True)
class Outcome:
    """What has become of one subject, with a message and the time taken.

    Args:
        subject: The name of the subject.
        status: How it ended.
        output: The file that was made, or was there already.
        message: What went wrong, or was noticed; one line.
        seconds: The time that it took to read, translate and write the subject, while others were
            in progress.
    """

    subject: str
    status: Status
    output: Path | None
    message: str
    seconds: float = 0.0

    def row(self, folder: Path) -> str:
        """Return the outcome as a row of the table in a folder.

        Tabs and line ends in names are escaped.
        """
        output = _shorten_path(self.output, folder) if self.output else ""
        cells = (self.subject, self.status, output, self.message)
        return "\t".join(map(printable, cells))


class Ledger:
    """The table of one run, which grows as subjects end; other runs may add to it as well.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: list[str] = []
        self._written: set[str] = set()

    def add(self, outcome: Outcome) -> None:
        """Add an outcome to the table.

        A subject that is done or failed is written at once; one that was skipped, with the next.

        Raises:
            OSError: If the file system fails; the row is written with the next one.
        """
        self._pending.append(outcome.row(self._path.parent))
        if outcome.status is not Status.SKIPPED:
            self.write()

    def write(self) -> None:
        """Write the rows that are not on the disk yet.

        They replace rows of earlier runs on the same subjects; other rows stay.

        Raises:
            OSError: If the file system fails; the old table stays.
        """
        path = self._path
        # A run without subjects leaves a table, too: its header.
        if not self._pending and path.is_file():
            return
        # Another run may be adding rows to the same table.
        with hold_name(path.parent, path.name):
            rows = (_HEADER, *self._list_rows_to_keep(), *self._pending)
            content = "\n".join(rows) + "\n"
            write_atomically(path, content.encode())
        self._written.update(self._pending)
        self._pending.clear()

    def _list_rows_to_keep(self) -> list[str]:
        """Return the rows in the file that the pending ones do not replace."""
        replaced = {_read_subject(row) for row in self._pending}
        rows = _read_rows(self._path)
        # Two sources may share a subject's name: only rows of other runs are replaced.
        return [row for row in rows if row in self._written or _read_subject(row) not in replaced]


def _shorten_path(output: Path, folder: Path) -> str:
    """Return the path of an output from a folder on, or its name if it lies elsewhere."""
    if output.is_relative_to(folder):
        return output.relative_to(folder).as_posix()
    return output.name


def _read_subject(row: str) -> str:
    """Return the name of the subject in a row."""
    return _read_cells(row)[0]


def _read_rows(path: Path) -> list[str]:
    """Return the rows of a table that this tool wrote; any other file has none."""
    if not path.is_file():
        return []
    lines = path.read_text("utf-8", "replace").splitlines()
    if lines[:1] != [_HEADER]:
        return []
    rows = lines[1:]
    outputs = _list_output_stems(rows)
    return [row for row in rows if not _took_output_for_source(row, outputs)]


def _list_output_stems(rows: Sequence[str]) -> set[str]:
    """Return the names of the outputs in a table, without their endings."""
    outputs = {_read_cells(row)[2] for row in rows}
    return {stem_of(output) for output in outputs if "_synth" in output}


def _took_output_for_source(row: str, outputs: set[str]) -> bool:
    """Tell whether a row is of an earlier version that took one of the outputs for a source."""
    subject, status, *_ = _read_cells(row)
    if status != Status.FAILED:
        return False
    # The name may begin with folders within the one that was searched.
    parts = subject.split("_")
    endings = {"_".join(parts[start:]) for start in range(len(parts))}
    return not endings.isdisjoint(outputs)


def _read_cells(row: str) -> list[str]:
    """Return the four cells of a row; those that a damaged row lacks are empty."""
    cells = row.split("\t")
    return cells + [""] * (4 - len(cells))
