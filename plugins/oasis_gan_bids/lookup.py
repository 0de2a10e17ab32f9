"""What the values of a BIDS label map mean: a table that goes with it, or the labels that all of BIDS shares.

Both are told in
https://bids-specification.readthedocs.io/en/stable/derivatives/imaging.html#common-image-derived-labels
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Mapping
from pathlib import Path

from oasis_gan import Label, LabelSet, OasisGanError

from .layout import BidsFile

_MAX_TABLE = 2**20  # bytes: FreeSurfer's table, the longest in use, has 50,000
_NAMES = {
    1: "GM",
    2: "WM",
    3: "CSF",
    4: "Bone",
    5: "Soft-Tissue",
    6: "Non-brain",
    7: "Lesion",
    8: "Cortex",
    9: "Subcortical-Gray-Matter",
    10: "Brain-Stem",
    11: "Cerebellum",
}
COMMON = LabelSet("bids", tuple(Label(value, name) for value, name in _NAMES.items()))
"""The labels of a label map without a table."""
_KNOWN = {
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
"""Names and abbreviations, without case and punctuation, and the common label they stand for."""


def by_folder(tables: Iterable[BidsFile]) -> Mapping[Path, list[BidsFile]]:
    """Sort tables by the folder they lie in."""
    sorted_: dict[Path, list[BidsFile]] = {}
    for table in tables:
        sorted_.setdefault(table.path.parent, []).append(table)
    return sorted_


def table_of(image: BidsFile, tables: Mapping[Path, list[BidsFile]]) -> BidsFile | None:
    """Return the table that says what the values of a label map mean, if there is one.

    It lies in the same folder or above, and its name has no entity that the image's has not. The nearest counts, in
    one folder the one that shares most entities
    (https://bids-specification.readthedocs.io/en/stable/common-principles.html#the-inheritance-principle).
    """
    for folder in image.path.parents:
        fitting = [table for table in tables.get(folder, []) if table.entities.items() <= image.entities.items()]
        if fitting:
            return max(fitting, key=lambda table: len(table.entities))
    return None


def read_table(path: Path) -> LabelSet:
    """Read a label table: TSV with the columns index and name, perhaps abbreviation and mapping.

    Tissues get the names that label sets share, by their name, their abbreviation, or the common label that they map
    to. Background, 0, is left out.

    Raises:
        OasisGanError: If it is no such table, or one value has two names.
        OSError: If it cannot be read.
    """
    expected, remedy = "a table of labels with the columns index and name", "mend it"
    if not path.is_file() or path.stat().st_size > _MAX_TABLE:
        raise OasisGanError(path, expected=expected, found="another kind of file", remedy=remedy)
    try:
        rows = list(csv.DictReader(io.StringIO(path.read_text("utf-8-sig"), newline=""), dialect="excel-tab"))
        named = [(int(row["index"]), _name(row)) for row in rows]
        labels = tuple(Label(value, name) for value, name in _distinct(named) if value != 0)
        return LabelSet(path.name, labels)
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise OasisGanError(path, expected=expected, found=f"{type(error).__name__}: {error}", remedy=remedy) from None


def _name(row: dict[str, str]) -> str:
    """Return the shared name of a tissue, or the table's own of anything else."""
    for said in (row["name"], row.get("abbreviation") or ""):
        common = _KNOWN.get(re.sub(r"[\W_]", "", said).casefold())
        if common is not None:
            return _NAMES[common]
    mapped = (row.get("mapping") or "").strip()
    return _NAMES.get(int(mapped), row["name"]) if mapped.isdecimal() else row["name"]


def _distinct(named: list[tuple[int, str]]) -> list[tuple[int, str]]:
    """Tell labels of one name apart by their values, so that none of them is taken for the other."""
    names = [name for _, name in named]
    return [(value, name if names.count(name) == 1 else f"{name} ({value})") for value, name in named]
