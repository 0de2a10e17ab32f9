"""Translating many subjects: each by itself, what goes wrong with one staying with it.

While one is translated the next is read and the one before it is written, so that the model seldom waits for a disk or
for gzip; no more than these three are in memory, however many there are.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import TypeVar

from .checks.remarks import remarked
from .choices import Plane
from .datasets import Subject
from .datatypes import stored_as
from .errors import OasisGanError, one_line
from .exporters import Exporter
from .files import write_atomically
from .foreign import foreign_code
from .labels import LabelSet
from .ledger import Outcome, Status
from .models import Translator, computation_of
from .naming import output_names
from .picture_planes import choose_picture_planes
from .provenance import Record, as_json, differences, recorded
from .translation import translate
from .volume import Volume

T = TypeVar("T")
Advance = Callable[[float], None]


@dataclass(frozen=True)
class Job:
    """How every subject of a run is translated, and where to.

    Args:
        translator: The model.
        exporter: The file format.
        planes: In which to slice; more than one are averaged.
        datatype: In which voxels are stored.
        out: The folder for the outputs; it exists.
        overwrite: Whether outputs that are there are made again.
        planes_requested: Whether the user asked for these planes; else a thin volume is sliced where it is a picture.
    """

    translator: Translator
    exporter: Exporter
    planes: tuple[Plane, ...]
    datatype: str
    out: Path
    overwrite: bool
    planes_requested: bool = False

    def output(self, name: str) -> Path:
        """Return the output file of the subject that has this output name."""
        return self.out / f"{name}_synth{self.translator.card.output}{self.exporter.suffix}"


@dataclass(frozen=True)
class _Task:
    """A volume on its way: read and to be translated, or translated and to be written, and what is put down of it."""

    volume: Volume
    planes: tuple[Plane, ...]
    where: Path
    output: Path
    sidecar: Path
    record: Record
    seconds: float


def translate_all(
    subjects: Sequence[Subject],
    job: Job,
    advance: Callable[[int, float], None] = lambda index, fraction: None,
) -> Iterator[Outcome]:
    """Translate subjects one after the other and yield what became of each, in their order.

    Args:
        subjects: Whom.
        job: How, and where to.
        advance: Called with the index of the subject at work, and the fraction of it that is done.
    """
    outputs = (job.output(name) for name in output_names(subjects))
    # In the thread that reads, where an interruption can only be one that the reader raises itself.
    reads = [
        partial(_kept, subject, partial(_read, subject, job, output))
        for subject, output in zip(subjects, outputs, strict=True)
    ]
    with ThreadPoolExecutor(1, "reading") as reader, ThreadPoolExecutor(1, "writing") as writer:
        writing: list[Future[Outcome]] = []
        try:
            for index, (subject, reading) in enumerate(zip(subjects, _one_ahead(reader, reads), strict=True)):
                translated = _kept(subject, partial(_translate, reading, job, partial(advance, index)))
                writing.append(writer.submit(_written, subject, translated, job))
                if len(writing) > 1:
                    yield writing[0].result()
                    del writing[0]
        except KeyboardInterrupt:
            yield from (written.result() for written in writing)
            raise
        yield from (written.result() for written in writing)


def _one_ahead(pool: Executor, tasks: Sequence[Callable[[], T]]) -> Iterator[Future[T]]:
    """Yield the futures of tasks in their order, each when the one after it has been begun."""
    begun = [pool.submit(task) for task in tasks[:1]]
    for task in tasks[1:]:
        begun.append(pool.submit(task))
        yield begun.pop(0)
    yield from begun


def _kept(subject: Subject, step: Callable[[], T | Outcome]) -> T | Outcome:
    """Return what a step gives; whatever anybody's reader, model or writer raises stays with this subject."""
    try:
        with foreign_code(subject.source.path):
            return step()
    except Exception as error:  # noqa: BLE001
        return Outcome(subject.name, Status.FAILED, None, one_line(error))


def _read(subject: Subject, job: Job, output: Path) -> _Task | Outcome:
    start = time.monotonic()
    wanted = job.translator.card.source
    if isinstance(wanted, LabelSet):
        scan = subject.source.in_labels(wanted).holding("labels")
    else:
        scan = subject.source.holding("image")
    source = scan.read()
    computation = computation_of(job.translator)
    where = subject.source.path
    planes, note = choose_picture_planes(
        source.geometry, job.planes, job.translator.card.planes, where, requested=job.planes_requested
    )
    record = recorded(subject, job.translator.card, planes, job.datatype, computation)
    sidecar = output.with_name(output.name.removesuffix(job.exporter.suffix) + ".json")
    if output.exists() and not job.overwrite:
        return _already_there(subject, output, differences(sidecar, output, record))
    volume = remarked(source, where)
    if note:
        volume = replace(volume, notes=(*volume.notes, note))
    return _Task(volume, planes, where, output, sidecar, record, time.monotonic() - start)


def _translate(reading: Future[_Task | Outcome], job: Job, advance: Advance) -> _Task | Outcome:
    task = reading.result()
    if isinstance(task, Outcome):
        return task
    start = time.monotonic()
    volume = translate(task.volume, job.translator, task.planes, task.where, advance)
    return replace(task, volume=volume, seconds=task.seconds + time.monotonic() - start)


def _written(subject: Subject, translated: _Task | Outcome, job: Job) -> Outcome:
    if isinstance(translated, Outcome):
        return translated
    return _kept(subject, partial(_write, subject, translated, job))


def _write(subject: Subject, task: _Task, job: Job) -> Outcome:
    start = time.monotonic()
    stored = stored_as(task.volume, job.datatype, task.where)
    # The volume first: what is killed in between has a sidecar that does not vouch for it, never one that lies.
    job.exporter.write(stored, task.output)
    sidecar = as_json(task.record, task.output, stored.notes, computation_of(job.translator))
    write_atomically(task.sidecar, sidecar)
    seconds = task.seconds + time.monotonic() - start
    return Outcome(subject.name, Status.DONE, task.output, "; ".join(stored.notes), seconds)


def _already_there(subject: Subject, output: Path, other: list[str]) -> Outcome:
    if other:
        expected, remedy = "a free name", "use --overwrite, or another --out"
        raise OasisGanError(output, expected=expected, found=f"one with another {', '.join(other)}", remedy=remedy)
    return Outcome(subject.name, Status.SKIPPED, output, "already there; --overwrite makes it again")
