"""The table of a run, ``subjects.tsv``, which lists the outcome of each subject.

A row is appended as each subject ends, so that it costs as little in a table of a hundred thousand
rows as in an empty one. While a run is going on, the last row of a subject counts; at the end, only
that one is left. Several runs can share a table, and a run that is killed leaves a table that the
next one reads: a row that was cut short is dropped.
"""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from io import FileIO
from pathlib import Path
from typing import NamedTuple, Self

from ..errors import printable
from ..io.claims import hold_name
from ..io.endings import stem_of
from ..io.files import write_atomically


class Status(StrEnum):
    """What has become of a subject."""

    DONE = "done"
    FAILED = "failed"
    SKIPPED = "skipped"


class Row(NamedTuple):
    """A row of the table; its fields are the columns.

    Tabs and line ends in names are escaped.
    """

    subject: str
    status: str = ""
    output: str = ""
    message: str = ""
    seconds: str = ""
    tag: str = ""
    fingerprint: str = ""

    @classmethod
    def parse(cls, line: str) -> Self:
        """Return the row that a line holds; cells that are missing are empty."""
        cells = line.split("\t")
        return cls(*cells[: len(_COLUMNS)])

    def format(self) -> str:
        """Return the row as a line."""
        return "\t".join(self)

    @property
    def has_output(self) -> bool:
        """Whether the subject has an output."""
        return self.status in {Status.DONE, Status.SKIPPED}


_COLUMNS = Row._fields
_HEADER = "\t".join(_COLUMNS)
_OLD_HEADER = "\t".join(_COLUMNS[:4])


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
        tag: The tag of the subject, see `Naming`.
        fingerprint: What the next run needs to recognise a finished subject, see
            `oasis_gan.pipeline.fingerprints`; empty if it has to compare hashes.
    """

    subject: str
    status: Status
    output: Path | None
    message: str
    seconds: float = 0.0
    tag: str = ""
    fingerprint: str = ""

    def row(self, folder: Path) -> Row:
        """Return the outcome as a row of the table in a folder."""
        output = _shorten_path(self.output, folder) if self.output else ""
        seconds = f"{self.seconds:.2f}" if self.status is Status.DONE else ""
        return Row(
            subject=printable(self.subject),
            status=self.status.value,
            output=printable(output),
            message=printable(self.message),
            seconds=seconds,
            tag=printable(self.tag),
            fingerprint=self.fingerprint,
        )


class Ledger:
    """The table of one run, which grows as subjects end; other runs may add to it as well.

    Args:
        path: The file.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._pending: list[str] = []
        self._skipped: list[Row] = []
        self._written: Counter[str] = Counter()
        self.earlier: Mapping[str, Row] = {row.tag: row for row in read_rows(path) if row.tag}
        """What the table said when this run began, by the tag of the subject."""

    def add(self, outcome: Outcome) -> None:
        """Add an outcome to the table.

        A subject that is done or failed is written at once; one that was skipped, by `write`.

        Raises:
            OSError: If the file system fails; the row is written with the next one.
        """
        row = outcome.row(self._path.parent)
        if outcome.status is Status.SKIPPED:
            self._skipped.append(row)
            return
        self._pending.append(row.format())
        self._append()

    def write(self) -> None:
        """Write the rows that are not on the disk yet, and leave one row for each subject.

        Rows of this run replace rows of earlier runs on the same subjects; other rows stay.

        Raises:
            OSError: If the file system fails; the old table stays.
        """
        with hold_name(self._path.parent, self._path.name):
            self._rewrite()

    def _append(self) -> None:
        """Append the rows that are not on the disk yet."""
        path = self._path
        # Another run may be adding rows to the same table.
        with hold_name(path.parent, path.name):
            if _has_header(path):
                _append_lines(path, self._pending)
                self._forget_pending()
            else:
                self._rewrite()

    def _rewrite(self) -> None:
        """Write the whole table, if it is not on the disk as it should be."""
        lines = _read_lines(self._path)
        self._pending.extend(self._settle_skipped(lines))
        kept = self._choose_lines([*lines, *self._pending])
        content = "".join(f"{line}\n" for line in (_HEADER, *kept)).encode()
        if not self._path.is_file() or self._path.read_bytes() != content:
            write_atomically(self._path, content)
        self._forget_pending()

    def _settle_skipped(self, lines: Sequence[str]) -> Iterator[str]:
        """Yield the lines of the skipped subjects about which the table says something else."""
        known = {row.subject: row for row in map(Row.parse, lines)}
        for row in self._skipped:
            before = known.get(row.subject)
            if before is None or not before.has_output or before.output != row.output:
                yield row.format()
            elif (row.tag, row.fingerprint) != (before.tag, before.fingerprint):
                # What the run that made the output had to say about it is still true.
                yield before._replace(tag=row.tag, fingerprint=row.fingerprint).format()
        self._skipped.clear()

    def _forget_pending(self) -> None:
        self._written.update(self._pending)
        self._pending.clear()

    def _choose_lines(self, lines: Sequence[str]) -> list[str]:
        """Return the lines of this run, and of each other subject the last one."""
        own = self._written + Counter(self._pending)
        kept: list[str] = []
        seen: set[tuple[str, str]] = set()
        replaced: set[str] = set()
        for line in reversed(lines):
            row = Row.parse(line)
            # Without a tag, nothing tells two subjects of one name apart, and each row stays.
            if row.tag and (row.subject, row.tag) in seen:
                continue
            if own[line] > 0:
                own[line] -= 1
                replaced.add(row.subject)
            elif row.subject in replaced:
                continue
            kept.append(line)
            seen.add((row.subject, row.tag))
        return kept[::-1]


def _append_lines(path: Path, lines: Sequence[str]) -> None:
    """Append lines to a table, completely or not at all.

    They are not synced to the disk, which would take longer than a small subject. After a power
    cut, the next run finds the output of a subject whose row is lost.
    """
    data = "".join(f"{line}\n" for line in lines).encode()
    try:
        with path.open("r+b", buffering=0) as file:
            _append_bytes(file, data)
    except OSError as error:
        # A failing write names no file.
        raise OSError(error.errno, error.strerror, str(path)) from error


def _append_bytes(file: FileIO, data: bytes) -> None:
    end = file.seek(0, os.SEEK_END)
    file.seek(end - 1)
    # A run was killed, or the machine was, while it wrote the last line.
    rest = data if file.read(1) == b"\n" else b"\n" + data
    try:
        while rest:
            rest = rest[file.write(rest) :]
    except OSError:
        file.truncate(end)
        raise


def _shorten_path(output: Path, folder: Path) -> str:
    """Return the path of an output from a folder on, or its name if it lies elsewhere."""
    if output.is_relative_to(folder):
        return output.relative_to(folder).as_posix()
    return output.name


def _has_header(path: Path) -> bool:
    """Tell whether a file is a table that rows can be appended to."""
    try:
        with path.open("rb") as file:
            return file.readline(len(_HEADER) + 1) == f"{_HEADER}\n".encode()
    except FileNotFoundError:
        return False


def read_rows(path: Path) -> list[Row]:
    """Return the last row of each subject in a table that this tool wrote; no other file has any.

    A run that was killed leaves earlier rows of a subject above its last one.
    """
    rows = map(Row.parse, _read_lines(path))
    # Without a tag, nothing tells two subjects of one name apart, and each row counts.
    last = {(row.subject, row.tag or number): row for number, row in enumerate(rows)}
    return list(last.values())


def _read_lines(path: Path) -> list[str]:
    """Return the rows of a table as lines, without those that say nothing."""
    rows = list(_parse_table(path))
    outputs = _list_output_stems(rows)
    return [row.format() for row in rows if not _took_output_for_source(row, outputs)]


def _parse_table(path: Path) -> Iterator[Row]:
    """Yield the complete rows of a table that this version or an earlier one wrote."""
    if not path.is_file():
        return
    header, *lines = path.read_text("utf-8", "replace").split("\n")
    for line in lines:
        is_complete = line.count("\t") == len(_COLUMNS) - 1
        if line and (header == _OLD_HEADER or (header == _HEADER and is_complete)):
            yield Row.parse(line)


def _list_output_stems(rows: Sequence[Row]) -> set[str]:
    """Return the names of the outputs in a table, without their endings."""
    outputs = {row.output for row in rows}
    return {stem_of(output) for output in outputs if "_synth" in output}


def _took_output_for_source(row: Row, outputs: set[str]) -> bool:
    """Tell whether a row is of an earlier version that took one of the outputs for a source."""
    if row.status != Status.FAILED:
        return False
    # The name may begin with folders within the one that was searched.
    parts = row.subject.split("_")
    endings = {"_".join(parts[start:]) for start in range(len(parts))}
    return not endings.isdisjoint(outputs)
