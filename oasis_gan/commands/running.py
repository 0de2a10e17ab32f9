"""``oasis-gan run``."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from ..choices import Plane
from ..cohort import Job, translate_all
from ..datasets import Scan
from ..datatypes import datatype_of
from ..errors import OasisGanError
from ..exporters import Exporter
from ..label_meaning import LabelSetFinder
from ..labels import LabelSet
from ..ledger import Status, write_ledger
from ..matching import Like
from ..models import ModelKind, Translator, computation_of
from ..progress import Tally, reporting
from ..registry import Registry
from ..volume import Content
from .choosing import (
    SelectionOptions,
    choose_model,
    choose_planes,
    described,
    label_set_of,
    list_subjects,
    load_registry,
    loaded,
    require_precision,
    require_texture,
    say,
)
from .opening import open_scan, read_volume

_LIKE_LABEL_SET = "--like-label-set"


@dataclass(frozen=True, kw_only=True)
class RunOptions(SelectionOptions):
    """The options of ``oasis-gan run``."""

    out: Path
    model: str | None
    exporter: str
    dtype: str | None
    plane: str | None
    overwrite: bool
    texture: float | None
    precision: str | None
    like: Path | None
    like_labels: Path | None
    like_label_set: str | None


def run(options: RunOptions) -> int:
    """Translate subjects; return 0 if all are done or were there already, 1 if some failed.

    Raises:
        OasisGanError: If the options cannot be followed; nothing has been translated then.
        OSError: If the output folder cannot be written to.
    """
    registry = load_registry(options.plugin_files)
    kind, folder = choose_model(registry, options.model)
    planes = choose_planes(kind, folder, options.plane)
    exporter = registry.exporters.get(options.exporter)
    require_texture(kind, folder, options.texture)
    require_precision(kind, options.precision)
    if options.like_labels is not None and options.like is None:
        raise OasisGanError("--like-labels", expected="--like beside it", found="none", remedy="name the reference")
    if options.like_label_set is not None and options.like_labels is None:
        remedy = "name the label map of the reference"
        raise OasisGanError(_LIKE_LABEL_SET, expected="--like-labels beside it", found="none", remedy=remedy)
    _require_content(options, kind, folder)
    subjects, outcomes = list_subjects(
        registry, options.selections(), options.dataset, options.labels, options.source_is
    )
    with reporting("translating", len(subjects)) as reporter:
        # Before anything is made: a model or a reference that does not do leaves nothing. TensorFlow comes with it.
        job = _job(options, registry, kind, folder, planes, exporter) if subjects else None
        options.out.mkdir(parents=True, exist_ok=True)
        tally = Tally(len(subjects) + len(outcomes))

        def advance(index: int, fraction: float) -> None:
            reporter.advance(index + fraction, len(subjects), "translating")

        try:
            for outcome in outcomes:
                reporter.say(tally.line(outcome))
            for outcome in translate_all(subjects, job, advance) if job else ():
                outcomes.append(outcome)
                reporter.say(tally.line(outcome))
                if outcome.output is not None:
                    reporter.give(outcome.output)
        finally:
            # Also of a run that is interrupted.
            write_ledger(options.out, outcomes)
    return int(any(outcome.status is Status.FAILED for outcome in outcomes))


def _require_content(options: RunOptions, kind: ModelKind, folder: Path) -> None:
    """Raise `OasisGanError` if SOURCE is said to hold something else than the model translates."""
    content = "labels" if isinstance(described(kind, folder).source, LabelSet) else "image"
    if options.source_is not in (None, content):
        expected, remedy = f"{content}, which this model translates", "leave it out, or choose another model"
        raise OasisGanError("--source-is", expected=expected, found=str(options.source_is), remedy=remedy)


def _job(
    options: RunOptions,
    registry: Registry,
    kind: ModelKind,
    folder: Path,
    planes: tuple[Plane, ...],
    exporter: Exporter,
) -> Job:
    translator = _translator(options, registry, kind, folder)
    datatype = datatype_of(translator.card.target, options.dtype)
    return Job(
        translator,
        exporter,
        planes,
        datatype,
        options.out,
        options.overwrite,
        planes_requested=options.plane is not None,
    )


def _translator(options: RunOptions, registry: Registry, kind: ModelKind, folder: Path) -> Translator:
    """Return the model, with the texture and the contrast that are asked for."""
    translator = loaded(kind, folder, texture=options.texture, precision=options.precision)
    computation = computation_of(translator)
    if computation is not None and computation.note:
        say(computation.note)
    if options.like is None:
        return translator
    reference = _open_scan(options, registry, options.like, "image")
    if reference.known_content == "labels":
        remedy = "give the scan, and its label map as --like-labels"
        raise OasisGanError("--like", expected="a scan", found=f"a label map, {options.like}", remedy=remedy)
    labels = None
    if options.like_labels is not None:
        labels = _open_like_labels(options, registry, options.like_labels)
        if isinstance(translator.card.source, LabelSet):
            labels = labels.in_labels(translator.card.source)
    return Like.reference(
        translator,
        read_volume(reference.holding("image")),
        read_volume(labels.holding("labels")) if labels else None,
        options.like,
        options.like_labels,
    )


def _open_like_labels(options: RunOptions, registry: Registry, path: Path) -> Scan:
    """Return the label map of the reference, which knows what its values mean where somebody says so."""
    explicit = label_set_of(options.like_label_set, _LIKE_LABEL_SET) if options.like_label_set else None
    scan = LabelSetFinder(_LIKE_LABEL_SET).describe(_open_scan(options, registry, path, "labels"), explicit=explicit)
    return replace(scan, labels_option=_LIKE_LABEL_SET)


def _open_scan(options: RunOptions, registry: Registry, path: Path, content: Content) -> Scan:
    """Return the scan that an option names."""
    return open_scan(
        registry,
        path,
        content,
        dataset=options.dataset,
        spacing=options.spacing,
        max_voxels=options.max_voxels,
    )
