"""The further sources of subjects: found by the readers that find targets, as ``--source NAME=WHERE`` says."""

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
from .choosing import SelectionOptions, sound_subjects, spelt_as_on_disk
from .lines import say
from .opening import open_scan
from .source_option import NamedSource

FLAG = "--source"


def choose_sources(
    typed: Sequence[NamedSource], names: Sequence[str], owner: str
) -> dict[str, str]:
    """Return where each further source is that a user names.

    Args:
        typed: What the user typed.
        names: The sources that there are, the first of which is SOURCE.
        owner: Whose sources they are, for errors.

    Raises:
        OasisGanError: If one is not among the further sources, or is named twice, or there is nothing at a path.
    """
    expected = f"a further source of {owner}, which takes {_listed(names)}"
    for name, _ in typed:
        if name == names[0]:
            raise OasisGanError(
                FLAG, expected=expected, found=f"{name}, which is SOURCE", remedy="leave it out"
            )
        if name not in names:
            raise OasisGanError(FLAG, expected=expected, found=name, remedy="name one of these")
    return require_distinct(typed, f" of {owner}, which takes {_listed(names)}")


def require_distinct(typed: Sequence[NamedSource], of: str = "") -> dict[str, str]:
    """Return where each further source is that a user names.

    Raises:
        OasisGanError: If one is named twice, or there is nothing at a path.
    """
    places: dict[str, str] = {}
    for name, where in typed:
        if name in places:
            found = f"{places[name]} and {where}"
            raise OasisGanError(
                FLAG, expected=f"one place for the {name}{of}", found=found, remedy="give it once"
            )
        _existing_path(where)
        places[name] = where
    return places


def require_all(
    subjects: Sequence[Subject], names: Sequence[str], places: Collection[str], owner: str
) -> None:
    """Raise `OasisGanError` if no subject has one of the further sources: a user has not said where they are.

    Args:
        subjects: As they are listed.
        names: The sources that there are, the first of which is SOURCE.
        places: The names of those of which the user has said it.
        owner: Whose sources they are.
    """
    for name in names[1:]:
        if name not in places and not any(name in subject.further for subject in subjects):
            expected = f"{name}=WHERE for {owner}, which takes {_listed(names)}"
            raise OasisGanError(FLAG, expected=expected, found="none", remedy=_where_to_say(name))


@dataclass(frozen=True, kw_only=True)
class FurtherSources:
    """Finds the further sources of the subjects of a command.

    Args:
        registry: The installed plugins.
        places: Where each further source is, by name: a file, a folder, or the end of file names.
        dataset: The reader to ask for a file that none recognises.
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
            path = _existing_path(where)
            if path is not None and not path.is_dir() and len(options.sources) > 1:
                raise _one_file_for_several(name, path)
        return cls(registry=registry, places=places, dataset=options.dataset)

    def join(
        self, subjects: Iterable[Subject], reader: Dataset, selection: Selection
    ) -> Iterator[Subject]:
        """Yield the subjects of a selection with their further sources.

        Where a subject lacks one, reading that says so.

        Raises:
            OasisGanError: If there is a file where there should be one for each of several subjects, or a reader has
                no such choice.
        """
        if not self.places:
            yield from subjects
            return
        listed = list(subjects)
        for name, where in self.places.items():
            path = _existing_path(where)
            if path is not None and not path.is_dir():
                listed = [self._with_file(listed, name, path, selection)]
            else:
                listed = list(_with_found(listed, _Search(name, where, path, reader, selection)))
        yield from listed

    def _with_file(
        self, subjects: Sequence[Subject], name: str, path: Path, selection: Selection
    ) -> Subject:
        """Return the one subject that a file belongs to, with it."""
        if len(subjects) != 1:
            raise _one_file_for_several(name, path)
        (subject,) = subjects
        scan = open_scan(
            self.registry,
            path,
            "image",
            dataset=self.dataset,
            spacing=selection.spacing,
            max_voxels=selection.max_voxels,
        )
        # A file that is named is used whatever it is; what there is to say of it is said.
        list(without_outputs([Subject(name, scan)], Selection(path), say))
        return _with_scan(subject, name, scan)


@dataclass(frozen=True)
class _Search:
    """How a reader is asked for one of the further sources: as if it were the target.

    Args:
        name: The name of the source.
        where: What the user typed.
        folder: The folder of that name; None if ``where`` is the end of file names.
        reader: The reader of the subjects.
        selection: What was asked of it.
    """

    name: str
    where: str
    folder: Path | None
    reader: Dataset
    selection: Selection

    def find(self) -> dict[tuple[str, Path], Scan]:
        """Return what the reader finds, by the name of the subject and the file of its source."""
        if self.folder is None:
            asked = replace(self.selection, target_root=None, target_suffix=self.where)
        else:
            asked = spelt_as_on_disk(
                replace(self.selection, target_root=self.folder, target_suffix="")
            )
        try:
            listed = list(sound_subjects(self.reader, asked, []))
        except OasisGanError as error:
            if "`target_" not in str(error):
                raise
            raise self._in_own_words(error) from error
        found = {(one.name, one.source.path): one.target for one in listed}
        return {
            key: scan
            for key, scan in found.items()
            if scan is not None and self._is_there(scan, key[1])
        }

    def usable(self, scans: Iterable[Scan]) -> list[Scan]:
        """Return those of the scans that are no outputs of this tool, unless nothing else is named so."""
        root = self.folder or self.selection.root
        asked = Selection(root, source_suffix="" if self.folder else self.where)
        return [
            one.source for one in without_outputs([Subject("", scan) for scan in scans], asked, say)
        ]

    def _is_there(self, scan: Scan, source: Path) -> bool:
        """Whether a scan is where the user said: a table of pairs names its targets whatever is asked for."""
        # A zip holds all of them.
        if scan.path == source:
            return True
        if self.folder is None:
            return has_suffix(scan.path.name, self.where)
        as_named = scan.path.absolute().is_relative_to(self.folder.absolute())
        return as_named or scan.path.resolve().is_relative_to(self.folder.resolve())

    def _in_own_words(self, error: OasisGanError) -> OasisGanError:
        """Return an error about targets as one about this source."""
        where = (
            f"{FLAG} {self.name}"
            if error.where in ("`target_root`", "`target_suffix`")
            else error.where
        )
        expected = error.expected.replace("targets", self.name)
        remedy = error.remedy.replace("`target_suffix`", f"{FLAG} {self.name}=ENDING")
        remedy = remedy.replace("`target_root`", f"{FLAG} {self.name}=DIR")
        return OasisGanError(where, expected=expected, found=error.found, remedy=remedy)


@dataclass(frozen=True)
class _ReaderBeside:
    """A reader of a further source; one that is not there is missed as such, and not as a target.

    Args:
        reader: Reads the file.
        name: The name of the source.
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
            raise _missing(self.source, self.name) from error
        except OasisGanError as error:
            if "`target_suffix`" in error.remedy or not os.path.lexists(path):
                found = "none" if error.found == "no such file" else error.found
                remedy = error.remedy if "`source_suffix`" in error.remedy else ""
                raise _missing(self.source, self.name, found, remedy) from error
            raise


def _with_found(subjects: Sequence[Subject], search: _Search) -> Iterator[Subject]:
    """Yield subjects with what a search finds for each of them."""
    found = search.find()
    usable = {id(scan) for scan in search.usable(found.values())}
    for subject in subjects:
        scan = found.get((subject.name, subject.source.path))
        if scan is not None and id(scan) in usable:
            yield _with_scan(subject, search.name, scan)
            continue
        there = "none" if scan is None else f"an output of oasis-gan, {scan.path.name}"
        source = subject.source.path
        yield _with_scan(
            subject, search.name, Scan.refused(source, _missing(source, search.name, there))
        )


def _with_scan(subject: Subject, name: str, scan: Scan) -> Subject:
    beside = replace(scan, reader=_ReaderBeside(scan.reader, name, subject.source.path))
    return replace(subject, further={**subject.further, name: beside})


def _missing(source: Path, name: str, found: str = "none", remedy: str = "") -> OasisGanError:
    remedy = remedy or _where_to_say(name)
    return OasisGanError(source, expected=f"a {name} beside it", found=found, remedy=remedy)


def _one_file_for_several(name: str, path: Path) -> OasisGanError:
    expected = f"a {name} for each of several subjects"
    remedy = "name a folder, or the end of file names"
    return OasisGanError(FLAG, expected=expected, found=f"one file, {path}", remedy=remedy)


def _where_to_say(name: str) -> str:
    return f"say where it is with {FLAG} {name}=WHERE: a file, a folder, or how its file name ends"


def _existing_path(where: str) -> Path | None:
    """Return the file or folder that a user names; None if it is the end of file names.

    Raises:
        OasisGanError: If there is no such file or folder, and it cannot be the end of a name.
    """
    path = Path(where)
    if path.exists():
        return path
    if os.path.lexists(path) or os.sep in where:
        expected = "a file, a folder, or the end of file names"
        raise OasisGanError(
            f"{FLAG} {where}",
            expected=expected,
            found="no such file or folder",
            remedy="check the path",
        )
    return None


def _listed(names: Sequence[str]) -> str:
    first, *others = names
    return " and ".join([f"{first} (SOURCE)", *others]) if others else f"{first} (SOURCE) alone"
