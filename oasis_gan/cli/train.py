"""Train a model, or resume a training: ``oasis-gan train``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from ..checks.doctor import find_side
from ..checks.splitting import Split
from ..errors import printable, restoring_interruptions
from ..image.label_sets import LabelSets, identity_of
from ..io.claims import sweep
from ..plugin.datasets import Subject
from ..plugin.models import ModelKind, TrainingRequest
from ..plugin.registry import Registry
from ..plugin.training_data import TrainingData
from .choosing import (
    SelectionOptions,
    list_subjects,
    load_registry,
    require_listed,
)
from .further_sources import FurtherSources, require_sources
from .label_choices import advise_on_labels, choose_source_labels
from .lines import log
from .progress import Reporter, reporting
from .signals import Stopped
from .stopping import StopRequest
from .streams import write_result
from .training_errors import (
    OtherContentError,
    UntrainableKindError,
    WrongTrainingDataError,
)
from .training_folder import TrainingRun, hold_training_folder
from .training_labels import label_set_in, require_same_labels, with_label_set
from .training_record import TrainingRecord
from .training_selection import recall_selection
from .training_sides import examine_sides, recall_sides
from .training_sources import OWNER, choose_training_sources, prepare_subject
from .training_start import TrainOptions, begin_training, require_new, resume_training


def train(options: TrainOptions) -> int:
    """Train a model, or resume a training, and print its folder.

    Returns:
        0, or what a shell expects of a process that was stopped by a signal.

    Raises:
        OasisGanError: If the options, the recipe or the data cannot be used.
        OSError: If the file system fails.
    """
    with StopRequest() as stop:
        training = _Training(options, stop)
        # What has been learnt until then is saved.
        with suppress(Stopped), restoring_interruptions():
            training.run()
        if training.stopped_early:
            log(training.describe_stop())
            return stop.exit_status
    if training.out is not None:
        write_result(training.out)
    return 0


@dataclass(frozen=True, kw_only=True)
class _Plan:
    """A training whose settings are checked, and whose data are not read yet.

    Args:
        registry: The installed plugins.
        out: The folder of the training.
        new: Whether it begins; otherwise it is resumed.
        run: What was asked of it.
        kind: The kind of model.
        learn: What trains that kind.
        recipe: The settings as the kind takes them.
        data: What it learns from.
    """

    registry: Registry
    out: Path
    new: bool
    run: TrainingRun
    kind: ModelKind
    learn: Callable[[TrainingRequest], None]
    recipe: Mapping[str, object]
    data: TrainingData

    @property
    def leading(self) -> bool:
        """Whether this process writes to the folder: one of several that train together does."""
        return self.kind.leads is None or self.kind.leads()


class _Training:
    """One call of ``oasis-gan train``."""

    def __init__(self, options: TrainOptions, stop: StopRequest) -> None:
        self._options = options
        self._stop = stop
        self._step = 0
        self._steps = 0
        self.out = options.resume or options.out

    @property
    def stopped_early(self) -> bool:
        """Whether a signal came before the last step."""
        # A signal during the last step comes too late: the training is finished.
        return self._stop.signal is not None and not 0 < self._steps == self._step

    def run(self) -> None:
        """Check what was asked for, read the data and train."""
        plan = _make_plan(self._options)
        with hold_training_folder(plan.out, new=plan.new, leading=plan.leading):
            # Asked again: another training may have ended here before this one held the folder.
            if plan.new:
                require_new(plan.out)
            sides = _choose_sides(plan, self._options)
            record = TrainingRecord(plan.out, plan.run, sides)
            if plan.new:
                record.write()
            _sweep_cache(plan.run)
            with reporting("training") as reporter:
                plan.learn(self._make_request(record, plan.recipe, reporter))
            # If nothing was left to learn, no step has written it.
            record.write()

    def describe_stop(self) -> str:
        """Return what to say of a training that was stopped by a signal."""
        if self._step:
            command = f"oasis-gan train --resume {shlex.quote(str(self.out))}"
            return printable(f"stopped at step {self._step}; go on with: {command}")
        if self._options.resume is not None:
            return "stopped before the next step, nothing is lost; go on with the same command"
        reason = "stopped before the first step: there was nothing to save"
        return f"{reason}; start again with the same command"

    def _make_request(
        self, record: TrainingRecord, recipe: Mapping[str, object], reporter: Reporter
    ) -> TrainingRequest:
        def advance(step: int, steps: int, doing: str) -> None:
            self._step = step
            self._steps = steps
            record.write()
            reporter.advance(step, steps, doing)

        return TrainingRequest(
            subjects=record.sides.training,
            validation=record.sides.held_out,
            out=record.out,
            recipe=recipe,
            report=reporter.log,
            progress=advance,
            cache=record.run.cache_folder(),
            resume=self._options.resume is not None,
            stop_requested=self._stop.poll,
        )


def _make_plan(options: TrainOptions) -> _Plan:
    """Return what a command asks for.

    Raises:
        OasisGanError: If it cannot be done.
    """
    registry = load_registry(options.plugin_files)
    label_sets = advise_on_labels(registry).label_sets
    new = options.resume is None
    if options.resume is None:
        out, run = begin_training(options, registry, label_sets)
    else:
        out = options.resume
        run = resume_training(out, options, registry)
    kind = registry[ModelKind].get(run.kind)
    learn = _require_trainable(kind)
    recipe = with_label_set(run.recipe, label_sets)
    data = _describe_data(kind, recipe)
    run = replace(run, label_set=identity_of(data.label_set))
    plan = _Plan(
        registry=registry,
        out=out,
        new=new,
        run=run,
        kind=kind,
        learn=learn,
        recipe=recipe,
        data=data,
    )
    if not new:
        _check_resume(plan, label_sets)
    return plan


def _sweep_cache(run: TrainingRun) -> None:
    """Remove what trainings that were killed have left in a shared folder."""
    folder = run.cache_folder()
    if folder is not None:
        sweep(folder)


def _require_trainable(kind: ModelKind) -> Callable[[TrainingRequest], None]:
    """Return the function that trains a kind of model."""
    if kind.train is None:
        raise UntrainableKindError(kind.name)
    return kind.train


def _describe_data(kind: ModelKind, recipe: Mapping[str, object]) -> TrainingData:
    """Return what a training learns from, once its kind has checked the settings.

    Raises:
        OasisGanError: If a setting is wrong, or the kind returns something else.
    """
    description = kind.check_settings(recipe) if kind.check_settings is not None else None
    if description is None:
        return TrainingData(label_set=label_set_in(recipe))
    if not isinstance(description, TrainingData):
        raise WrongTrainingDataError(kind.name, description)
    return description


def _check_resume(plan: _Plan, label_sets: LabelSets) -> None:
    """Raise `OasisGanError` if a training cannot go on as is asked for now."""
    before = TrainingRun.read(plan.out)
    require_same_labels(plan.out, before, plan.run, plan.data.label_set)
    if plan.kind.check_resume is not None:
        recipe_before = with_label_set(before.recipe, label_sets)
        plan.kind.check_resume(plan.out, recipe_before, plan.recipe)


def _choose_sides(plan: _Plan, options: TrainOptions) -> Split:
    """Return the subjects to learn from and those to hold out, their labels converted."""
    selection: SelectionOptions = options
    if not plan.new:
        selection = recall_selection(plan.run.selection, options.plugin_files)
    subjects = _list_subjects(plan, selection)
    validate = plan.run.validate
    labels = plan.data.label_set
    # What the data keep for a test is neither learnt nor looked at.
    prepared = [
        prepare_subject(subject, plan.data)
        for subject in subjects
        if find_side(subject, validate) in {"train", "validate"}
    ]
    if not plan.new:
        return recall_sides(plan.out, prepared, labels, validate)
    require_listed(validate, subjects)
    return examine_sides(prepared, labels, validate)


def _list_subjects(plan: _Plan, selection: SelectionOptions) -> list[Subject]:
    """Return the subjects of a training with their further sources, and print what is broken."""
    data = plan.data
    # With images as sources, --labels is about the targets.
    source_is = selection.source_is or ("image" if data.source == "image" else None)
    places = choose_training_sources(selection.further, data)
    source_labels = choose_source_labels(selection.source_labels, data.further_label_maps, OWNER)
    further = FurtherSources.of(selection, plan.registry, places)
    subjects, broken = list_subjects(
        plan.registry,
        selection.make_selections(),
        selection.dataset,
        selection.labels,
        source_is,
        join=further.join,
        source_labels=source_labels,
    )
    require_sources(subjects, list(data.sources), places, OWNER)
    if selection.source_is and data.source and data.source != selection.source_is:
        raise OtherContentError(data.source, selection.source_is)
    for outcome in broken:
        log(outcome.message)
    return subjects
