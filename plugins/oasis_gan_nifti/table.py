"""Read pairs from a table: TSV with the columns source and target, and perhaps subject and split.

Paths are relative to the table. A cell in double quotes may hold tabs and line ends, and a quote in
it is doubled. Names that are not UTF-8 are taken byte by byte.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from oasis_gan import NameLookup, OasisGanError, Scan, Subject, refuse_content, require_content

_MAX_BYTES = 2**26
"""Enough for a hundred thousand rows."""
_SPLITS = {"", "train", "validate", "test"}
_COLUMNS = "tab-separated columns source and target"


class TableError(OasisGanError):
    """A file is no table of pairs.

    Args:
        table: The file.
        found: What it holds instead.
        remedy: What to do.
    """

    def __init__(self, table: Path, found: str, remedy: str = "correct the table") -> None:
        super().__init__(table, expected=_COLUMNS, found=found, remedy=remedy)


class RowError(OasisGanError):
    """A row of a table does not name a usable pair.

    Args:
        table: The table.
        row: The number of the row, from 1.
        expected: What the row should hold.
        found: What it holds.
    """

    def __init__(self, table: Path, row: int, expected: str, found: str) -> None:
        super().__init__(
            f"{table}, row {row}", expected=expected, found=found, remedy="correct the row"
        )


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
        raise OasisGanError(table, expected="a row for each pair", found="none", remedy="list some")
    lookup = NameLookup()

    def find(cell: str) -> Scan:
        path = table.parent / cell
        try:
            return make_scan(lookup.find(path) or path)
        except OasisGanError as error:
            return Scan.refused(path, error)

    for number, row in enumerate(rows, start=1):
        error = _find_error(table, number, row)
        if error:
            refused = Scan.refused(table, error)
            yield Subject(row.get("subject") or f"row {number}", refused, refused)
            continue
        source = row.get("source") or ""
        target = row.get("target") or ""
        yield Subject(
            row.get("subject") or name(Path(source)),
            find(source),
            find(target) if target else None,
            row.get("split") or "",
        )


def _read_rows(table: Path) -> list[dict[str, str]]:
    text = _read_text(table)
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), dialect="excel-tab")
        rows = list(reader)
    except csv.Error as error:
        raise TableError(table, str(error)) from None
    _require_columns(table, list(reader.fieldnames or []))
    return rows


def _read_text(table: Path) -> str:
    require_content(table, _COLUMNS)
    if not table.is_file() or table.stat().st_size > _MAX_BYTES:
        raise TableError(table, "another kind of file, or a very large one")
    data = table.read_bytes()
    refuse_content(table, _COLUMNS, data[:256])
    return data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")


def _require_columns(table: Path, columns: list[str]) -> None:
    if "source" in columns:
        return
    if len(columns) == 1 and re.search("[,;|]", columns[0]):
        remedy = "separate the columns by tabs, not by commas"
        raise TableError(table, f"one column {columns[0]}", remedy)
    raise TableError(table, "no column source")


def _find_error(table: Path, number: int, row: dict[str, str]) -> RowError | None:
    """Return the error of a row that names no usable pair."""
    source = row.get("source") or ""
    target = row.get("target") or ""
    split = row.get("split") or ""
    if not source:
        return RowError(table, number, "a source", "none")
    if target == source:
        return RowError(table, number, "a target beside the source", "the source")
    if "\0" in source + target:
        return RowError(table, number, "names of files", "one with a NUL in it")
    if split not in _SPLITS:
        return RowError(table, number, "split train, validate or test", split)
    return None
