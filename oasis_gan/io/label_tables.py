"""Tables that say what the values of a label map mean: those of BIDS, a user's own, FreeSurfer's colour tables.

- BIDS: TSV with the columns ``index`` and ``name``, perhaps ``abbreviation`` and ``mapping``,
  https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html#common-image-derived-labels
- A user's own: TSV with the columns ``index`` and ``tissue``, perhaps ``name``.
- FreeSurfer: a line ``index name R G B A`` for each label, ``#`` before a comment,
  https://surfer.nmr.mgh.harvard.edu/fswiki/FsTutorial/AnatomicalROI/FreeSurferColorLUT
"""

from __future__ import annotations

import csv
import io
import re
import stat
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from ..errors import OasisGanError, printable
from ..image.errors import abbreviate
from ..image.label_sets import BIDS
from ..image.labels import Label, LabelSet, Structure
from ..image.tissues import BACKGROUND, TISSUES, tissue_of
from .errors import LabelTableError, UnusableFileError
from .formats import refuse_content, require_content

_MAX_TABLE = 2**20  # bytes: FreeSurfer's table, the longest in use, has 90,000
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
"""Names and abbreviations, without case and punctuation, and the common label of BIDS they stand for."""


def read_label_table(path: Path) -> LabelSet:
    """Read a table of labels, whichever kind it is.

    Tissues get the names that label sets share, by their name, their abbreviation, or the common label of BIDS that
    they map to. A column ``tissue`` goes before the name. Background, 0, is left out.

    Raises:
        OasisGanError: If it is no such table, one value has two names, or 0 is a tissue.
        OSError: If it cannot be read.
    """
    text = _text(path)
    if _is_colour_table(text):
        return _label_set(path, _colour_labels(text))
    return _label_set(path, _labels(path, text))


def write_label_table(path: Path, label_set: LabelSet) -> None:
    """Write what the values of a label map mean as a table: columns ``index`` and ``name``, as in BIDS.

    Args:
        path: The file to write, ``.tsv``.
        label_set: The label set; background is listed first.
    """
    rows = ["index\tname", "0\tBackground"]
    # A name may be anybody's: a line break in it would be a row of its own.
    rows.extend(f"{label.value}\t{printable(label.name)}" for label in label_set.labels)
    path.write_text("\n".join(rows) + "\n", "utf-8")


def has_label_columns(path: Path) -> bool:
    """Whether a file begins as a table of labels does: with a column ``index``, and ``name`` or ``tissue``."""
    try:
        header = _text(path).split("\n", 1)[0]
    except (OasisGanError, OSError):
        return False
    columns = {_column(column) for column in header.split("\t")}
    return "index" in columns and bool(columns & {"name", "tissue"})


def is_colour_table(path: Path) -> bool:
    """Whether a file holds a colour table of FreeSurfer's form."""
    try:
        return _is_colour_table(_text(path))
    except (OasisGanError, OSError):
        return False


def _text(path: Path) -> str:
    expected = "a table of labels"
    require_content(path, expected)
    status = path.stat()
    if not stat.S_ISREG(status.st_mode) or status.st_size > _MAX_TABLE:
        found = "another kind of file, or one above 1 MB"
        raise UnusableFileError(path, expected, found, "replace it, or remove it")
    data = path.read_bytes()
    refuse_content(path, expected, data[:256])
    try:
        return data.decode("utf-8-sig").replace("\r\n", "\n").replace("\r", "\n")
    except ValueError as error:
        remedy = "save it as UTF-8"
        raise UnusableFileError(path, f"{expected} in UTF-8", str(error), remedy) from None


def _is_colour_table(text: str) -> bool:
    stripped = [line.strip() for line in text.splitlines()]
    lines = [line for line in stripped if line and not line.startswith("#")]
    return bool(lines) and all(_COLOUR_LINE.fullmatch(line) for line in lines)


def _colour_labels(text: str) -> list[Label]:
    matches = [_COLOUR_LINE.fullmatch(line.strip()) for line in text.splitlines()]
    names: dict[int, list[str]] = {}
    for match in filter(None, matches):
        names.setdefault(int(match[1]), []).append(match[2])
    return [_colour_label(value, several) for value, several in names.items()]


def _colour_label(value: int, names: Sequence[str]) -> Label:
    """Return a label; one that has names of different tissues counts as none."""
    tissues = {tissue_of(name) for name in names}
    if len(tissues) > 1:
        return Structure(value, " or ".join(names), "")
    return Label(value, _shared_name(names[0]))


def _labels(path: Path, text: str) -> list[Label]:
    header = text.split("\n", 1)[0]
    commas = path.suffix.casefold() == ".csv"
    delimiter = next((sign for sign in ",;" if commas and sign in header), "\t")
    try:
        rows = list(csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter))
        named = [
            {_column(key): value for key, value in row.items() if isinstance(key, str)}
            for row in rows
        ]
        if named:
            _require_columns(path, list(named[0]))
        return [_label(row) for row in named if any(value for value in row.values())]
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise LabelTableError(path, f"{type(error).__name__}: {error}") from None


def _require_columns(path: Path, columns: Sequence[str]) -> None:
    """Raise `LabelTableError` if a table lacks a column that says what an index means."""
    if "index" in columns and ("name" in columns or "tissue" in columns):
        return
    found = f"the columns {abbreviate(columns)}"
    remedy = "name the columns so, with a tab between them"
    raise LabelTableError(path, found, remedy)


def _column(name: str) -> str:
    return name.strip().casefold()


def _label(row: dict[str, str]) -> Label:
    value = _whole(row["index"])
    if "tissue" not in row:
        return Label(value, _bids_name(row))
    tissue = _tissue(row["tissue"])
    name = (row.get("name") or "").strip() or tissue
    # A name that says the same needs nothing beside it.
    return Label(value, name) if name == tissue else Structure(value, name, tissue)


def _whole(text: str) -> int:
    """Return a whole number, also one that a spreadsheet has written as 3.0."""
    number = float(text)
    if not number.is_integer():
        raise ValueError(f"index {text!r} is no whole number")
    return int(number)


def _tissue(said: str) -> str:
    tissue = tissue_of(said)
    if not tissue:
        raise ValueError(f"tissue {said!r} is none of {', '.join(TISSUES)}, {BACKGROUND}")
    return tissue


def _bids_name(row: dict[str, str]) -> str:
    """Return the shared name of a tissue, or the table's own of anything else."""
    for said in (row["name"], row.get("abbreviation") or ""):
        shared = _SHARED.get(_plain(said))
        if shared is not None:
            return _SHARED_NAMES[shared]
    mapped = (row.get("mapping") or "").strip()
    if not mapped.isdecimal():
        return row["name"]
    return _SHARED_NAMES.get(int(mapped), row["name"])


def _shared_name(name: str) -> str:
    shared = _SHARED.get(_plain(name))
    return _SHARED_NAMES[shared] if shared is not None else name


def _plain(name: str) -> str:
    return re.sub(r"[\W_]", "", name).casefold()


def _label_set(path: Path, labels: Sequence[Label]) -> LabelSet:
    """Return a set of distinct names, so that no label is taken for another of the same name."""
    if any(label.value == 0 and _tissue_of_label(label) in TISSUES for label in labels):
        remedy = "give the background 0, and the tissue another value"
        raise UnusableFileError(path, "background at index 0", "a tissue", remedy)
    counts = Counter(label.name for label in labels)
    distinct = [
        label if counts[label.name] == 1 else _numbered(label)
        for label in labels
        if label.value != 0
    ]
    try:
        return LabelSet(name=path.name, labels=tuple(distinct))
    except ValueError as error:
        expected = "a table of labels with the columns index and name, each index once"
        found = f"ValueError: {error}"
        raise UnusableFileError(path, expected, found, "fix the table") from None


def _numbered(label: Label) -> Label:
    name = f"{label.name} ({label.value})"
    tissue = _tissue_of_label(label)
    return Structure(label.value, name, tissue) if tissue else Label(label.value, name)


def _tissue_of_label(label: Label) -> str:
    return label.tissue if isinstance(label, Structure) else tissue_of(label.name)
