"""Find a name for an output: that from an earlier run, or one that no other subject has."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from ..image.volume import Volume
from ..io.claims import Claim, claim
from ..io.marks import is_marked
from ..plugin.datasets import Subject
from ..plugin.models import UNCERTAINTY
from .errors import DifferentOutputError, NoFreeNameError
from .further_maps import is_map_of
from .naming import Naming, fold_name
from .provenance import Record, find_differences, lacks_parts, read_sidecar

MakeRecord = Callable[[], Record]
"""Returns everything that an output depends on; see `make_record`.

It reads the whole source, so that it is called only if necessary.
"""
_MAP_SUFFIXES = {UNCERTAINTY: "stdmap"}


@dataclass(frozen=True)
class OutputFiles:
    """The files that belong to one output, all of them in one folder.

    Args:
        volume: The output itself.
        suffix: The ending of its name, with the dot; the other files differ only in that.
        has_description: Whether the entity ``desc`` in its name already says that it is an output.
    """

    volume: Path
    suffix: str
    has_description: bool = False

    @property
    def folder(self) -> Path:
        """The folder that holds all of these files."""
        return self.volume.parent

    @property
    def sidecar(self) -> Path:
        """The JSON file that records how the output was made."""
        return self.folder / f"{self._stem}.json"

    @property
    def all(self) -> tuple[Path, ...]:
        """The volume and the files that this tool may write beside it, whether they exist or not.

        Pictures and further maps of a plugin's own are not among them.
        """
        return (
            self.volume,
            self.sidecar,
            self.label_table,
            self.further_map(UNCERTAINTY),
            self.map_sidecar(UNCERTAINTY),
        )

    @property
    def label_table(self) -> Path:
        """The table that says what the values of a label map mean."""
        return self.folder / f"{self._stem}.tsv"

    @property
    def preview(self) -> Path:
        """The picture that shows the output."""
        return self.folder / f"{self._stem}.png"

    @property
    def page(self) -> Path:
        """The page that reports on the output."""
        return self.folder / f"{self._stem}.html"

    def further_map(self, kind: str) -> Path:
        """Return another volume that the model makes beside the output, such as ``uncertainty``.

        Its name follows BIDS: what the output is becomes the entity ``desc``, and the suffix says
        what the map is, as in ``T1map``. No output ends so, hence no map has the name of another
        subject's output.
        """
        return self.folder / f"{self._name_map(kind)}{self.suffix}"

    def map_sidecar(self, kind: str) -> Path:
        """Return the JSON file that says what a further map is."""
        return self.folder / f"{self._name_map(kind)}.json"

    @property
    def _stem(self) -> str:
        """The name of the output without its ending."""
        return self.volume.name.removesuffix(self.suffix)

    def _name_map(self, kind: str) -> str:
        """Return the name of a further map without its ending."""
        subject, underscore, output = self._stem.rpartition("_")
        suffix = _MAP_SUFFIXES.get(kind, f"{kind}map")
        if self.has_description:
            return f"{subject}_{suffix}"
        return f"{subject}{underscore}desc-{output}_{suffix}"


@dataclass(frozen=True)
class Layout:
    """Decides where the files of a run go.

    Args:
        root: The folder for all files; it exists.
    """

    root: Path

    @property
    def ledger(self) -> Path:
        """The table that lists the outcome of each subject."""
        return self.root / "subjects.tsv"

    def locate(self, name: str, kind: str, suffix: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return the files of an output.

        Args:
            name: The name of the output, which contains that of its subject; see
                `oasis_gan.pipeline.naming`.
            kind: What the model calls its outputs, such as ``T1w``.
            suffix: The ending of files of the format, with the dot.
            entities: The entities of the subject, see `Subject`. This layout puts all outputs into
                one folder, whatever their entities are.
        """
        volume = self.root / f"{name}_synth{kind}{suffix}"
        return OutputFiles(volume, suffix)

    def describe(self, subject: Subject, volume: Volume, content: str) -> Mapping[str, object]:
        """Return what the sidecar of an output says besides how the output was made.

        Args:
            subject: The subject that it was made from.
            volume: The output.
            content: Whether it holds labels or an image.
        """
        return {}


Locate = Callable[[str, Mapping[str, str]], OutputFiles]
"""Returns the files of an output, given its name and the entities of its subject."""


@dataclass(frozen=True)
class Place:
    """A name that an output takes.

    Args:
        name: The name.
        files: The files of the output.
        claim: Keeps other runs away from the name; None if the output is complete already.
        replace: Whether existing files are replaced.
        note: Why the output is made again, if it is.
    """

    name: str
    files: OutputFiles
    claim: Claim | None
    replace: bool = False
    note: str = ""


class _State(Enum):
    """What there is under a name."""

    FREE = auto()
    INCOMPLETE = auto()
    OURS = auto()
    ANOTHER_SUBJECT = auto()
    FOREIGN = auto()


class Reservations:
    """The names that the subjects of a run have, so that no other subject takes them.

    Args:
        namings: The names that each subject may take.
    """

    def __init__(self, namings: Sequence[Naming]) -> None:
        self._tags = {naming.tag for naming in namings}
        self._holders: dict[str, str] = {}
        # All preferred names come first, so that none is taken as an alternative name before.
        for naming in namings:
            self.hold(naming.preferred, naming)

    def hold(self, name: str, naming: Naming) -> None:
        """Keep a name for a subject."""
        self._holders[fold_name(name)] = naming.tag

    def may_take(self, name: str, naming: Naming) -> bool:
        """Tell whether no other subject of the run has a name."""
        return self._holders.get(fold_name(name), naming.tag) == naming.tag

    def has_subject(self, tag: object) -> bool:
        """Tell whether a subject of the run has a tag."""
        return tag in self._tags


class Places:
    """Choose the names of the outputs of a run.

    Args:
        reservations: The names that the subjects of the run have.
        locate: Returns the files of an output.
        overwrite: Whether existing outputs are made again.
        update: Whether outputs are made again if they were made in another way.
    """

    def __init__(
        self,
        reservations: Reservations,
        locate: Locate,
        *,
        overwrite: bool,
        update: bool = False,
    ) -> None:
        self._locate = locate
        self._overwrite = overwrite
        self._update = update
        self._reservations = reservations

    def find(self, naming: Naming, record: MakeRecord, *, wait: bool) -> Place | None:
        """Return the place of a subject's output.

        It is where an earlier run has put the output, or else under its preferred name. If another
        subject's output has that name, it is the next name that is free.

        Args:
            naming: The names that the output may take.
            record: Returns everything that the output depends on.
            wait: Whether to wait for another run that is making the output.

        Returns:
            The place, or None if another run is making the output and ``wait`` is not set.

        Raises:
            OasisGanError: If another file has the name.
            OSError: If the file system fails.
        """
        for name in self._list_names(naming, record):
            if not self._reservations.may_take(name, naming):
                continue
            files = self._locate(name, naming.entities)
            files.folder.mkdir(parents=True, exist_ok=True)
            held = claim(files.folder, files.volume.name, wait=wait)
            if held is None:
                return None
            place = self._decide_or_release(name, files, held, naming, record)
            if place is not None:
                self._reservations.hold(name, naming)
                return place
        preferred = self._locate(naming.preferred, naming.entities)
        raise NoFreeNameError(preferred.volume)

    def _list_names(self, naming: Naming, record: MakeRecord) -> Iterator[str]:
        """Yield the names to try: first those under which an earlier run has put the output."""
        made = [name for name in naming.all if self._was_made_from(name, naming, record)]
        yield from dict.fromkeys((*made, naming.preferred, *naming.alternatives))

    def _was_made_from(self, name: str, naming: Naming, record: MakeRecord) -> bool:
        """Tell whether an earlier run made the output of that name from the subject's source."""
        files = self._locate(name, naming.entities)
        sidecar = read_sidecar(files.sidecar, files.volume)
        if sidecar is None or sidecar.get("source") != record()["source"]:
            return False
        # Another subject of this run may have the same content.
        tag = sidecar.get("tag")
        return tag == naming.tag or not self._reservations.has_subject(tag)

    def _decide_or_release(
        self,
        name: str,
        files: OutputFiles,
        held: Claim,
        naming: Naming,
        record: MakeRecord,
    ) -> Place | None:
        """Return what `_decide` returns, and release the claim unless the place keeps it."""
        try:
            place = self._decide(name, files, held, naming, record)
        # Also after an interruption: other runs would go on waiting for the name.
        except BaseException:
            held.release()
            raise
        if place is None or place.claim is None:
            held.release()
        return place

    def _decide(
        self,
        name: str,
        files: OutputFiles,
        held: Claim,
        naming: Naming,
        record: MakeRecord,
    ) -> Place | None:
        """Return the place under a claimed name, or None if another subject has the name."""
        sidecar = read_sidecar(files.sidecar, files.volume)
        state = _find_state(files, sidecar, naming, record)
        if state is _State.FREE:
            return Place(name, files, held)
        if state is _State.ANOTHER_SUBJECT:
            return None
        if state is _State.INCOMPLETE:
            note = "made again: a run was killed before it was complete"
            return Place(name, files, held, replace=True, note=note)
        if self._overwrite:
            return Place(name, files, held, replace=True)
        # A file that this tool did not make is replaced only if the user asks for just that.
        if sidecar is None:
            raise DifferentOutputError(files.volume, ["provenance"])
        differences = find_differences(sidecar, files.volume, record())
        if not differences:
            return Place(name, files, claim=None)
        if not self._update:
            raise DifferentOutputError(files.volume, differences)
        note = f"made again: the output had another {', '.join(differences)}"
        return Place(name, files, held, replace=True, note=note)


def _find_state(
    files: OutputFiles, sidecar: Record | None, naming: Naming, record: MakeRecord
) -> _State:
    """Return the state of the files under a name.

    Args:
        files: The files of an output of that name.
        sidecar: The content of the sidecar, if this tool has written it.
        naming: The names that the output may take.
        record: Returns everything that the output depends on.
    """
    if sidecar is None:
        return _find_state_without_sidecar(files)
    is_same_source = sidecar.get("source") == record()["source"]
    is_same_subject = sidecar.get("tag") == naming.tag
    if not is_same_source and not is_same_subject:
        return _State.ANOTHER_SUBJECT
    has_output = os.path.lexists(files.volume)
    is_whole = has_output and not lacks_parts(sidecar, files.folder)
    return _State.OURS if is_whole else _State.INCOMPLETE


def _find_state_without_sidecar(files: OutputFiles) -> _State:
    """Return the state of the files under a name that has no sidecar of this tool."""
    # A JSON file that this tool did not write is replaced only if the user says so.
    if os.path.lexists(files.sidecar):
        return _State.FOREIGN
    is_begun = os.path.lexists(files.volume) or _has_map_alone(files)
    return _State.INCOMPLETE if is_begun else _State.FREE


def _has_map_alone(files: OutputFiles) -> bool:
    """Tell whether a run was killed after it had named the map of the uncertainty.

    The output itself is named after it.
    """
    return is_map_of(files.map_sidecar(UNCERTAINTY), files.volume)


def remove_old_pictures(files: OutputFiles) -> None:
    """Remove the preview and the page of an output that is replaced: they show the old one."""
    for path in (files.preview, files.page):
        if is_marked(path):
            path.unlink()


def remove_old_map(files: OutputFiles, work: Path) -> None:
    """Remove the map of the uncertainty of an output that is replaced by one without a map.

    This comes before the replacement: if a run is killed here, an output that has lost its map is
    made again.

    Args:
        files: The output.
        work: The folder with the files that replace it.
    """
    sidecar = files.map_sidecar(UNCERTAINTY)
    is_replaced = (work / sidecar.name).exists()
    if not is_replaced and is_map_of(sidecar, files.volume):
        files.further_map(UNCERTAINTY).unlink(missing_ok=True)
        sidecar.unlink()
