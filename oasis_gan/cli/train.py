"""``oasis-gan train``."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping
from contextlib import suppress
from copy import deepcopy
from dataclasses import dataclass, fields, replace
from pathlib import Path

from ..checks.doctor import find_side
from ..checks.splitting import Split, write_split
from ..errors import OasisGanError, printable
from ..image.choices import MAX_VOXELS
from ..image.label_sets import OASIS, LabelSets, identity_of
from ..image.labels import LabelSet
from ..plugin.models import ModelKind, TrainingRequest
from ..plugin.registry import Registry
from ..plugin.training_data import TrainingData
from .choosing import (
    SelectionOptions,
    first,
    list_subjects,
    load_registry,
    require_listed,
)
from .flags import flag_of
from .further_sources import FurtherSources, require_all, require_distinct
from .label_choices import advise_on_labels, choose_source_labels
from .lines import say
from .progress import Reporter, reporting
from .recipes import apply_settings, compose_recipe
from .signals import Stopped
from .stopping import StopRequest
from .streams import write_result
from .training_folder import TrainingRun, has_model, hold_training_folder, relocate
from .training_labels import label_set_in, require_same_labels, with_label_set
from .training_selection import describe_places, describe_selection, recall_selection
from .training_sides import examine_sides, recall_sides
from .training_sources import OWNER, choose_training_sources, prepare_subject

_WITH_RESUME = {
    "resume",
    "settings",
    "plugin_files",
    "moved_to",
    "further",
    "target_root",
    "labels",
}
_NOT_GIVEN = (None, (), "", MAX_VOXELS)
"""What options are where the user names none."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions(SelectionOptions):
    """The options of ``oasis-gan train``."""

    out: Path | None
    resume: Path | None
    moved_to: tuple[Path, ...] = ()
    kind: str | None
    preset: str | None
    recipe: Path | None
    settings: tuple[str, ...]
    validate: tuple[str, ...]


def train(options: TrainOptions) -> int:
    """Train a model, or go on with a training, and print its folder.

    Returns:
        0, or what a shell expects of a process that was stopped by a signal.

    Raises:
        OasisGanError: If options, recipe or data do not do.
        OSError: As the file system says.
    """
    with StopRequest() as stop:
        training = _Training(options, stop)
        # Whatever has been learnt is saved.
        with suppress(Stopped):
            training.go()
        if training.stopped_early:
            say(training.farewell())
            return stop.exit_status
    if training.out is not None:
        write_result(training.out)
    return 0


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
        return self._stop.signal is not None and not 0 < self._steps == self._step

    def go(self) -> None:
        """Check what was asked for, read the data and train."""
        registry = load_registry(self._options.plugin_files)
        label_sets = advise_on_labels(registry).label_sets
        resumed = self._options.resume
        if resumed is None:
            out, run = _begin(self._options, registry, label_sets)
        else:
            out = resumed
            run = _resume(resumed, self._options)
        kind = registry[ModelKind].get(run.kind)
        learn = _require_trainable(kind)
        recipe = with_label_set(run.recipe, label_sets)
        data = _describe_data(kind, recipe)
        new = resumed is None
        if not new:
            _check_resume(kind, out, run, data.label_set, label_sets)
        run = replace(run, label_set=identity_of(data.label_set))
        leading = kind.leads is None or kind.leads()
        with hold_training_folder(out, new=new, leading=leading):
            if new:
                _require_new(out)
            sides = self._choose_sides(registry, out, run, data)
            record = _Record(out, run, sides)
            if new:
                record.write()
            with reporting("training") as reporter:
                learn(self._request(record, recipe, reporter))
            record.write()

    def farewell(self) -> str:
        """Return what to say of a training that was stopped by a signal."""
        if self._step:
            again = f"go on with: oasis-gan train --resume {shlex.quote(str(self.out))}"
            return printable(f"stopped at step {self._step}; {again}")
        if self._options.resume is not None:
            return "stopped before the next step, nothing is lost; go on with the same command"
        return "stopped before the first step: there was nothing to save; start again with the same command"

    def _request(
        self, record: _Record, recipe: Mapping[str, object], reporter: Reporter
    ) -> TrainingRequest:
        def advance(step: int, steps: int, doing: str) -> None:
            self._step = step
            self._steps = steps
            record.write()
            reporter.advance(step, steps, doing)

        return TrainingRequest(
            subjects=record.sides.learnt,
            validation=record.sides.held_out,
            out=record.out,
            recipe=recipe,
            report=reporter.say,
            progress=advance,
            resume=self._options.resume is not None,
            stop_requested=self._stop.received,
        )

    def _choose_sides(
        self, registry: Registry, out: Path, run: TrainingRun, data: TrainingData
    ) -> Split:
        """Return whom to learn from and whom to hold out, their labels converted."""
        new = self._options.resume is None
        selecting = (
            self._options if new else recall_selection(run.selection, self._options.plugin_files)
        )
        # With images as sources, --labels is said of the targets.
        source_is = selecting.source_is or ("image" if data.source == "image" else None)
        places = choose_training_sources(selecting.further, data)
        source_labels = choose_source_labels(
            selecting.source_labels, data.further_label_maps, f"of {OWNER}"
        )
        further = FurtherSources.of(selecting, registry, places)
        subjects, broken = list_subjects(
            registry,
            selecting.selections(),
            selecting.dataset,
            selecting.labels,
            source_is,
            join=further.join,
            source_labels=source_labels,
        )
        require_all(subjects, list(data.sources), places, OWNER)
        if selecting.source_is and data.source not in (None, selecting.source_is):
            raise OasisGanError(
                "--source-is",
                expected=f"{data.source}, as the recipe has it",
                found=selecting.source_is,
                remedy="leave it out, or set source",
            )
        for outcome in broken:
            say(outcome.message)
        # What the data keep for a test is neither learnt nor looked at.
        shown = [one for one in subjects if find_side(one, run.validate) in ("train", "validate")]
        shown = [prepare_subject(one, data) for one in shown]
        if not new:
            return recall_sides(out, shown, data.label_set, run.validate)
        require_listed(run.validate, subjects)
        return examine_sides(shown, data.label_set, run.validate)


class _Record:
    """What the folder of a training says of it: what was asked for, and who is on which side.

    What a resumed training is asked for counts from its first step on: one that cannot be done leaves the folder as it
    was.
    """

    def __init__(self, out: Path, run: TrainingRun, sides: Split) -> None:
        self.out = out
        self.run = run
        self.sides = sides
        self._written = False

    def write(self) -> None:
        """Write it, once."""
        if not self._written:
            write_split(self.out, self.sides)
            self.run.write(self.out)
            self._written = True


def _begin(
    options: TrainOptions, registry: Registry, label_sets: LabelSets
) -> tuple[Path, TrainingRun]:
    """Return the folder of a new training, and what is asked for in it."""
    if options.moved_to:
        remedy = "leave out --source: a new training takes SOURCE without it"
        raise OasisGanError("--source", expected="--resume beside it", found="none", remedy=remedy)
    if options.out is None or not options.sources:
        found = "neither" if options.out is None and not options.sources else "one of them"
        raise OasisGanError(
            "train", expected="SOURCE and --out, or --resume", found=found, remedy="name both"
        )
    trainable = [kind.name for kind in registry[ModelKind] if kind.train is not None]
    kind = options.kind or first(trainable, "model kind that can be trained")
    preset = (
        None
        if options.preset is None
        else _find_preset(registry[ModelKind].get(kind), options.preset)
    )
    recipe = compose_recipe(preset, options.recipe, options.settings)
    _require_new(options.out)
    selection = describe_selection(options, label_sets)
    return options.out, TrainingRun(kind, selection, tuple(sorted(options.validate)), recipe)


def _require_new(out: Path) -> None:
    """Raise `OasisGanError` if there is a model in the folder; where nothing was learnt a training may begin anew."""
    if has_model(out):
        remedy = f"name another --out, or go on with it: oasis-gan train --resume {shlex.quote(str(out))}"
        raise OasisGanError(
            out, expected="a new folder", found="one with a training in it", remedy=remedy
        )


def _resume(folder: Path, options: TrainOptions) -> TrainingRun:
    """Return what the training in a folder was asked for, with what ``--set``, ``--source`` and ``--target`` change."""
    for field in fields(options):
        if field.name not in _WITH_RESUME and getattr(options, field.name) not in _NOT_GIVEN:
            raise _unheeded(flag_of(field.name))
    run = TrainingRun.read(folder)
    # A table may have moved; a name means what it meant.
    if (
        options.labels is not None
        and not Path(run.selection.get("labels") or OASIS.name).is_absolute()
    ):
        raise _unheeded("--labels")
    selection = dict(run.selection)
    if options.moved_to:
        selection["sources"] = [str(path) for path in relocate(run.sources(), options.moved_to)]
    if options.target_root is not None:
        selection["target_root"] = str(options.target_root.absolute())
    if options.further:
        moved = require_distinct(options.further)
        selection["further"] = describe_places({**dict(selection.get("further", ())), **moved})
    if options.labels is not None:
        selection["labels"] = str(Path(options.labels).absolute())
    recipe = apply_settings(deepcopy(run.recipe), options.settings)
    run = replace(run, selection=selection, recipe=recipe)
    _require_data(run)
    return run


def _unheeded(option: str) -> OasisGanError:
    """Return what to raise for an option that a training cannot go on with."""
    remedy = (
        "leave it out; --source says where the data lie now"
        if option == "SOURCE"
        else "leave it out"
    )
    expected = "only --set, --source and --target beside it"
    return OasisGanError("--resume", expected=expected, found=option, remedy=remedy)


def _require_data(run: TrainingRun) -> None:
    """Raise `OasisGanError` if nothing is left where the data of a training lay: they have moved."""
    sources = run.sources()
    if not any(source.exists() for source in sources):
        raise OasisGanError(
            "--resume",
            expected="the data that this training learns from",
            found=f"nothing at {sources[0]}",
            remedy="say where they lie now: --source DIR",
        )
    target_root = run.target_root()
    if target_root is not None and not target_root.exists():
        raise OasisGanError(
            "--resume",
            expected="the targets that this training learns from",
            found=f"nothing at {target_root}",
            remedy="say where they lie now: --target DIR",
        )


def _require_trainable(kind: ModelKind) -> Callable[[TrainingRequest], None]:
    """Return what trains a kind of model."""
    if kind.train is None:
        raise OasisGanError(
            kind.name, expected="a kind that can be trained", found="none", remedy="see --kind"
        )
    return kind.train


def _check_resume(
    kind: ModelKind, folder: Path, run: TrainingRun, labels: LabelSet, label_sets: LabelSets
) -> None:
    """Raise `OasisGanError` if the training in a folder cannot go on as is asked for now."""
    before = TrainingRun.read(folder)
    require_same_labels(folder, before, run, labels)
    if kind.check_resume is not None:
        old, new = (with_label_set(one.recipe, label_sets) for one in (before, run))
        kind.check_resume(folder, old, new)


def _describe_data(kind: ModelKind, recipe: Mapping[str, object]) -> TrainingData:
    """Return what a training learns from, once its kind has checked the settings.

    Raises:
        OasisGanError: If a setting is wrong, or the kind returns something else.
    """
    described = kind.check_settings(recipe) if kind.check_settings is not None else None
    if described is None:
        return TrainingData(label_set=label_set_in(recipe))
    if not isinstance(described, TrainingData):
        raise OasisGanError(
            kind.name,
            expected="a TrainingData from check_settings",
            found=type(described).__name__,
            remedy="fix the model plugin",
        )
    return described


def _find_preset(kind: ModelKind, name: str) -> Path:
    if name not in kind.presets:
        expected = f"one of {', '.join(kind.presets) or 'none'}"
        raise OasisGanError("--preset", expected=expected, found=name, remedy="name one of these")
    return kind.presets[name]
