"""Translating many subjects: each by itself, what goes wrong with one staying with it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from .checks.remarks import remarked
from .choices import Plane
from .datasets import Subject
from .datatypes import stored_as
from .errors import OasisGanError, one_line
from .exporters import Exporter
from .files import write_atomically
from .labels import LabelSet
from .ledger import Outcome, Status
from .models import Translator
from .naming import output_names
from .provenance import as_json, differences, recorded
from .translation import translate

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
    """

    translator: Translator
    exporter: Exporter
    planes: tuple[Plane, ...]
    datatype: str
    out: Path
    overwrite: bool

    def output(self, name: str) -> Path:
        """Return the output file of the subject that has this output name."""
        return self.out / f"{name}_synth{self.translator.card.output}{self.exporter.suffix}"


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
    for index, (subject, name) in enumerate(zip(subjects, output_names(subjects), strict=True)):
        output = job.output(name)
        try:
            yield _translate_one(subject, job, output, partial(advance, index))
        # Readers, models and writers may be anybody's: whatever they raise stays with this subject.
        except Exception as error:  # noqa: BLE001
            yield Outcome(subject.name, Status.FAILED, None, one_line(error))


def _translate_one(subject: Subject, job: Job, output: Path, advance: Advance) -> Outcome:
    wanted = job.translator.card.source
    scan = subject.source.in_labels(wanted) if isinstance(wanted, LabelSet) else subject.source
    source = scan.read()
    record = recorded(subject, job.translator.card, job.planes, job.datatype)
    sidecar = output.with_name(output.name.removesuffix(job.exporter.suffix) + ".json")
    if output.exists() and not job.overwrite:
        return _already_there(subject, output, differences(sidecar, output, record))
    where = subject.source.path
    source = remarked(wanted.clean(source, where), where)
    translated = stored_as(translate(source, job.translator, job.planes, where, advance), job.datatype, where)
    # The volume first: what is killed in between has a sidecar that does not vouch for it, never one that lies.
    job.exporter.write(translated, output)
    write_atomically(sidecar, as_json(record, output, translated.notes))
    return Outcome(subject.name, Status.DONE, output, "; ".join(translated.notes))


def _already_there(subject: Subject, output: Path, other: list[str]) -> Outcome:
    if other:
        expected, remedy = "a free name", "use --overwrite, or another --out"
        raise OasisGanError(output, expected=expected, found=f"one with another {', '.join(other)}", remedy=remedy)
    return Outcome(subject.name, Status.SKIPPED, output, "already there; --overwrite makes it again")
