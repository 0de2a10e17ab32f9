"""Finding the name of an output: where an earlier run has put it, or one that belongs to nobody else."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
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
class Layout:
    """How outputs are called in their folder.

    Args:
        folder: The folder.
        ending: What follows the name of a subject.
        suffix: How the names of the files end, with the dot; part of ``ending``.
        overwrite: Whether outputs that are there are made again.
    """

    folder: Path
    ending: str
    suffix: str
    overwrite: bool

    def output(self, name: str) -> Path:
        """Return the output file of the subject that has this output name."""
        return self.folder / f"{name}{self.ending}"

    def sidecar(self, name: str) -> Path:
        """Return the JSON file beside it."""
        return self.companion(name, ".json")

    def companion(self, name: str, ending: str) -> Path:
        """Return a file beside it that has the same name but for the ending, such as ``.tsv``."""
        return self.folder / (self.output(name).name.removesuffix(self.suffix) + ending)


@dataclass(frozen=True)
class Place:
    """A name that an output takes.

    Args:
        name: The name.
        claim: Keeps other runs away from it; None if the output is there already and nothing is to be done.
        replace: Whether files that are there give way.
        note: Why something is made again, if it is.
    """

    name: str
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
        layout: How outputs are called in their folder.
    """

    def __init__(self, namings: Sequence[Naming], layout: Layout) -> None:
        self._layout = layout
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
            held = claim(self._layout.folder, self._layout.output(name).name, wait=wait)
            if held is None:
                return None
            try:
                place = self._decide(name, held, naming, record)
            except BaseException:
                held.release()
                raise
            if place is None or place.claim is None:
                held.release()
            if place is not None:
                self._holders[fold_name(name)] = naming.tag
                return place
        output = self._layout.output(naming.preferred)
        raise OasisGanError(output, expected="a free name", found="other subjects under all of them", remedy=_REMEDY)

    def _names(self, naming: Naming, record: MakeRecord) -> Iterator[str]:
        """Yield the names to try: first those under which an earlier run has put the output."""
        made = [name for name in naming.all if self._was_made_from(name, naming, record)]
        alternatives = [name for name in naming.alternatives if name != naming.preferred]
        yield from dict.fromkeys((*made, naming.preferred, *alternatives))

    def _was_made_from(self, name: str, naming: Naming, record: MakeRecord) -> bool:
        """Whether the output of that name is of the same source, and not of another subject with the same content."""
        there = read_sidecar(self._layout.sidecar(name), self._layout.output(name))
        if there is None or there.get("source") != record()["source"]:
            return False
        tag = there.get("tag")
        return tag == naming.tag or tag not in self._tags

    def _decide(self, name: str, held: Claim, naming: Naming, record: MakeRecord) -> Place | None:
        """Return the place under a name, once it is claimed; None if it belongs to another subject."""
        output = self._layout.output(name)
        there = read_sidecar(self._layout.sidecar(name), output)
        state = self._look(name, there, naming, record)
        if state is _State.FREE:
            return Place(name, held)
        if state is _State.ANOTHER_SUBJECT:
            return None
        if state is _State.INCOMPLETE:
            return Place(name, held, replace=True, note="made again: a run was killed before it was complete")
        if self._layout.overwrite:
            return Place(name, held, replace=True)
        different = ["provenance"] if there is None else differences(there, output, record())
        if different:
            found = f"one with another {', '.join(different)}"
            raise OasisGanError(output, expected="a free name", found=found, remedy=_REMEDY)
        return Place(name, None)

    def _look(self, name: str, there: Record | None, naming: Naming, record: MakeRecord) -> _State:
        """Return what there is under a name.

        Args:
            name: The name.
            there: What its sidecar says, if it is one of ours.
            naming: The names that the output may take.
            record: Returns what decides how the output looks.
        """
        has_output = os.path.lexists(self._layout.output(name))
        if there is None:
            has_sidecar = os.path.lexists(self._layout.sidecar(name))
            if has_sidecar:
                return _State.FOREIGN
            return _State.INCOMPLETE if has_output else _State.FREE
        if there.get("source") != record()["source"] and there.get("tag") != naming.tag:
            return _State.ANOTHER_SUBJECT
        return _State.OURS if has_output else _State.INCOMPLETE
