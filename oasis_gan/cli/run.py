"""Translate volumes: ``oasis-gan run``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..evaluation.libraries import require_libraries
from ..image.intensity import Window
from ..image.volume import AssumptionNote, Content, Volume
from ..io.claims import hold_name, sweep
from ..io.publishing import Identity
from ..pipeline.cohort import plan_works
from ..pipeline.datatypes import choose_datatype
from ..pipeline.job import Job
from ..pipeline.ledger import Ledger, Outcome
from ..pipeline.places import Layout
from ..pipeline.provenance import read_with_identity
from ..pipeline.reference_contrast import find_contrast
from ..pipeline.work import Work
from ..plugin.datasets import Scan, Subject
from ..plugin.exporters import Exporter
from ..plugin.label_meaning import LabelSetFinder
from ..plugin.model_references import ModelReference
from ..plugin.models import UNCERTAINTY, ModelCard, computation_of
from ..plugin.plugin_files import PluginFile
from ..plugin.registry import Registry
from ..report.libraries import require_report_libraries
from .certifying import choose_segmenter
from .choosing import (
    RequestedOption,
    SelectionOptions,
    choose_model,
    choose_options,
    list_subjects,
    load_registry,
    read_card,
    warn_of_note,
)
from .cohort_options import CohortOptions
from .cohort_run import CohortRun, choose_engine, choose_works
from .dry_run import describe_run
from .errors import (
    NotAloneError,
    OtherSourceError,
    ReferenceIsLabelMapError,
    RepeatedValueError,
)
from .follow_up import FollowUp, NothingToReportError, require_readable_outputs
from .further_sources import FurtherSources, choose_sources, require_sources
from .label_choices import advise_on_labels, choose_label_set, choose_source_labels
from .lines import log
from .opening import open_scan, read_volume
from .progress import Reporter, reporting
from .segmenting import MODEL_FLAG

_LIKE_LABEL_SET = "--like-label-set"


@dataclass(frozen=True, kw_only=True)
class RunOptions(SelectionOptions, CohortOptions):
    """The options that ``oasis-gan run`` takes."""

    out: Path
    model: str | None
    exporter: str
    dtype: str | None
    overwrite: bool
    options: tuple[tuple[str, str], ...]
    plane: str | None
    texture: str | None
    precision: str | None
    uncertainty: bool
    like: Path | None
    like_labels: Path | None
    like_label_set: str | None
    evaluate: bool
    segmenter: str | None
    preview: bool
    report: bool

    def make_layout(self) -> Layout:
        """Return where the files of the run go."""
        return Layout(self.out)

    def filter_subjects(self, subjects: list[Subject]) -> list[Subject]:
        """Return the subjects to translate, of those that the selections hold."""
        return subjects

    def collect_options(self) -> dict[str, RequestedOption]:
        """Return what the user typed for options of the model.

        Raises:
            OasisGanError: If an option is given twice.
        """
        shorthands = {
            "plane": self.plane,
            "texture": self.texture,
            "precision": self.precision,
            UNCERTAINTY: "true" if self.uncertainty else None,
        }
        typed = [(name, text, f"--{name}") for name, text in shorthands.items() if text is not None]
        typed.extend((name, text, "--option") for name, text in self.options)
        requested: dict[str, RequestedOption] = {}
        for name, text, flag in typed:
            if name in requested:
                earlier = requested[name].text
                raise RepeatedValueError(flag, f"one value for {name}", earlier, text)
            requested[name] = RequestedOption(text, flag)
        return requested


def run(options: RunOptions) -> int:
    """Translate subjects; return 0 if all are done or were there already, 1 if some failed.

    Raises:
        OasisGanError: If the options cannot be followed; nothing has been translated then.
        OSError: If the output folder cannot be written to; nothing has been translated then either.
    """
    registry = load_registry(options.plugin_files)
    kind, folder = choose_model(registry, options.model)
    card = read_card(kind, folder)
    values = choose_options(card, options.collect_options())
    exporter = registry[Exporter].get(options.exporter)
    # Whatever can be refused at once is refused before TensorFlow is loaded and data are read.
    _require_consistency(options, card)
    names = list(card.sources)
    places = choose_sources(options.further, names, card.name)
    source_labels = _choose_source_labels(options, card)
    _require_readable_outputs(options, registry, exporter)
    follow_up = _choose_follow_up(options, registry, card)
    further = FurtherSources.of(options, registry, places)
    plugin_files = map(PluginFile.identify, options.plugin_files)
    model = ModelReference.of(kind, folder, card, values, plugin_files)
    subjects, broken = list_subjects(
        registry,
        options.make_selections(),
        options.dataset,
        options.labels,
        options.source_is,
        advise_on_labels(registry, card=card),
        further.join,
        source_labels,
    )
    subjects = options.filter_subjects(subjects)
    require_sources(subjects, names, places, card.name)
    layout = options.make_layout()
    with reporting("translating", len(subjects)) as reporter:
        # The model is loaded first, so that a bad model or reference leaves no folder behind.
        job = _make_job(options, registry, model, exporter, layout) if subjects else None
        ledger = Ledger(layout.ledger)
        works = _plan(subjects, job, ledger, options)
        if options.dry_run:
            return _describe(works, broken, ledger, options)
        _prepare(options.out, reporter)
        run = CohortRun(reporter, ledger, len(works) + len(broken))
        status = _translate(run, works, broken, options)
    if follow_up is None or follow_up.add_to_all(run.outputs, subjects, options.out):
        return status
    return 1


def _plan(
    subjects: list[Subject], job: Job | None, ledger: Ledger, options: RunOptions
) -> list[Work]:
    """Return the work on the subjects that the user chooses; without a job, there is none."""
    works = plan_works(subjects, job) if job is not None else []
    return choose_works(works, options, ledger.earlier)


def _translate(
    run: CohortRun, works: list[Work], broken: list[Outcome], options: RunOptions
) -> int:
    """Report what could not be listed, translate the other subjects, and return the exit status."""
    for outcome in broken:
        run.add(outcome)
    run.translate(works, choose_engine(options), stop=options.stops_on_failure)
    return run.finish()


def _describe(works: list[Work], broken: list[Outcome], ledger: Ledger, options: RunOptions) -> int:
    """Print what the run would do, and what is known to fail; return the exit status."""
    for outcome in broken:
        log(f"{outcome.subject}: {outcome.status} - {outcome.message}")
    describe_run(works, ledger, options.out, options.jobs or 1)
    return int(bool(broken))


def _prepare(out: Path, reporter: Reporter) -> None:
    """Make the output folder, test that it can be written to, and remove what killed runs left.

    Raises:
        OSError: If it cannot be written to.
    """
    out.mkdir(parents=True, exist_ok=True)
    swept = sweep(out)
    if swept:
        files = "file" if swept == 1 else "files"
        reporter.log(f"{out}: removed {swept} unfinished {files} of a run that was killed")
    try:
        with hold_name(out, "may I write here?"):
            pass
    # The error would name a file of `hold_name`, of which the user knows nothing.
    except OSError as error:
        raise OSError(error.errno, error.strerror, str(out)) from error


def _require_consistency(options: RunOptions, card: ModelCard) -> None:
    """Raise `OasisGanError` if options contradict one another, or the model."""
    _require_reference(options)
    _require_content(options, card)


def _require_reference(options: RunOptions) -> None:
    """Raise `OasisGanError` if an option is about a reference, but none is named."""
    if options.like_labels is not None and options.like is None:
        raise NotAloneError("--like-labels", "--like", "name the reference")
    if options.like_label_set is not None and options.like_labels is None:
        remedy = "name the label map of the reference"
        raise NotAloneError(_LIKE_LABEL_SET, "--like-labels", remedy)


def _choose_source_labels(options: RunOptions, card: ModelCard) -> dict[str, str]:
    """Return the label sets that the user names for further sources."""
    further = list(card.sources.items())[1:]
    maps = [name for name, source in further if source.content == "labels"]
    return choose_source_labels(options.source_labels, maps, card.name)


def _require_readable_outputs(
    options: RunOptions,
    registry: Registry,
    exporter: Exporter,
) -> None:
    """Raise `OasisGanError` if outputs are to be read back, and no plugin reads their format."""
    requested = {
        "--evaluate": options.evaluate,
        "--preview": options.preview,
        "--report": options.report,
    }
    for flag, is_requested in requested.items():
        if is_requested:
            require_readable_outputs(registry, exporter, flag)


def _choose_follow_up(options: RunOptions, registry: Registry, card: ModelCard) -> FollowUp | None:
    """Return what is added to the outputs once they are written, if anything is asked for."""
    segmenter = None
    if options.evaluate:
        segmenter = choose_segmenter(registry, card, options.segmenter, options.plugin_files)
    elif options.segmenter is not None:
        raise NotAloneError(MODEL_FLAG, "--evaluate", "add --evaluate")
    # A missing package is named now, and not after hours of translating.
    if options.report:
        require_report_libraries()
        require_libraries()
        if card.target.content != "image":
            raise NothingToReportError(card)
    if not (segmenter or options.preview or options.report):
        return None
    return FollowUp(
        registry=registry,
        card=card,
        segmenter=segmenter,
        preview=options.preview,
        report=options.report,
    )


def _require_content(options: RunOptions, card: ModelCard) -> None:
    """Raise `OasisGanError` if SOURCE is said to hold something else than the model translates."""
    content = card.source.content
    if options.source_is not in (None, content):
        raise OtherSourceError(content, str(options.source_is))


def _make_job(
    options: RunOptions,
    registry: Registry,
    model: ModelReference,
    exporter: Exporter,
    layout: Layout,
) -> Job:
    """Load the model, find the contrast that is asked for, and return how to translate subjects."""
    card = _load_model(model)
    target, references = _find_contrast(options, registry, card)
    return Job(
        model=model,
        exporter=exporter,
        datatype=choose_datatype(target or card.target, options.dtype),
        layout=layout,
        overwrite=options.overwrite,
        update=options.update,
        target=target,
        references=references,
    )


def _load_model(model: ModelReference) -> ModelCard:
    """Load a model, say what a user should know of it, and return its card."""
    translator = model.load()
    card = translator.card
    warn_of_note(card, model.folder)
    computation = computation_of(translator)
    if computation is not None and computation.note:
        log(computation.note)
    return card


def _find_contrast(
    options: RunOptions, registry: Registry, card: ModelCard
) -> tuple[Window | None, dict[str, Identity]]:
    """Return the contrast that is asked for, if any, and what it was taken from."""
    if options.like is None:
        return None, {}
    scan = _open_scan(options, registry, options.like, "image")
    if scan.known_content == "labels":
        raise ReferenceIsLabelMapError(options.like)
    references = {}
    reference, references["like"] = read_with_identity(scan.with_content("image"), read_volume)
    labels = None
    if options.like_labels is not None:
        scan = _open_like_labels(options, registry, options.like_labels, card)
        label_set = card.source.label_set
        if label_set is not None:
            scan = scan.in_labels(label_set)
        labels, references["like_labels"] = read_with_identity(
            scan.with_content("labels"), read_volume
        )
    _log_notes("--like", reference)
    if labels is not None:
        _log_notes("--like-labels", labels)
    return find_contrast(card, reference, labels, options.like, options.like_labels), references


def _log_notes(option: str, volume: Volume) -> None:
    """Say what was odd about a volume that an option names, such as NaN for background."""
    for note in volume.notes:
        if not isinstance(note, AssumptionNote):
            log(f"{option}: {note}")


def _open_like_labels(options: RunOptions, registry: Registry, path: Path, card: ModelCard) -> Scan:
    """Return the label map of the reference, with the meaning of its values if that is known."""
    advice = advise_on_labels(registry, _LIKE_LABEL_SET, card)
    explicit = choose_label_set(options.like_label_set, advice) if options.like_label_set else None
    scan = _open_scan(options, registry, path, "labels")
    return LabelSetFinder(advice).describe(scan, explicit=explicit)


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
