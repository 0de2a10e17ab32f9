"""Read and write tables of labels: those of BIDS and of users, and FreeSurfer's colour tables.

- BIDS: TSV with the columns ``index`` and ``name``, optionally ``abbreviation`` and ``mapping``,
  https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html#common-image-derived-labels
- A user's own: TSV with the columns ``index`` and ``tissue``, optionally ``name``.
- FreeSurfer: a line ``index name R G B A`` for each label, ``#`` before a comment,
  https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/AnatomicalROI/FreeSurferColorLUT
"""

from __future__ import annotations

import csv
import io
import re
import stat
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import OasisGanError, printable
from ..image.errors import abbreviate
from ..image.label_sets import BIDS
from ..image.labels import Label, LabelSet, Structure
from ..image.tissues import BACKGROUND, TISSUES, tissue_of
from .errors import UnusableFileError
from .formats import refuse_content, require_content
from .label_errors import (
    LabelTableError,
    RepeatedLabelError,
    TissueAtZeroError,
)

_MAX_TABLE = 2**20  # bytes; FreeSurfer's table, the longest in use, has 90,000
_TABLE = "a table of labels"
_COLOUR_LINE = re.compile(r"(-?\d+)\s+(\S+)(?:\s+-?\d+(?:\.\d+)?){3,4}")
_SHARED_NAMES = {label.value: label.name for label in BIDS.labels}
_SHARED = {
    "gm": 1,
    "graymatter": 1,
    "greymatter": 1,
    "wm": 2,
    "whitematter": 2,
    "csf": 3,
    "cerebrospinalfluid": 3,
    "cgm": 8,
    "corticalgraymatter": 8,
    "corticalgreymatter": 8,
    "sgm": 9,
    "scgm": 9,
    "subcorticalgraymatter": 9,
    "subcorticalgreymatter": 9,
    "bs": 10,
    "brainstem": 10,
}
"""The value in BIDS of each tissue's names and abbreviations, without case and punctuation."""


def read_label_table(path: Path) -> LabelSet:
    """Read a table of labels of any of these kinds.

    A tissue gets the name that all label sets share. It is recognised by its name, its
    abbreviation, or the common label of BIDS that it maps to; a column ``tissue`` overrides these.
    The background, 0, is left out.

    Raises:
        OasisGanError: If the file is not such a table, a value has two names, or 0 is a tissue.
        OSError: If the file cannot be read.
    """
    text = _read_text(path)
    if _holds_colours(text):
        return _make_label_set(path, _parse_colour_table(text))
    return _make_label_set(path, _parse_table(path, text))


def write_label_table(path: Path, label_set: LabelSet) -> None:
    """Write a label set as a table with the columns ``index`` and ``name``, as in BIDS.

    Args:
        path: The file to write, ``.tsv``.
        label_set: The label set; the background is added as the first row.
    """
    rows = ["index\tname", "0\tBackground"]
    # A name may hold a line break, which would start another row.
    rows.extend(f"{label.value}\t{printable(label.name)}" for label in label_set.labels)
    text = "\n".join(rows) + "\n"
    path.write_text(text, "utf-8")


def has_label_columns(path: Path) -> bool:
    """Tell whether the columns of a file are those of a table of labels."""
    try:
        text = _read_text(path)
    except (OasisGanError, OSError):
        return False
    columns = [_fold_column(column) for column in _first_line(text).split("\t")]
    return _are_label_columns(columns)


def is_colour_table(path: Path) -> bool:
    """Tell whether a file holds a colour table of FreeSurfer's form."""
    try:
        return _holds_colours(_read_text(path))
    except (OasisGanError, OSError):
        return False


def _read_text(path: Path) -> str:
    """Return the text of a table with Unix line endings."""
    require_content(path, _TABLE)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_TABLE:
        found = "another kind of file, or one above 1 MB"
        raise UnusableFileError(path, _TABLE, found, "replace it, or remove it")
    data = path.read_bytes()
    refuse_content(path, _TABLE, data[:256])
    try:
        text = data.decode("utf-8-sig")
    except ValueError as error:
        remedy = "save it as UTF-8"
        raise UnusableFileError(path, f"{_TABLE} in UTF-8", str(error), remedy) from None
    return text.replace("\r\n", "\n").replace("\r", "\n")


def _first_line(text: str) -> str:
    return text.split("\n", 1)[0]


def _holds_colours(text: str) -> bool:
    """Tell whether all lines but comments and blank lines are those of a colour table."""
    lines = [line.strip() for line in text.splitlines()]
    rows = [line for line in lines if line and not line.startswith("#")]
    return bool(rows) and all(map(_COLOUR_LINE.fullmatch, rows))


def _parse_colour_table(text: str) -> list[Label]:
    names: dict[int, list[str]] = {}
    for line in text.splitlines():
        match = _COLOUR_LINE.fullmatch(line.strip())
        if match is not None:
            value = int(match[1])
            names.setdefault(value, []).append(match[2])
    return [_make_colour_label(value, synonyms) for value, synonyms in names.items()]


def _make_colour_label(value: int, names: Sequence[str]) -> Label:
    """Return a label; if its names mean different tissues, it counts as none of them."""
    tissues = {tissue_of(name) for name in names}
    if len(tissues) > 1:
        return Structure(value, " or ".join(names), "")
    return Label(value, _find_shared_name(names[0]) or names[0])


def _parse_table(path: Path, text: str) -> list[Label]:
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=_find_delimiter(path, text))
    try:
        rows = [_fold_columns(row) for row in reader]
        if rows:
            _require_columns(path, list(rows[0]))
        return [_parse_row(row) for row in rows if any(row.values())]
    # A row may be shorter or longer than the header.
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise LabelTableError(path, f"{type(error).__name__}: {error}") from None


def _find_delimiter(path: Path, text: str) -> str:
    """Return the sign between columns: a tab, or in a CSV file a comma or semicolon."""
    if path.suffix.casefold() == ".csv":
        header = _first_line(text)
        for sign in ",;":
            if sign in header:
                return sign
    return "\t"


def _require_columns(path: Path, columns: Sequence[str]) -> None:
    """Raise `LabelTableError` if a table lacks a column that says what an index means."""
    if not _are_label_columns(columns):
        raise LabelTableError(
            path,
            found=f"the columns {abbreviate(columns)}",
            remedy="name the columns so, with a tab between them",
        )


def _are_label_columns(columns: Sequence[str]) -> bool:
    return "index" in columns and ("name" in columns or "tissue" in columns)


def _fold_columns(row: Mapping[str, str]) -> dict[str, str]:
    """Return a row by the folded names of its columns, without cells beyond the last column."""
    return {_fold_column(name): cell for name, cell in row.items() if isinstance(name, str)}


def _fold_column(name: str) -> str:
    return name.strip().casefold()


def _parse_row(row: Mapping[str, str]) -> Label:
    value = _parse_index(row["index"])
    if "tissue" not in row:
        return Label(value, _choose_name(row))
    tissue = _parse_tissue(row["tissue"])
    name = (row.get("name") or "").strip() or tissue
    if name == tissue:
        return Label(value, name)
    return Structure(value, name, tissue)


def _parse_index(text: str) -> int:
    """Return a whole number, which a spreadsheet may have written as 3.0."""
    number = float(text)
    if not number.is_integer():
        raise ValueError(f"index {text!r} is no whole number")
    return int(number)


def _parse_tissue(text: str) -> str:
    tissue = tissue_of(text)
    if not tissue:
        raise ValueError(f"tissue {text!r} is none of {', '.join(TISSUES)}, {BACKGROUND}")
    return tissue


def _choose_name(row: Mapping[str, str]) -> str:
    """Return the shared name of a tissue, or the name in the table for anything else."""
    name = row["name"]
    shared = _find_shared_name(name) or _find_shared_name(row.get("abbreviation") or "")
    if shared:
        return shared
    mapping = (row.get("mapping") or "").strip()
    if mapping.isdecimal():
        return _SHARED_NAMES.get(int(mapping), name)
    return name


def _find_shared_name(name: str) -> str:
    """Return the name that label sets share for a tissue, or "" if it is no such tissue."""
    key = re.sub(r"[\W_]", "", name).casefold()
    value = _SHARED.get(key)
    return _SHARED_NAMES[value] if value is not None else ""


def _make_label_set(path: Path, labels: Sequence[Label]) -> LabelSet:
    """Return a label set with distinct names, so that no label is taken for another."""
    counts = Counter(label.name for label in labels)
    distinct = []
    for label in labels:
        if label.value != 0:
            is_unique = counts[label.name] == 1
            distinct.append(label if is_unique else _add_value_to_name(label))
        elif _find_tissue_of_label(label) in TISSUES:
            raise TissueAtZeroError(path)
    try:
        return LabelSet(name=path.name, labels=tuple(distinct))
    except ValueError as error:
        raise RepeatedLabelError(path, error) from None


def _add_value_to_name(label: Label) -> Label:
    name = f"{label.name} ({label.value})"
    tissue = _find_tissue_of_label(label)
    return Structure(label.value, name, tissue) if tissue else Label(label.value, name)


def _find_tissue_of_label(label: Label) -> str:
    return label.tissue if isinstance(label, Structure) else tissue_of(label.name)
