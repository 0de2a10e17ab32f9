"""Translating many subjects: each by itself, what goes wrong with one staying with it.

While one is translated the next is read and the one before it is written, so that the model seldom waits for a disk or
for gzip; no more than these three are in memory, however many there are.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from functools import cache, cached_property, partial
from pathlib import Path

from ..errors import OasisGanError, one_line, printable
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
from .datatypes import stored_as
from .ledger import Outcome, Status
from .naming import Naming, plan_names
from .places import Layout, OutputFiles, Place, Places
from .provenance import Record, ScanFiles, as_json, describe_source, recorded
from .reference_contrast import apply_contrast
from .sources import read_sources, scans_for
from .translation import translate
from .workers import Worker

_PATIENCE = 0.2  # seconds that a thread gets to come to an end when the user interrupts


@dataclass(frozen=True, kw_only=True)
class Job(Portable):
    """How every subject of a run is translated, and where to.

    It can be pickled: another process that runs it writes the same files. Paths in it that are relative are relative
    to the working directory of whoever runs it.

    Args:
        model: The model.
        exporter: The file format.
        datatype: The datatype in which voxels are stored.
        layout: Where outputs go.
        overwrite: Whether outputs that are there are made again.
        contrast: The contrast of the outputs; the model's own if not given.
        references: Names and hashes of the scans that every output depends on, by what they are used for.
    """

    model: ModelReference
    exporter: Exporter
    datatype: str
    layout: Layout
    overwrite: bool = False
    contrast: FittedEncoding | None = None
    references: Mapping[str, Identity] = field(default_factory=dict)

    @cached_property
    def translator(self) -> Translator:
        """The model in the contrast of the outputs, ready to translate; it is loaded when it is first used.

        Raises:
            OasisGanError: If it cannot be loaded.
            OSError: As the file system says.
        """
        translator = self.model.load()
        return translator if self.contrast is None else apply_contrast(translator, self.contrast)

    def locate(self, name: str, entities: Mapping[str, str]) -> OutputFiles:
        """Return where the output of a name goes, given whose it is, and what is written beside it."""
        kind = self.translator.card.output
        return self.layout.locate(name, kind, self.exporter.suffix, entities)


def translate_all(
    subjects: Sequence[Subject],
    job: Job,
    advance: Callable[[int, float], None] = lambda index, fraction: None,
    ended: Callable[[Outcome], None] = lambda outcome: None,
) -> Generator[Outcome, None, None]:
    """Translate subjects one after the other and yield what became of each, in their order.

    What another run is making at that moment comes last: it is waited for when everything else is done.

    Args:
        subjects: The subjects to translate.
        job: How, and where to.
        advance: Called with the index of the subject at work, and the fraction of it that is done.
        ended: Called with each outcome the moment it is known, in another thread.

    Raises:
        OasisGanError: If the model cannot be loaded.
        KeyboardInterrupt: If the user interrupts; what was being written has been written then, unless the user
            interrupts again. A note says what was being done.
    """
    namings = plan_names(subjects)
    places = Places(namings, job.locate, overwrite=job.overwrite)
    works = [
        _Work(index, subject, naming, job, places)
        for index, (subject, naming) in enumerate(zip(subjects, namings, strict=True))
    ]
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
            # Asked a second time: a writer that hangs, on a disk that does not answer, is not waited for.
            pipeline.give_up_writing()
            raise interruption from None
        raise
    finally:
        pipeline.close()
        for work in works:
            work.let_go()


class _Pipeline:
    """Reads, translates and writes at the same time, a subject each."""

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
        """Yield what becomes of each subject, but for those that another run is making."""
        for work, reading in zip(works, self._one_ahead(works, wait=wait), strict=True):
            self.doing = f"reading {work.label}"
            reading.result()
            if work.postponed:
                continue
            self.doing = f"translating {work.label}"
            work.translate(partial(self._advance, work.index))
            self._writing.append((work, self._writer.submit(partial(self._finish, work))))
            if len(self._writing) > 1:
                yield self._next_written()
        yield from self.finish_writing()

    def finish_writing(self) -> Iterator[Outcome]:
        """Yield what becomes of the subjects that are being written."""
        while self._writing:
            yield self._next_written()

    def give_up_writing(self) -> None:
        """Wait no longer for what is being written."""
        self._writing.clear()
        self._writer_patience = _PATIENCE

    def close(self) -> None:
        """End the threads. A reader that hangs is left behind, what is being written is waited for."""
        self._reader.close(_PATIENCE)
        self._writer.close(self._writer_patience)

    def _next_written(self) -> Outcome:
        work, writing = self._writing[0]
        self.doing = f"writing {work.label}"
        outcome = writing.result()
        del self._writing[0]
        return outcome

    def _finish(self, work: _Work) -> Outcome:
        outcome = work.write()
        self._ended(outcome)
        return outcome

    def _one_ahead(self, works: Sequence[_Work], *, wait: bool) -> Iterator[Future[None]]:
        """Yield the futures of reading in their order, each when the one after it has been begun."""
        begun: list[Future[None]] = []
        for work in works:
            begun.append(self._reader.submit(partial(work.read, wait=wait)))
            if len(begun) > 1:
                yield begun.pop(0)
        yield from begun


class _Work:
    """One subject on its way: read, translated, written. Whatever one step raises ends it, and nobody else.

    Args:
        index: Of the subject.
        subject: The subject.
        naming: The names that its output may take.
        job: How it is translated, and where to.
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
        """Find the place of the output and read the sources, unless the output is there, or another run is at it."""
        self._do(partial(self._read, wait=wait))

    def translate(self, advance: Callable[[float], None]) -> None:
        """Translate what was read."""
        if self._outcome is None:
            self._do(partial(self._translate, advance))

    def write(self) -> Outcome:
        """Write what was translated, and return what has become of the subject."""
        if self._outcome is None:
            self._do(self._write)
        self.let_go()
        if self._outcome is None:
            raise RuntimeError(f"{self.label} has no outcome")
        return self._outcome

    def let_go(self) -> None:
        """Forget the volumes, and let other runs have the name."""
        self._sources = {}
        self._translation = None
        if self._place is not None and self._place.claim is not None:
            self._place.claim.release()
        self._place = None

    def _do(self, step: Callable[[], None]) -> None:
        start = time.monotonic()
        try:
            with foreign_code(self._subject.source.path):
                step()
        except Exception as error:  # noqa: BLE001
            self._outcome = Outcome(self.label, Status.FAILED, None, self._describe(error))
        self._seconds += time.monotonic() - start

    def _describe(self, error: Exception) -> str:
        line = one_line(error)
        if self._place is None or self._place.claim is None:
            return line
        # Nobody knows the folder in which the output is made.
        return line.replace(f"{self._place.claim.work.name}{os.sep}", "")

    def _read(self, *, wait: bool) -> None:
        card = self._job.translator.card
        scans = scans_for(self._subject, card)
        files = {name: ScanFiles(scan) for name, scan in scans.items()}
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
        self.postponed = place is None
        if place is None:
            return False
        self._place = place
        self.label = self._naming.label(place.name)
        if place.claim is None:
            output = place.files.volume
            self._outcome = Outcome(
                self.label, Status.SKIPPED, output, "already there; `overwrite` makes it again"
            )
        return place.claim is not None

    def _make_record(self, files: Mapping[str, ScanFiles]) -> Record:
        job = self._job
        first, *others = files
        further = {
            name: describe_source(self._subject.further[name], files[name].identity)
            for name in others
        }
        return recorded(
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
        stored = stored_as(translation.volume, self._job.datatype, self._subject.source.path)
        output = place.files.volume
        sidecar = place.files.sidecar
        work = place.claim.make_work_folder()
        self._export(stored, work / output.name)
        self._export_companions(translation, place.files, work)
        computation = computation_of(self._job.translator)
        facts = {
            "translation": dict(translation.details),
            "computation": computation.record() if computation else None,
            "subject": printable(self.label),
            "tag": self._naming.tag,
            "notes": stored.notes,
        }
        # The hash is that of the file that was written, before anybody else can see it.
        write_atomically(work / sidecar.name, as_json(self._record, work, output.name, facts))
        publish(work, place.files.folder, (output.name, sidecar.name), replace=place.replace)
        notes = (place.note, *stored.notes) if place.note else stored.notes
        seconds = self._seconds + time.monotonic() - start
        self._outcome = Outcome(self.label, Status.DONE, output, "; ".join(notes), seconds)

    def _export_companions(self, translation: Translation, files: OutputFiles, work: Path) -> None:
        """Write the further maps of a translation, and a table of what labels mean."""
        for kind, volume in translation.maps.items():
            path = work / files.further_map(kind).name
            self._export(stored_as(volume, "float32", self._subject.source.path), path)
        label_set = self._job.translator.card.target.label_set
        if label_set is not None:
            write_label_table(work / files.label_table.name, label_set)

    def _export(self, volume: Volume, path: Path) -> None:
        self._job.exporter.write(volume, path)
        if not path.exists():
            exporter = self._job.exporter.name
            raise OasisGanError(
                path.name,
                expected=f"the exporter {exporter} to write it",
                found="nothing",
                remedy="fix the plugin",
            )
