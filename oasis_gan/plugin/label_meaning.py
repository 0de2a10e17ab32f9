"""Find out what the values of a label map mean, from its name and the files around it.

Evidence is used in this order: a table made for the file (``<same name>.tsv``, a ``dseg.tsv`` that
applies to it in BIDS, a colour table of FreeSurfer's form with the name of the file), the name of
the file, a colour table in its folder, and its place in a BIDS dataset.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from ..errors import OasisGanError
from ..image.label_advice import ADVICE, LabelAdvice
from ..image.label_sets import BIDS
from ..image.labels import LabelSet
from ..image.volume import Volume
from ..io.label_doubt import require_bids_anatomy
from ..io.label_names import (
    entities_of,
    find_label_set_by_name,
    is_dseg,
    is_image,
    looks_like_label_map,
    names_neurite_seg24,
    stem_of,
)
from ..io.label_tables import has_label_columns, is_colour_table, read_label_table
from .datasets import Scan
from .errors import SeveralColourTablesError, UnpublishedLabelSetError

DESCRIPTION = "dataset_description.json"
_COLOURS = "FreeSurferColorLUT.txt"
_COLOUR_ENDINGS = (".lut", ".ctab", "_LUT.txt", ".LUT.txt", "LUT.txt", ".txt")
_DSEG_TABLE = re.compile(r"((?:[a-zA-Z]+-[a-zA-Z0-9+]+_)*)dseg\.tsv")
_IN_BIDS = re.compile(r"sub-.+|ses-.+|sess-.+|anat\d*|func\d*|dwi\d*|fmap\d*|perf|pet|mri|seg")
_DEEPEST = 9  # folders above a file that may hold the description of its dataset
_NOT_BIDS = {"sourcedata", "code"}
_WITHOUT_TABLE = (
    "no *_dseg.tsv says what the labels mean: taken for those common in BIDS, 1 GM, 2 WM, 3 CSF"
)


def find_label_set(path: Path) -> LabelSet | None:
    """Return what the values of a label map mean, or None if nothing beside it says so.

    Args:
        path: The path of the volume, which is not opened.

    Raises:
        OasisGanError: If a table that applies to it cannot be used.
    """
    return LabelSetFinder().find(path)


def _list_places(path: Path) -> list[Path]:
    """Return the path of a file and, if that is a link, the path that it leads to."""
    # Not Path.resolve, which follows links.
    named = Path(os.path.abspath(path))  # noqa: PTH100
    real = Path(os.path.realpath(path))
    return [named] if real == named else [named, real]


@dataclass(frozen=True)
class _Refusing:
    """A reader that raises why the labels of a scan are unknown; it keeps the real reader."""

    reader: Callable[[Path], Volume]
    error: Exception

    def __call__(self, path: Path) -> Volume:
        raise self.error


@dataclass(frozen=True)
class _CommonBids:
    """A reader of a ``dseg`` without a table, whose labels are assumed to be those common in BIDS.

    It adds a note, and refuses a map in which the positions of the tissues are impossible.
    """

    reader: Callable[[Path], Volume]
    advice: LabelAdvice

    def __call__(self, path: Path) -> Volume:
        volume = self.reader(path)
        require_bids_anatomy(volume, path, self.advice)
        return replace(volume, notes=(*volume.notes, _WITHOUT_TABLE))


@dataclass(frozen=True, eq=False)
class LabelSetFinder:
    """Finds label sets and caches folders and tables; make a new one for each run, as files change.

    Args:
        advice: How a user can say what values mean, for errors.
    """

    advice: LabelAdvice = ADVICE
    _names: dict[Path, frozenset[str]] = field(default_factory=dict)
    _tables: dict[Path, LabelSet | Exception] = field(default_factory=dict)
    _dseg: dict[Path, list[tuple[str, Mapping[str, str]]]] = field(default_factory=dict)
    _colours: dict[Path, list[Path]] = field(default_factory=dict)

    def find(self, path: Path) -> LabelSet | None:
        """Return what the values of a label map mean; see `find_label_set`."""
        found = self._find_by_evidence(path)
        if found is None and self._is_common_bids(path):
            return BIDS
        return found

    def describe(
        self,
        scan: Scan,
        *,
        explicit: LabelSet | None = None,
        default: LabelSet | None = None,
    ) -> Scan:
        """Return a copy of a scan with its label set, if that can be found.

        A broken table raises its error when the scan is read.

        Args:
            scan: The scan of any file.
            explicit: The label set that the user names; it overrides everything else.
            default: The label set of a ``dseg`` without a table, as in a dataset known to be BIDS.
        """
        scan = replace(scan, advice=self.advice)
        if explicit is not None:
            reader = scan.reader
            # What was found or assumed before no longer matters.
            if isinstance(reader, (_Refusing, _CommonBids)):
                reader = reader.reader
            return replace(scan, labels=explicit, reader=reader)
        if scan.labels is not None or isinstance(scan.reader, _Refusing):
            return scan
        try:
            found = self._find_by_evidence(scan.path)
        except (OasisGanError, OSError) as error:
            return replace(scan, reader=_Refusing(scan.reader, error))
        if found is not None:
            return replace(scan, labels=found)
        has_default = default is not None and is_dseg(stem_of(scan.path))
        if has_default or self._is_common_bids(scan.path):
            reader = _CommonBids(scan.reader, self.advice)
            return replace(scan, labels=default or BIDS, reader=reader)
        return scan

    def _find_by_evidence(self, path: Path) -> LabelSet | None:
        """Return what tables and the file name say, at the path and where a link leads."""
        for place in _list_places(path):
            if is_image(stem_of(place)):
                return None
            found = self._find_beside(place, path)
            if found is not None:
                return found
        return None

    def _find_beside(self, path: Path, where: Path) -> LabelSet | None:
        """Return the label set that files beside ``path`` give; errors are about ``where``."""
        table = self._find_own_table(path) or self._find_bids_table(path)
        if table is not None:
            return self._read(table)
        if names_neurite_seg24(path):
            raise UnpublishedLabelSetError(where, self.advice.option)
        named = find_label_set_by_name(path)
        if named is not None:
            return named
        colours = self._find_colour_table(path, where)
        return self._read(colours) if colours is not None else None

    def _find_own_table(self, path: Path) -> Path | None:
        """Return the table that has the file's own name."""
        names = self._list(path.parent)
        stem = stem_of(path)
        if f"{stem}.tsv" in names:
            table = path.with_name(f"{stem}.tsv")
            if is_dseg(stem) or has_label_columns(table):
                return table
        for ending in _COLOUR_ENDINGS:
            table = path.with_name(f"{stem}{ending}")
            if table.name in names and is_colour_table(table):
                return table
        return None

    def _find_bids_table(self, path: Path) -> Path | None:
        """Return the ``dseg.tsv`` that applies to a ``dseg`` by inheritance.

        It lies in the same folder or above, and its name has no entity that the name of the file
        lacks. The nearest one applies, and within a folder the one that shares the most entities
        (https://bids-specification.readthedocs.io/en/stable/common-principles.html#the-inheritance-principle).
        """
        stem = stem_of(path)
        if not is_dseg(stem):
            return None
        entities = entities_of(stem).items()
        for folder in self._list_dataset_folders(path):
            applicable = []
            for name, table_entities in self._list_dseg_tables(folder):
                if table_entities.items() <= entities:
                    applicable.append((len(table_entities), name))
            if applicable:
                _, most_specific = max(applicable)
                return folder / most_specific
        return None

    def _list_dseg_tables(self, folder: Path) -> list[tuple[str, Mapping[str, str]]]:
        """Return the label tables of a folder, and the entities of their names."""
        if folder not in self._dseg:
            tables = []
            for name in self._list(folder):
                match = _DSEG_TABLE.fullmatch(name)
                if match is not None:
                    tables.append((name, entities_of(match[1])))
            self._dseg[folder] = tables
        return self._dseg[folder]

    def _find_colour_table(self, path: Path, where: Path) -> Path | None:
        """Return the colour table of a folder: the only one, or that of FreeSurfer by its name."""
        if not looks_like_label_map(stem_of(path)):
            return None
        tables = self._list_colour_tables(path.parent)
        if len(tables) > 1:
            names = [table.name for table in tables]
            raise SeveralColourTablesError(where, names, self.advice.option)
        return tables[0] if tables else None

    def _list_colour_tables(self, folder: Path) -> list[Path]:
        if folder not in self._colours:
            self._colours[folder] = self._find_colour_tables(folder)
        return self._colours[folder]

    def _find_colour_tables(self, folder: Path) -> list[Path]:
        names = self._list(folder)
        if _COLOURS in names:
            return [folder / _COLOURS]
        tables = []
        for name in sorted(names):
            table = folder / name
            # Only files of this name are opened: a folder may hold thousands of others.
            if name.casefold().endswith("lut.txt") and is_colour_table(table):
                tables.append(table)
        return tables

    def _is_common_bids(self, path: Path) -> bool:
        """Tell whether a file is a ``dseg`` in a BIDS dataset."""
        return any(self._lies_in_bids(place) for place in _list_places(path))

    def _lies_in_bids(self, path: Path) -> bool:
        if not is_dseg(stem_of(path)):
            return False
        return any(self._describes(folder, path) for folder in path.parents[:_DEEPEST])

    def _list_dataset_folders(self, path: Path) -> Iterator[Path]:
        """Yield the folders above a file that may belong to its dataset, the nearest first.

        The last is the outermost folder with a description, because a derivative inside a dataset
        inherits from that too. Without a description, the last is the first whose name is not BIDS.
        """
        folders = path.parents[:_DEEPEST]
        described = [index for index, folder in enumerate(folders) if self._describes(folder, path)]
        if described:
            yield from folders[: max(described) + 1]
            return
        for folder in folders:
            yield folder
            if not _IN_BIDS.fullmatch(folder.name):
                return

    def _describes(self, folder: Path, path: Path) -> bool:
        """Tell whether a folder is a BIDS dataset, and a file is in the part that follows BIDS."""
        within = path.relative_to(folder).parts
        return DESCRIPTION in self._list(folder) and within[0] not in _NOT_BIDS

    def _list(self, folder: Path) -> frozenset[str]:
        if folder not in self._names:
            try:
                names = frozenset(entry.name for entry in folder.iterdir())
            except OSError:
                # A folder above the data that may not be listed says nothing about them.
                names = frozenset()
            self._names[folder] = names
        return self._names[folder]

    def _read(self, table: Path) -> LabelSet:
        if table not in self._tables:
            try:
                self._tables[table] = read_label_table(table)
            except (OasisGanError, OSError) as error:
                self._tables[table] = error
        found = self._tables[table]
        if isinstance(found, Exception):
            raise found
        return found
