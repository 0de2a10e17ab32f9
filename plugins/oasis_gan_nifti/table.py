"""Read pairs from a table: TSV with the columns source and target, and perhaps subject and split.

Paths are relative to the table. A cell in double quotes may hold tabs and line ends, and a quote in
it is doubled. Names that are not UTF-8 are taken byte by byte.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path

from oasis_gan import NameLookup, OasisGanError, Scan, Subject, refuse_content, require_content

from .errors import TABLE_COLUMNS, EmptyTableError, RowError, TableError

_MAX_BYTES = 2**26
"""Enough for a hundred thousand rows."""
_SPLITS = {"", "train", "validate", "test"}


@dataclass(frozen=True)
class Row:
    """A row of a table; an empty cell, or a missing one, is an empty string."""

    source: str
    target: str
    subject: str
    split: str

    @classmethod
    def from_cells(cls, cells: Mapping[str, str | None]) -> Row:
        """Return the row with these cells, which are None where the row is too short."""
        columns = (field.name for field in fields(cls))
        return cls(**{name: cells.get(name) or "" for name in columns})


def is_table_name(path: Path) -> bool:
    """Return whether a file name ends in ``.tsv``, in upper or lower case."""
    return path.name.lower().endswith(".tsv")


def read_table(
    table: Path, name: Callable[[Path], str], make_scan: Callable[[Path], Scan]
) -> Iterator[Subject]:
    """Yield a subject for each row; a wrong row becomes a subject that is refused when it is read.

    Args:
        table: The table.
        name: Returns the name of a subject from the path of its source, if its row has none.
        make_scan: Makes a scan of a file.

    Raises:
        OasisGanError: If it is no such table, or has no row.
    """
    rows = _read_rows(table)
    if not rows:
        raise EmptyTableError(table)
    # With one lookup for all rows, each folder is listed only once.
    find = partial(_find_scan, lookup=NameLookup(), make_scan=make_scan)
    for number, row in enumerate(rows, start=1):
        error = _find_error(table, number, row)
        if error:
            refused = Scan.from_error(table, error)
            yield Subject(row.subject or f"row {number}", refused, refused)
            continue
        yield Subject(
            name=row.subject or name(Path(row.source)),
            source=find(table.parent / row.source),
            target=find(table.parent / row.target) if row.target else None,
            split=row.split,
        )


def _find_scan(path: Path, lookup: NameLookup, make_scan: Callable[[Path], Scan]) -> Scan:
    """Return the scan of a file; reading it raises an error if several files have its name."""
    try:
        return make_scan(lookup.find(path) or path)
    except OasisGanError as error:
        return Scan.from_error(path, error)


def _read_rows(table: Path) -> list[Row]:
    lines = io.StringIO(_read_text(table), newline="")
    try:
        reader = csv.DictReader(lines, dialect="excel-tab")
        rows = [Row.from_cells(cells) for cells in reader]
    except csv.Error as error:
        raise TableError(table, str(error)) from None
    _require_columns(table, reader.fieldnames or [])
    return rows


def _read_text(table: Path) -> str:
    require_content(table, TABLE_COLUMNS)
    if not table.is_file() or table.stat().st_size > _MAX_BYTES:
        raise TableError(table, "another kind of file, or a very large one")
    data = table.read_bytes()
    refuse_content(table, TABLE_COLUMNS, data[:256])
    # Excel begins a file with a byte-order mark, which is no part of the name of a column.
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _require_columns(table: Path, columns: Sequence[str]) -> None:
    if "source" in columns:
        return
    if len(columns) == 1 and re.search("[,;|]", columns[0]):
        remedy = "separate the columns by tabs, not by commas"
        raise TableError(table, f"one column {columns[0]}", remedy)
    raise TableError(table, "no column source")


def _find_error(table: Path, number: int, row: Row) -> RowError | None:
    """Return the error of a row that names no usable pair."""
    refuse = partial(RowError, table, number)
    if not row.source:
        return refuse("a source", "none")
    if row.target == row.source:
        return refuse("a target beside the source", "the source")
    if "\0" in row.source + row.target:
        return refuse("names of files", "one with a NUL in it")
    if row.split not in _SPLITS:
        return refuse("split train, validate or test", row.split)
    return None
