"""Pairs that a user lists in a table: TSV with the columns source and target, and perhaps subject and split.

Paths are relative to the table. A cell in double quotes may hold tabs and line ends, a quote in it is doubled; names
that are no UTF-8 are taken byte by byte.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterator
from pathlib import Path

from oasis_gan import OasisGanError, Scan, Subject, Volume

_MAX_BYTES = 2**26  # a hundred thousand rows and more
_SPLITS = {"", "train", "validate", "test"}


def is_table_name(path: Path) -> bool:
    """Whether a file is called like a table, in upper or lower case."""
    return path.name.lower().endswith(".tsv")


def listed(table: Path, name: Callable[[Path], str], scan: Callable[[Path], Scan]) -> Iterator[Subject]:
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
    for number, row in enumerate(rows, start=1):
        source, target = row.get("source") or "", row.get("target") or ""
        problem = _problem(row)
        if problem:
            refused = _refused(table, f"{table}, row {number}", *problem)
            yield Subject(row.get("subject") or f"row {number}", refused, refused)
            continue
        subject = row.get("subject") or name(Path(source))
        mate = scan(table.parent / target) if target else None
        yield Subject(subject, scan(table.parent / source), mate, row.get("split") or "")


def _rows(table: Path) -> list[dict[str, str]]:
    expected, remedy = "tab-separated columns source and target", "mend the table"
    if not table.is_file() or table.stat().st_size > _MAX_BYTES:
        found = "no such file" if not table.exists() else "another kind of file, or a very large one"
        raise OasisGanError(table, expected=expected, found=found, remedy=remedy)
    text = table.read_bytes().removeprefix(b"\xef\xbb\xbf").decode("utf-8", "surrogateescape")
    try:
        reader = csv.DictReader(io.StringIO(text, newline=""), dialect="excel-tab")
        rows = list(reader)
    except csv.Error as error:
        raise OasisGanError(table, expected=expected, found=str(error), remedy=remedy) from None
    if "source" not in (reader.fieldnames or []):
        raise OasisGanError(table, expected=expected, found="no column source", remedy=remedy)
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


def _refused(table: Path, where: str, expected: str, found: str) -> Scan:
    def refuse(path: Path) -> Volume:
        raise OasisGanError(where, expected=expected, found=found, remedy="mend the row")

    return Scan(table, refuse)
