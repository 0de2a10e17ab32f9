"""Finding the name of an output: where an earlier run has put it, or one that belongs to nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from pathlib import Path

from ..errors import OasisGanError
from ..io.claims import Claim, claim
from .naming import Naming, fold_name
from .provenance import Record, differences, read_sidecar

MakeRecord = Callable[[], Record]
"""Returns what decides how an output looks. It reads the whole source, so it is called only where that matters."""
_REMEDY = "use `overwrite`, or another `out`"


@dataclass(frozen=True)
class OutputFiles:
    """The files that belong to one output, all of them in one folder.

    Args:
        volume: The output itself.
        suffix: How its name ends, with the dot; the other files have the same name but for that.
    """

    volume: Path
    suffix: str

    @property
    def folder(self) -> Path:
        """The folder of all of them."""
        return self.volume.parent

    @property
    def sidecar(self) -> Path:
        """The JSON file that says what made the output."""
        return self._beside(".json")

    @property
    def label_table(self) -> Path:
        """The table of what the values of a label map mean."""
        return self._beside(".tsv")

    def further_map(self, kind: str) -> Path:
        """Return another volume that the model makes beside the output, such as its ``uncertainty``."""
        return self._beside(f"_{kind}{self.suffix}")

    def _beside(self, ending: str) -> Path:
        stem = self.volume.name.removesuffix(self.suffix)
        return self.volume.with_name(f"{stem}{ending}")


@dataclass(frozen=True)
class Layout:
    """Where the files of a run go. Nothing else decides it.

    Args:
        root: The folder for all of them; it exists.
    """

    root: Path

    @property
    def ledger(self) -> Path:
        """The table of what became of each subject."""
        return self.root / "subjects.tsv"

    def locate(self, name: str, kind: str, suffix: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return where an output goes, and what is written beside it.

        Args:
            name: The name of the output, which carries that of its subject; see `oasis_gan.pipeline.naming`.
            kind: What the model calls its outputs, such as ``T1w``.
            suffix: How the names of files of the format end, with the dot.
            entities: Whose the subject is, see `Subject`. Here all outputs lie side by side, whosever they are.
        """
        return OutputFiles(self.root / f"{name}_synth{kind}{suffix}", suffix)


Locate = Callable[[str, Mapping[str, str]], OutputFiles]
"""Returns where the output of a name goes, given the entities of its subject."""


@dataclass(frozen=True)
class Place:
    """A name that an output takes.

    Args:
        name: The name.
        files: Where the output goes, and what is written beside it.
        claim: Keeps other runs away from it; None if the output is there already and nothing is to be done.
        replace: Whether files that are there give way.
        note: Why something is made again, if it is.
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


class Places:
    """The names of a run's outputs.

    Args:
        namings: The names that each subject may take.
        locate: Returns where the output of a name goes.
        overwrite: Whether outputs that are there are made again.
    """

    def __init__(self, namings: Sequence[Naming], locate: Locate, *, overwrite: bool) -> None:
        self._locate = locate
        self._overwrite = overwrite
        self._holders = {fold_name(naming.preferred): naming.tag for naming in namings}
        self._tags = {naming.tag for naming in namings}

    def find(self, naming: Naming, record: MakeRecord, *, wait: bool) -> Place | None:
        """Return the place of a subject's output.

        That is where an earlier run has put it, else its preferred name; where another subject's output has that, the
        next of its names that is free.

        Args:
            naming: The names that the output may take.
            record: Returns what decides how it looks.
            wait: Whether to wait for another run that is making it.

        Returns:
            The place; None if another run is making it and nobody waits.

        Raises:
            OasisGanError: If another file has the name.
            OSError: As the file system says.
        """
        for name in self._names(naming, record):
            if self._holders.get(fold_name(name), naming.tag) != naming.tag:
                continue
            files = self._locate(name, naming.entities)
            files.folder.mkdir(parents=True, exist_ok=True)
            held = claim(files.folder, files.volume.name, wait=wait)
            if held is None:
                return None
            try:
                place = self._decide(name, files, held, naming, record)
            except BaseException:
                held.release()
                raise
            if place is None or place.claim is None:
                held.release()
            if place is not None:
                self._holders[fold_name(name)] = naming.tag
                return place
        where = self._locate(naming.preferred, naming.entities).volume
        raise OasisGanError(
            where, expected="a free name", found="other subjects under all of them", remedy=_REMEDY
        )

    def _names(self, naming: Naming, record: MakeRecord) -> Iterator[str]:
        """Yield the names to try: first those under which an earlier run has put the output."""
        made = [name for name in naming.all if self._was_made_from(name, naming, record)]
        alternatives = [name for name in naming.alternatives if name != naming.preferred]
        yield from dict.fromkeys((*made, naming.preferred, *alternatives))

    def _was_made_from(self, name: str, naming: Naming, record: MakeRecord) -> bool:
        """Whether the output of that name is of the same source, and not of another subject with the same content."""
        files = self._locate(name, naming.entities)
        there = read_sidecar(files.sidecar, files.volume)
        if there is None or there.get("source") != record()["source"]:
            return False
        tag = there.get("tag")
        return tag == naming.tag or tag not in self._tags

    def _decide(
        self,
        name: str,
        files: OutputFiles,
        held: Claim,
        naming: Naming,
        record: MakeRecord,
    ) -> Place | None:
        """Return the place under a name, once it is claimed; None if it belongs to another subject."""
        there = read_sidecar(files.sidecar, files.volume)
        state = self._look(files, there, naming, record)
        if state is _State.FREE:
            return Place(name, files, held)
        if state is _State.ANOTHER_SUBJECT:
            return None
        if state is _State.INCOMPLETE:
            return Place(
                name,
                files,
                held,
                replace=True,
                note="made again: a run was killed before it was complete",
            )
        if self._overwrite:
            return Place(name, files, held, replace=True)
        different = ["provenance"] if there is None else differences(there, files.volume, record())
        if different:
            found = f"one with another {', '.join(different)}"
            raise OasisGanError(files.volume, expected="a free name", found=found, remedy=_REMEDY)
        return Place(name, files, None)

    def _look(
        self, files: OutputFiles, there: Record | None, naming: Naming, record: MakeRecord
    ) -> _State:
        """Return what there is under a name.

        Args:
            files: Where the output of that name goes.
            there: What its sidecar says, if it is one of ours.
            naming: The names that the output may take.
            record: Returns what decides how the output looks.
        """
        has_output = os.path.lexists(files.volume)
        if there is None:
            has_sidecar = os.path.lexists(files.sidecar)
            if has_sidecar:
                return _State.FOREIGN
            return _State.INCOMPLETE if has_output else _State.FREE
        if there.get("source") != record()["source"] and there.get("tag") != naming.tag:
            return _State.ANOTHER_SUBJECT
        return _State.OURS if has_output else _State.INCOMPLETE
