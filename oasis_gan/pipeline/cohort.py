"""Translate many subjects; a problem with one subject does not affect the others.

While one subject is translated, the next is read and the previous one is written, so that the model
seldom waits for a disk or for gzip. At most these three are in memory.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path

from ..errors import one_line, printable
from ..image.encoding import FittedEncoding
from ..image.volume import CleanVolume, Volume
from ..io.files import write_atomically
from ..io.label_tables import write_label_table
from ..io.publishing import Identity, publish
from ..plugin.datasets import Scan, Subject
from ..plugin.exporters import Exporter
from ..plugin.foreign import foreign_code
from ..plugin.model_references import ModelReference
from ..plugin.models import Translation, Translator, computation_of
from ..plugin.portable import Portable
from .datatypes import convert_datatype
from .errors import NothingWrittenError
from .further_maps import describe_map
from .ledger import Outcome, Status
from .naming import Naming, plan_names
from .places import Layout, OutputFiles, Place, Places, remove_old_map, remove_old_pictures
from .provenance import Record, ScanFiles, describe_source, format_sidecar, make_record
from .reference_contrast import apply_contrast
from .sources import choose_scans, read_sources
from .translation import translate
from .workers import Worker

_PATIENCE = 0.2  # seconds that a thread gets to end when the user interrupts


@dataclass(frozen=True, kw_only=True)
class Job(Portable):
    """How every subject of a run is translated, and where outputs go.

    It can be pickled: another process that runs it writes the same files. Its relative paths are
    relative to the working directory of the process that runs it.

    Args:
        model: The model.
        exporter: The file format.
        datatype: The datatype in which voxels are stored.
        layout: Where outputs go.
        overwrite: Whether existing outputs are made again.
        target: The encoding that gives outputs another contrast than the model's, if there is one.
        references: Names and hashes of the scans that every output depends on, by their use.
    """

    model: ModelReference
    exporter: Exporter
    datatype: str
    layout: Layout
    overwrite: bool = False
    target: FittedEncoding | None = None
    references: Mapping[str, Identity] = field(default_factory=dict)

    @cached_property
    def translator(self) -> Translator:
        """The model, which makes outputs of the right contrast; it is loaded at the first use.

        Raises:
            OasisGanError: If it cannot be loaded.
            OSError: If the file system fails.
        """
        translator = self.model.load()
        if self.target is None:
            return translator
        return apply_contrast(translator, self.target)

    def locate(self, name: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return the files of an output, given its name and the entities of its subject."""
        kind = self.translator.card.output
        return self.layout.locate(name, kind, self.exporter.suffix, entities)


def translate_all(
    subjects: Sequence[Subject],
    job: Job,
    advance: Callable[[int, float], None] = lambda index, fraction: None,
    ended: Callable[[Outcome], None] = lambda outcome: None,
) -> Generator[Outcome, None, None]:
    """Translate subjects one after the other and yield the outcome of each, in their order.

    Subjects that another run is translating at that moment come last: this run waits for them when
    everything else is done.

    Args:
        subjects: The subjects to translate.
        job: How they are translated, and where outputs go.
        advance: Called with the index of the subject that is translated, and the fraction of it
            that is done.
        ended: Called with each outcome the moment it is known, in another thread.

    Raises:
        OasisGanError: If the model cannot be loaded.
        KeyboardInterrupt: If the user interrupts. The output that was being written is complete
            then, unless the user interrupts again. A note says what was being done.
    """
    namings = plan_names(subjects)
    places = Places(namings, job.locate, overwrite=job.overwrite)
    works: list[_Work] = []
    for subject, naming in zip(subjects, namings, strict=True):
        works.append(_Work(len(works), subject, naming, job, places))
    pipeline = _Pipeline(advance, ended)
    try:
        yield from pipeline.run(works, wait=False)
        yield from pipeline.run([work for work in works if work.postponed], wait=True)
    except KeyboardInterrupt as interruption:
        if pipeline.doing:
            interruption.add_note(f"while {pipeline.doing}")
        try:
            yield from pipeline.finish_writing()
        except KeyboardInterrupt:
            # After a second interruption, do not wait for an exporter: the disk may not answer.
            pipeline.give_up_writing()
            raise interruption from None
        raise
    finally:
        pipeline.close()
        # Whatever was read but not written still keeps its name from other runs.
        for work in works:
            work.let_go()


class _Pipeline:
    """Reads one subject, translates another and writes a third at the same time."""

    def __init__(
        self, advance: Callable[[int, float], None], ended: Callable[[Outcome], None]
    ) -> None:
        self._advance = advance
        self._ended = ended
        self._reader = Worker("reading")
        self._writer = Worker("writing")
        self._writing: list[tuple[_Work, Future[Outcome]]] = []
        self._writer_patience: float | None = None
        self.doing = ""

    def run(self, works: Sequence[_Work], *, wait: bool) -> Iterator[Outcome]:
        """Yield the outcome of each subject that no other run is translating."""
        for work, reading in zip(works, self._read_ahead(works, wait=wait), strict=True):
            self.doing = f"reading {work.label}"
            # This only waits: an error is part of the outcome of the work.
            reading.result()
            if work.postponed:
                continue
            self.doing = f"translating {work.label}"
            work.translate(partial(self._advance, work.index))
            writing = self._writer.submit(partial(self._finish, work))
            self._writing.append((work, writing))
            # One subject is written while another is translated; more would fill the memory.
            if len(self._writing) > 1:
                yield self._finish_next()
        yield from self.finish_writing()

    def finish_writing(self) -> Iterator[Outcome]:
        """Yield the outcomes of the subjects that are being written."""
        while self._writing:
            yield self._finish_next()

    def give_up_writing(self) -> None:
        """Stop waiting for the subjects that are being written."""
        self._writing.clear()
        self._writer_patience = _PATIENCE

    def close(self) -> None:
        """End the threads: wait for the exporter, but leave behind a reader that hangs."""
        self._reader.close(_PATIENCE)
        self._writer.close(self._writer_patience)

    def _finish_next(self) -> Outcome:
        work, writing = self._writing[0]
        self.doing = f"writing {work.label}"
        outcome = writing.result()
        # Only now: after an interruption, `finish_writing` has to wait for it again.
        del self._writing[0]
        return outcome

    def _finish(self, work: _Work) -> Outcome:
        outcome = work.write()
        self._ended(outcome)
        return outcome

    def _read_ahead(self, works: Sequence[_Work], *, wait: bool) -> Iterator[Future[None]]:
        """Yield the futures of reading in order, each once reading of the next has begun."""
        begun: list[Future[None]] = []
        for work in works:
            reading = self._reader.submit(partial(work.read, wait=wait))
            begun.append(reading)
            if len(begun) > 1:
                yield begun.pop(0)
        yield from begun


class _Work:
    """The work on one subject: read, translate, write. An exception ends this subject only.

    Args:
        index: The index of the subject.
        subject: The subject.
        naming: The names that its output may take.
        job: How it is translated, and where outputs go.
        places: Finds the name for its output.
    """

    def __init__(
        self, index: int, subject: Subject, naming: Naming, job: Job, places: Places
    ) -> None:
        self.index = index
        self.label = naming.label(naming.preferred)
        self.postponed = False
        self._subject = subject
        self._naming = naming
        self._job = job
        self._places = places
        self._place: Place | None = None
        self._record: Record = {}
        self._sources: dict[str, CleanVolume] = {}
        self._translation: Translation | None = None
        self._outcome: Outcome | None = None
        self._seconds = 0.0

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

    def let_go(self) -> None:
        """Forget the volumes, and release the name of the output to other runs."""
        self._sources = {}
        self._translation = None
        if self._place is not None and self._place.claim is not None:
            self._place.claim.release()
        self._place = None

    def _run_step(self, step: Callable[[], None]) -> None:
        start = time.monotonic()
        try:
            with foreign_code(self._subject.source.path):
                step()
        # Readers and models may raise anything, which must not stop the other subjects.
        except Exception as error:  # noqa: BLE001
            self._outcome = Outcome(self.label, Status.FAILED, None, self._describe(error))
        self._seconds += time.monotonic() - start

    def _describe(self, error: Exception) -> str:
        line = one_line(error)
        if self._place is None or self._place.claim is None:
            return line
        # The user does not know the work folder in which the output is made.
        work = self._place.claim.work.name
        return line.replace(f"{work}{os.sep}", "")

    def _read(self, *, wait: bool) -> None:
        card = self._job.translator.card
        scans = choose_scans(self._subject, card)
        files = {name: ScanFiles(scan) for name, scan in scans.items()}
        # The record takes a hash of each source, and several names may ask for it.
        record = cache(partial(self._make_record, files))
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
            place = self._places.find(self._naming, record, wait=wait)
        except OSError:
            # Where a source cannot be hashed, its reader knows better what is wrong with it.
            for scan in scans.values():
                scan.read()
            raise
        if place is None:
            self.postponed = True
            return False
        self._place = place
        self.label = self._naming.label(place.name)
        if place.claim is None:
            message = "already there; `overwrite` makes it again"
            self._outcome = Outcome(self.label, Status.SKIPPED, place.files.volume, message)
            return False
        return True

    def _make_record(self, files: Mapping[str, ScanFiles]) -> Record:
        job = self._job
        first, *others = files
        further: dict[str, Record] = {}
        for name in others:
            further[name] = describe_source(self._subject.further[name], files[name].identity)
        return make_record(
            self._subject.source,
            files[first].identity,
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
        where = self._subject.source.path
        self._translation = translate(self._sources, self._job.translator, where, advance)
        self._sources = {}

    def _write(self) -> None:
        start = time.monotonic()
        place = self._place
        translation = self._translation
        if place is None or place.claim is None or translation is None:
            raise RuntimeError(f"{self.label} has not been translated")
        stored = convert_datatype(translation.volume, self._job.datatype, self._subject.source.path)
        files = place.files
        output = files.volume
        work = place.claim.make_work_folder()
        self._export(stored, work / output.name)
        self._export_companions(translation, files, work)
        if place.replace:
            remove_old_map(files, work)
            remove_old_pictures(files)
        self._write_sidecar(translation, stored.notes, files, work)
        publish(work, files.folder, (output.name, files.sidecar.name), replace=place.replace)
        notes = list(stored.notes)
        if place.note:
            notes.insert(0, place.note)
        seconds = self._seconds + time.monotonic() - start
        self._outcome = Outcome(self.label, Status.DONE, output, "; ".join(notes), seconds)

    def _write_sidecar(
        self, translation: Translation, notes: Sequence[str], files: OutputFiles, work: Path
    ) -> None:
        """Write the sidecar of the volume in a work folder, where nobody else can change it yet."""
        computation = computation_of(self._job.translator)
        content = self._job.translator.card.target.content
        entries = {
            **self._job.layout.describe(self._subject, translation.volume, content),
            "translation": dict(translation.details),
            "computation": computation.record() if computation else None,
            "subject": printable(self.label),
            "tag": self._naming.tag,
            "notes": notes,
        }
        sidecar = format_sidecar(self._record, work, files.volume.name, entries)
        write_atomically(work / files.sidecar.name, sidecar)

    def _export_companions(self, translation: Translation, files: OutputFiles, work: Path) -> None:
        """Write the further maps of a translation, and a table of what labels mean."""
        for kind, volume in translation.maps.items():
            path = work / files.further_map(kind).name
            # In the integers of an output, a small deviation would be rounded to 0.
            self._export(convert_datatype(volume, "float32", self._subject.source.path), path)
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
