"""Find the further sources of subjects, where ``--source NAME=WHERE`` says that they are.

A reader finds them as it finds targets.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from ..checks.outputs import without_outputs
from ..errors import OasisGanError
from ..image.volume import Volume
from ..io.endings import has_suffix
from ..plugin.datasets import Dataset, Scan, Selection, Subject
from ..plugin.registry import Registry
from .choosing import SelectionOptions, list_valid_subjects, spell_as_on_disk
from .lines import log
from .opening import open_scan
from .source_errors import (
    FurtherSourceMissingError,
    FurtherSourceSearchError,
    NoSourcePlaceError,
    OneFileForSeveralError,
    RepeatedSourceError,
    SourceNotGivenError,
    UnknownSourceError,
)
from .source_option import NamedSource


def choose_sources(
    typed: Sequence[NamedSource], names: Sequence[str], owner: str
) -> dict[str, str]:
    """Return the place of each further source that a user names.

    Args:
        typed: What the user typed.
        names: The sources that there are, the first of which is SOURCE.
        owner: Whose sources they are, for errors.

    Raises:
        OasisGanError: If the name of a source is unknown or repeated, or there is nothing at a
            path.
    """
    for name, _ in typed:
        if name not in names[1:]:
            raise UnknownSourceError(name, names, owner)
    return collect_places(typed, owner, names)


def collect_places(
    typed: Sequence[NamedSource], owner: str = "", names: Sequence[str] = ()
) -> dict[str, str]:
    """Return the place of each further source that a user names, whatever its name.

    Args:
        typed: What the user typed.
        owner: Whose sources they are, for errors; empty if that is not known.
        names: The sources of the owner, the first of which is SOURCE.

    Raises:
        OasisGanError: If a name is repeated, or there is nothing at a path.
    """
    places: dict[str, str] = {}
    for name, where in typed:
        if name in places:
            raise RepeatedSourceError(name, places[name], where, owner, names)
        # A path that leads nowhere is refused now, and not when the first subject is read.
        _find_existing_path(where)
        places[name] = where
    return places


def require_sources(
    subjects: Sequence[Subject], names: Sequence[str], places: Collection[str], owner: str
) -> None:
    """Raise `OasisGanError` if no subject has one of the further sources: the user forgot it.

    Args:
        subjects: The subjects as they are listed.
        names: The sources that there are, the first of which is SOURCE.
        places: The names of the sources of which the user says where they are.
        owner: Whose sources they are.
    """
    for name in names[1:]:
        is_there = any(name in subject.further for subject in subjects)
        if name not in places and not is_there:
            raise SourceNotGivenError(name, names, owner)


@dataclass(frozen=True, kw_only=True)
class FurtherSources:
    """Finds the further sources of the subjects of a command.

    Args:
        registry: The installed plugins.
        places: Where each further source is, by name: a file, a folder, or the end of file names.
        dataset: The reader to ask for a file that no reader recognises.
    """

    registry: Registry
    places: Mapping[str, str]
    dataset: str | None = None

    @classmethod
    def of(
        cls, options: SelectionOptions, registry: Registry, places: Mapping[str, str]
    ) -> FurtherSources:
        """Return what finds the further sources of the subjects that a user chooses.

        Raises:
            OasisGanError: If one is a file, and SOURCE is more than one.
        """
        for name, where in places.items():
            file = _find_file(where)
            if file is not None and len(options.sources) > 1:
                raise OneFileForSeveralError(name, file)
        return cls(registry=registry, places=places, dataset=options.dataset)

    def join(
        self, subjects: Iterable[Subject], reader: Dataset, selection: Selection
    ) -> Iterator[Subject]:
        """Yield the subjects of a selection with their further sources.

        Where a subject lacks one, reading that source raises an error.

        Raises:
            OasisGanError: If there is one file for several subjects, or the reader cannot find
                targets in this way.
        """
        if not self.places:
            yield from subjects
            return
        # A search asks the reader once for all subjects.
        joined = list(subjects)
        for name, where in self.places.items():
            file = _find_file(where)
            if file is not None:
                joined = [self._join_file(joined, name, file, selection)]
            else:
                search = _Search(name, where, _find_existing_path(where), reader, selection)
                joined = list(search.join(joined))
        yield from joined

    def _join_file(
        self, subjects: Sequence[Subject], name: str, path: Path, selection: Selection
    ) -> Subject:
        """Return the one subject that a file belongs to, with that file as a further source."""
        if len(subjects) != 1:
            raise OneFileForSeveralError(name, path)
        scan = open_scan(
            self.registry,
            path,
            "image",
            dataset=self.dataset,
            spacing=selection.spacing,
            max_voxels=selection.max_voxels,
        )
        # A file that the user names is always used; this prints a warning if there is a reason.
        list(without_outputs([Subject(name, scan)], Selection(path), log))
        return _with_further(subjects[0], name, scan)


@dataclass(frozen=True)
class _Search:
    """Asks a reader for a further source as if it were the target.

    Args:
        name: The name of the source.
        where: What the user typed.
        folder: The folder of that name; None if ``where`` is the end of file names.
        reader: The reader of the subjects.
        selection: What that reader was asked for.
    """

    name: str
    where: str
    folder: Path | None
    reader: Dataset
    selection: Selection

    def join(self, subjects: Sequence[Subject]) -> Iterator[Subject]:
        """Yield subjects with what the reader finds for each of them."""
        found = self._find_scans()
        usable = {id(scan) for scan in self._select_usable(found.values())}
        for subject in subjects:
            source = subject.source.path
            scan = found.get((subject.name, source))
            if scan is None:
                error = FurtherSourceMissingError(source, self.name)
                scan = Scan.from_error(source, error)
            elif id(scan) not in usable:
                output = f"an output of oasis-gan, {scan.path.name}"
                error = FurtherSourceMissingError(source, self.name, output)
                scan = Scan.from_error(source, error)
            yield _with_further(subject, self.name, scan)

    def _find_scans(self) -> dict[tuple[str, Path], Scan]:
        """Return what the reader finds, by the name of the subject and the file of its source."""
        selection = self._select_as_target()
        try:
            # The reader lists the same subjects as before: what is broken has been reported.
            subjects = list(list_valid_subjects(self.reader, selection, []))
        except OasisGanError as error:
            # The user asked for a source, so a message must not speak of targets.
            if "`target_" not in str(error):
                raise
            raise FurtherSourceSearchError(error, self.name) from error
        targets = {(subject.name, subject.source.path): subject.target for subject in subjects}
        return {
            (name, source): scan
            for (name, source), scan in targets.items()
            if scan is not None and self._is_there(scan, source)
        }

    def _select_as_target(self) -> Selection:
        if self.folder is None:
            return replace(self.selection, target_root=None, target_suffix=self.where)
        in_folder = replace(self.selection, target_root=self.folder, target_suffix="")
        return spell_as_on_disk(in_folder)

    def _select_usable(self, scans: Iterable[Scan]) -> list[Scan]:
        """Return the scans that are not outputs of this tool, or all if nothing else is there."""
        selection = Selection(
            root=self.folder or self.selection.root,
            source_suffix="" if self.folder else self.where,
        )
        subjects = [Subject("", scan) for scan in scans]
        return [subject.source for subject in without_outputs(subjects, selection, log)]

    def _is_there(self, scan: Scan, source: Path) -> bool:
        """Tell whether a scan is where the user says.

        The reader of a table of pairs finds the targets of the table, whatever it is asked for.
        """
        # A zip file holds the scans of all subjects.
        if scan.path == source:
            return True
        if self.folder is None:
            return has_suffix(scan.path.name, self.where)
        # The folder may be named through a link, and so may the scan.
        as_named = scan.path.absolute().is_relative_to(self.folder.absolute())
        return as_named or scan.path.resolve().is_relative_to(self.folder.resolve())


@dataclass(frozen=True)
class _FurtherReader:
    """Reads a further source; if that is missing, the error does not speak of a target.

    Args:
        reader: Reads the file.
        name: The name of the further source.
        source: The file beside which it should be.
    """

    reader: Callable[[Path], Volume]
    name: str
    source: Path

    def __call__(self, path: Path) -> Volume:
        """Read the file."""
        try:
            return self.reader(path)
        except FileNotFoundError as error:
            raise FurtherSourceMissingError(self.source, self.name) from error
        except OasisGanError as error:
            speaks_of_target = "`target_suffix`" in error.remedy
            # If the file exists, the error of its reader says what is wrong with it.
            if os.path.lexists(path) and not speaks_of_target:
                raise
            found = "none" if error.found == "no such file" else error.found
            remedy = error.remedy if "`source_suffix`" in error.remedy else ""
            raise FurtherSourceMissingError(self.source, self.name, found, remedy) from error


def _with_further(subject: Subject, name: str, scan: Scan) -> Subject:
    reader = _FurtherReader(scan.reader, name, subject.source.path)
    further = {**subject.further, name: replace(scan, reader=reader)}
    return replace(subject, further=further)


def _find_file(where: str) -> Path | None:
    """Return the file that a user names; None for a folder, and for the end of file names."""
    path = _find_existing_path(where)
    return None if path is None or path.is_dir() else path


def _find_existing_path(where: str) -> Path | None:
    """Return the file or folder that a user names; None if it is the end of file names.

    Raises:
        OasisGanError: If there is no such file or folder, and it cannot be the end of a name.
    """
    path = Path(where)
    if path.exists():
        return path
    if os.path.lexists(path) or os.sep in where:
        raise NoSourcePlaceError(where)
    return None
