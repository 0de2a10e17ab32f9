"""Pairs that a user lists in a table: TSV with the columns source and target, and perhaps subject and split.

Paths are relative to the table. A cell in double quotes may hold tabs and line ends, a quote in it is doubled; names
that are no UTF-8 are taken byte by byte.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterator
from pathlib import Path

from oasis_gan import NameLookup, OasisGanError, Scan, Subject, refuse_content, require_content

_MAX_BYTES = 2**26  # a hundred thousand rows and more
_SPLITS = {"", "train", "validate", "test"}


def is_table_name(path: Path) -> bool:
    """Whether a file is called like a table, in upper or lower case."""
    return path.name.lower().endswith(".tsv")


def listed(
    table: Path, name: Callable[[Path], str], scan: Callable[[Path], Scan]
) -> Iterator[Subject]:
    """Yield a subject for each row; what is wrong with one is said when its source is read.

    Args:
        table: The table.
        name: Names a subject by the path of its source, where its row does not.
        scan: Makes a scan of a file.

    Raises:
        OasisGanError: If it is no such table, or has no row.
    """
    rows = _rows(table)
    if not rows:
        raise OasisGanError(table, expected="a row for each pair", found="none", remedy="list some")
    lookup = NameLookup()

    def found(cell: str) -> Scan:
        path = table.parent / cell
        try:
            return scan(lookup.find(path) or path)
        except OasisGanError as error:
            return Scan.refused(path, error)

    for number, row in enumerate(rows, start=1):
        source = row.get("source") or ""
        target = row.get("target") or ""
        problem = _problem(row)
        if problem:
            expected, there = problem
            where = f"{table}, row {number}"
            error = OasisGanError(where, expected=expected, found=there, remedy="correct the row")
            refused = Scan.refused(table, error)
            yield Subject(row.get("subject") or f"row {number}", refused, refused)
            continue
        subject = row.get("subject") or name(Path(source))
        counterpart = found(target) if target else None
        yield Subject(subject, found(source), counterpart, row.get("split") or "")


def _rows(table: Path) -> list[dict[str, str]]:
    expected = "tab-separated columns source and target"
    remedy = "correct the table"
    require_content(table, expected)
    if not table.is_file() or table.stat().st_size > _MAX_BYTES:
        found = "another kind of file, or a very large one"
        raise OasisGanError(table, expected=expected, found=found, remedy=remedy)
    data = table.read_bytes()
    refuse_content(table, expected, data[:256])
    text = data.removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), dialect="excel-tab")
        rows = list(reader)
    except csv.Error as error:
        raise OasisGanError(table, expected=expected, found=str(error), remedy=remedy) from None
    columns = reader.fieldnames or []
    if "source" not in columns:
        found = "no column source"
        if len(columns) == 1 and re.search("[,;|]", columns[0]):
            found = f"one column {columns[0]}"
            remedy = "separate the columns by tabs, not by commas"
        raise OasisGanError(table, expected=expected, found=found, remedy=remedy)
    return rows


def _problem(row: dict[str, str]) -> tuple[str, str] | None:
    """Return what was expected of a row and what it has, if it cannot be followed."""
    if not row.get("source"):
        return "a source", "none"
    if row.get("target") == row["source"]:
        return "a target beside the source", "the source"
    if "\0" in row["source"] + (row.get("target") or ""):
        return "names of files", "one with a NUL in it"
    split = row.get("split") or ""
    return None if split in _SPLITS else ("split train, validate or test", split)
