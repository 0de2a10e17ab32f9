"""The work on one subject: read its sources, translate them, and write the output."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property, partial
from pathlib import Path

from ..errors import one_line, printable
from ..image.volume import CleanVolume, Volume
from ..io.files import write_atomically
from ..io.label_tables import write_label_table
from ..io.publishing import Identity, publish
from ..plugin.datasets import Scan, Subject
from ..plugin.foreign import foreign_code
from ..plugin.models import Translation, computation_of
from .datatypes import convert_datatype
from .errors import NothingWrittenError
from .fingerprints import State, describe_source_files, make_fingerprint
from .further_maps import describe_map
from .job import Job
from .ledger import Outcome, Row, Status
from .naming import Naming
from .places import (
    OutputFiles,
    Place,
    Places,
    Reservations,
    remove_old_map,
    remove_old_pictures,
)
from .provenance import (
    Record,
    ScanFiles,
    describe_source,
    format_sidecar,
    list_files,
    list_parts,
    make_record,
    read_sidecar,
)
from .sources import choose_scans, read_sources
from .translation import translate

_ALREADY_THERE = "already there; `overwrite` makes it again"


@dataclass(frozen=True)
class Plan:
    """What the work on all subjects of a run has in common.

    It can be pickled: another process that has it makes the same choices.

    Args:
        job: How subjects are translated, and where outputs go.
        reservations: The names that the subjects have.
    """

    job: Job
    reservations: Reservations

    @cached_property
    def places(self) -> Places:
        """Finds the name for each output."""
        job = self.job
        return Places(self.reservations, job.locate, overwrite=job.overwrite, update=job.update)


class Work:
    """The work on one subject: read, translate, write. An exception ends this subject only.

    Args:
        index: The index of the subject.
        subject: The subject.
        naming: The names that its output may take.
        plan: What it has in common with the work on others.
    """

    def __init__(self, index: int, subject: Subject, naming: Naming, plan: Plan) -> None:
        self.index = index
        self.label = naming.label(naming.preferred)
        self.postponed = False
        self.subject = subject
        self.naming = naming
        self.plan = plan
        self._job = plan.job
        self._place: Place | None = None
        self._record: Record = {}
        self._state_record: Record | None = None
        self._sources: dict[str, CleanVolume] = {}
        self._translation: Translation | None = None
        self._outcome: Outcome | None = None
        self._seconds = 0.0

    def recognise(self, earlier: Mapping[str, Row]) -> Outcome | None:
        """Return the outcome of a subject that an earlier run has finished, without reading files.

        Args:
            earlier: What the table says about subjects, by their tag.

        Returns:
            The outcome, or None if the subject has to be read to know.
        """
        row = earlier.get(self.naming.tag)
        if row is None or not row.fingerprint or not row.has_output or self._job.overwrite:
            return None
        try:
            scans = choose_scans(self.subject, self._job.translator.card)
            states = {name: describe_source_files(list_files(scan)) for name, scan in scans.items()}
            record = self._make_state_record(states)
            files = self.locate()
            fingerprint = make_fingerprint(record, files.all, ())
        # Whatever a plugin raises is raised again when the subject is read.
        except Exception:  # noqa: BLE001
            return None
        if fingerprint != row.fingerprint:
            return None
        return self._make_outcome(Status.SKIPPED, files.volume, _ALREADY_THERE, fingerprint)

    def locate(self) -> OutputFiles:
        """Return the files of the output, if no other subject's output has its name."""
        return self._job.locate(self.naming.preferred, self.naming.entities)

    def read(self, *, wait: bool) -> None:
        """Find the place of the output and read the sources.

        Nothing is read if the output is there already, or another run is making it.
        """
        self._run_step(partial(self._read, wait=wait))

    def translate(self, advance: Callable[[float], None]) -> None:
        """Translate the sources that were read."""
        if self._outcome is None:
            self._run_step(partial(self._translate, advance))

    def write(self) -> Outcome:
        """Write the translation, and return the outcome of the subject."""
        if self._outcome is None:
            self._run_step(self._write)
        self.let_go()
        if self._outcome is None:
            raise RuntimeError(f"{self.label} has no outcome")
        return self._outcome

    def fail(self, error: Exception) -> Outcome:
        """Return the outcome of a subject on which nobody can work."""
        return self._make_outcome(Status.FAILED, None, one_line(error))

    def let_go(self) -> None:
        """Release the name of the output, so that other runs can take it, and drop all volumes."""
        self._sources = {}
        self._translation = None
        if self._place is not None and self._place.claim is not None:
            self._place.claim.release()
        self._place = None

    def _run_step(self, step: Callable[[], None]) -> None:
        start = time.monotonic()
        try:
            with foreign_code(self.subject.source.path):
                step()
        # Readers and models may raise anything, which must not stop the other subjects.
        except Exception as error:  # noqa: BLE001
            self._outcome = self._make_outcome(Status.FAILED, None, self._describe(error))
        self._seconds += time.monotonic() - start

    def _make_outcome(
        self, status: Status, output: Path | None, message: str, fingerprint: str = ""
    ) -> Outcome:
        return Outcome(
            subject=self.label,
            status=status,
            output=output,
            message=message,
            seconds=self._seconds,
            tag=self.naming.tag,
            fingerprint=fingerprint,
        )

    def _describe(self, error: Exception) -> str:
        line = one_line(error)
        if self._place is None or self._place.claim is None:
            return line
        # The user does not know the work folder in which the output is made.
        work = self._place.claim.work.name
        return line.replace(f"{work}{os.sep}", "")

    def _read(self, *, wait: bool) -> None:
        card = self._job.translator.card
        scans = choose_scans(self.subject, card)
        files = {name: ScanFiles(scan) for name, scan in scans.items()}
        self._state_record = self._make_state_record(
            {name: read.states for name, read in files.items()}
        )
        # The record takes a hash of each source, and several names may ask for it.
        record = cache(partial(self._make_hash_record, files))
        if not self._find_place(scans, record, wait=wait):
            return
        sources = read_sources(scans, card)
        self._record = record()
        # The record must be of what was read.
        for read in files.values():
            read.require_unchanged()
        self._sources = sources

    def _find_place(
        self, scans: Mapping[str, Scan], record: Callable[[], Record], *, wait: bool
    ) -> bool:
        """Find the place of the output; return whether there is something to do."""
        self.postponed = False
        try:
            place = self.plan.places.find(self.naming, record, wait=wait)
        except OSError:
            # Where a source cannot be hashed, its reader knows better what is wrong with it.
            for scan in scans.values():
                scan.read()
            raise
        if place is None:
            self.postponed = True
            return False
        self._place = place
        self.label = self.naming.label(place.name)
        if place.claim is None:
            self._outcome = self._recognise_by_hash(place.files)
            return False
        return True

    def _recognise_by_hash(self, files: OutputFiles) -> Outcome:
        """Return the outcome of a subject whose output has the right hashes."""
        sidecar = read_sidecar(files.sidecar, files.volume)
        fingerprint = ""
        if sidecar is not None:
            fingerprint = make_fingerprint(self._state_record, files.all, list_parts(sidecar))
        return self._make_outcome(Status.SKIPPED, files.volume, _ALREADY_THERE, fingerprint)

    def _make_hash_record(self, files: Mapping[str, ScanFiles]) -> Record:
        return self._make_record({name: read.identity for name, read in files.items()})

    def _make_state_record(self, states: Mapping[str, State | None]) -> Record | None:
        """Return the record with the states of the sources in place of their hashes, if known."""
        known = {name: {"states": state} for name, state in states.items() if state is not None}
        return self._make_record(known) if len(known) == len(states) else None

    def _make_record(self, identities: Mapping[str, Identity]) -> Record:
        job = self._job
        first, *others = identities
        further: dict[str, Record] = {}
        for name in others:
            further[name] = describe_source(self.subject.further[name], identities[name])
        return make_record(
            self.subject.source,
            identities[first],
            job.translator.card,
            job.model.options,
            job.datatype,
            computation_of(job.translator),
            job.references,
            further,
        )

    def _translate(self, advance: Callable[[float], None]) -> None:
        if not self._sources:
            return
        where = self.subject.source.path
        self._translation = translate(self._sources, self._job.translator, where, advance)
        self._sources = {}

    def _write(self) -> None:
        start = time.monotonic()
        place = self._place
        translation = self._translation
        if place is None or place.claim is None or translation is None:
            raise RuntimeError(f"{self.label} has not been translated")
        stored = convert_datatype(translation.volume, self._job.datatype, self.subject.source.path)
        files = place.files
        output = files.volume
        work = place.claim.make_work_folder()
        self._export(stored, work / output.name)
        self._export_companions(translation, files, work)
        if place.replace:
            remove_old_map(files, work)
            remove_old_pictures(files)
        self._write_sidecar(translation, stored.notes, files, work)
        names = [path.name for path in work.iterdir()]
        publish(work, files.folder, (output.name, files.sidecar.name), replace=place.replace)
        notes = list(stored.notes)
        if place.note:
            notes.insert(0, place.note)
        # Taken while the name is still claimed, so that it is of what was written.
        fingerprint = make_fingerprint(self._state_record, files.all, names)
        outcome = self._make_outcome(Status.DONE, output, "; ".join(notes), fingerprint)
        seconds = self._seconds + time.monotonic() - start
        self._outcome = replace(outcome, seconds=seconds)

    def _write_sidecar(
        self, translation: Translation, notes: Sequence[str], files: OutputFiles, work: Path
    ) -> None:
        """Write the sidecar of the volume in a work folder, where nobody else can change it yet."""
        computation = computation_of(self._job.translator)
        content = self._job.translator.card.target.content
        entries = {
            **self._job.layout.describe(self.subject, translation.volume, content),
            "translation": dict(translation.details),
            "computation": computation.record() if computation else None,
            "subject": printable(self.label),
            "tag": self.naming.tag,
            "notes": notes,
        }
        sidecar = format_sidecar(self._record, work, files.volume.name, entries)
        write_atomically(work / files.sidecar.name, sidecar)

    def _export_companions(self, translation: Translation, files: OutputFiles, work: Path) -> None:
        """Write the further maps of a translation, and a table of what labels mean."""
        for kind, volume in translation.maps.items():
            path = work / files.further_map(kind).name
            # In the integers of an output, a small deviation would be rounded to 0.
            self._export(convert_datatype(volume, "float32", self.subject.source.path), path)
            content = describe_map(kind, path, files.volume, translation.details.get(kind))
            write_atomically(work / files.map_sidecar(kind).name, content)
        label_set = self._job.translator.card.target.label_set
        if label_set is not None:
            write_label_table(work / files.label_table.name, label_set)

    def _export(self, volume: Volume, path: Path) -> None:
        self._job.exporter.write(volume, path)
        # The exporter of a plugin may have chosen another name, or done nothing.
        if not path.exists():
            raise NothingWrittenError(path.name, self._job.exporter.name)
