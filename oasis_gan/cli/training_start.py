"""Begin a training run, or take up one that was interrupted."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..image.choices import MAX_VOXELS
from ..image.label_sets import OASIS, LabelSets
from ..plugin.models import ModelKind
from ..plugin.registry import Registry
from .choosing import SelectionOptions, choose_default
from .flags import flag_of
from .further_sources import collect_places
from .recipes import apply_settings, compose_recipe
from .training_errors import (
    DataMovedError,
    FixedOptionError,
    MissingArgumentsError,
    NothingToResumeError,
    TrainingExistsError,
    UnknownPresetError,
)
from .training_folder import TrainingRun, has_model, relocate
from .training_selection import describe_places, describe_selection

_WITH_RESUME = {
    "resume",
    "settings",
    "plugin_files",
    "moved_to",
    "further",
    "target_root",
    "labels",
    "cache",
}
"""The options that a resumed training heeds."""
_NOT_GIVEN = (None, (), "", MAX_VOXELS)
"""The values of options that the user does not give."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions(SelectionOptions):
    """The options that ``oasis-gan train`` takes."""

    out: Path | None
    resume: Path | None
    moved_to: tuple[Path, ...] = ()
    kind: str | None
    preset: str | None
    recipe: Path | None
    settings: tuple[str, ...]
    cache: Path | None = None
    validate: tuple[str, ...]


def begin_training(
    options: TrainOptions, registry: Registry, label_sets: LabelSets
) -> tuple[Path, TrainingRun]:
    """Return the folder of a new training, and what is asked of it."""
    if options.moved_to:
        raise NothingToResumeError
    out = options.out
    if out is None or not options.sources:
        raise MissingArgumentsError("one of them" if out or options.sources else "neither")
    trainable = (kind.name for kind in registry[ModelKind] if kind.train is not None)
    name = options.kind or choose_default(trainable, "model kind that can be trained")
    kind = registry[ModelKind].get(name)
    preset = None
    if options.preset is not None:
        preset = _find_preset(kind, options.preset)
    recipe = compose_recipe(preset, options.recipe, options.settings, kind.renamed_settings)
    require_new(out)
    run = TrainingRun(
        kind=name,
        selection=describe_selection(options, label_sets),
        validate=tuple(sorted(options.validate)),
        recipe=recipe,
        cache=_describe_cache(options.cache),
    )
    return out, run


def _describe_cache(folder: Path | None) -> str:
    """Return the folder for the training slices as it is recorded, understood from any folder."""
    return str(folder.absolute()) if folder else ""


def _find_preset(kind: ModelKind, name: str) -> Path:
    if name not in kind.presets:
        raise UnknownPresetError(name, kind.presets)
    return kind.presets[name]


def require_new(out: Path) -> None:
    """Raise `OasisGanError` if a folder holds a model; one in which nothing was learnt is free."""
    if has_model(out):
        raise TrainingExistsError(out)


def resume_training(folder: Path, options: TrainOptions, registry: Registry) -> TrainingRun:
    """Return what was asked of the training in a folder, with the changes of the options."""
    _require_changeable(options)
    run = TrainingRun.read(folder)
    selection = _update_selection(run, options)
    kind = registry[ModelKind].get(run.kind)
    # A copy: settings go into the tables of the recipe itself.
    recipe = apply_settings(deepcopy(run.recipe), options.settings, kind.renamed_settings)
    cache = _describe_cache(options.cache) or run.cache
    run = replace(run, selection=selection, recipe=recipe, cache=cache)
    _require_data(run)
    return run


def _require_changeable(options: TrainOptions) -> None:
    """Raise `OasisGanError` if an option is given that a resumed training cannot change."""
    for field in fields(options):
        is_given = getattr(options, field.name) not in _NOT_GIVEN
        if is_given and field.name not in _WITH_RESUME:
            raise FixedOptionError(flag_of(field.name))


def _update_selection(run: TrainingRun, options: TrainOptions) -> dict[str, Any]:
    """Return what chooses the subjects of a training, with the new places of its data."""
    selection = dict(run.selection)
    if options.moved_to:
        selection["sources"] = [str(path) for path in relocate(run.sources(), options.moved_to)]
    if options.target_root is not None:
        selection["target_root"] = str(options.target_root.absolute())
    if options.further:
        places = {**dict(selection.get("further", ())), **collect_places(options.further)}
        selection["further"] = describe_places(places)
    if options.labels is not None:
        recorded = Path(selection.get("labels") or OASIS.name)
        # A table may have moved; a name cannot.
        if not recorded.is_absolute():
            raise FixedOptionError("--labels")
        selection["labels"] = str(Path(options.labels).absolute())
    return selection


def _require_data(run: TrainingRun) -> None:
    """Raise `OasisGanError` if nothing is left where the data of a training were."""
    sources = run.sources()
    if not any(source.exists() for source in sources):
        raise DataMovedError("data", sources[0], "--source")
    target_root = run.target_root()
    if target_root is not None and not target_root.exists():
        raise DataMovedError("targets", target_root, "--target")
