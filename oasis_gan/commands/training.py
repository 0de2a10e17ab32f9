"""``oasis-gan train``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, fields, replace
from pathlib import Path
from typing import Any

from ..checks.doctor import examine_all, side_of
from ..checks.findings import Verdict
from ..choices import MAX_VOXELS
from ..datasets import Subject
from ..errors import OasisGanError, one_line
from ..files import read_small, write_atomically
from ..label_sets import LABEL_SETS, OASIS
from ..labels import LabelSet
from ..models import ModelKind, TrainingRequest
from ..progress import reporting
from ..registry import Registry
from ..splitting import Split, split, write_split
from ..streams import write_result
from .choosing import SelectionOptions, first, list_subjects, load_registry, require_listed, say
from .examining import report_line

_RUN = "run.json"
"""What a training was asked for, in its folder: enough to go on with it."""
_WITH_RESUME = {"resume", "settings", "plugin_files"}
_NOT_GIVEN = (None, (), "", MAX_VOXELS)
"""What options are where the user names none."""


@dataclass(frozen=True, kw_only=True)
class TrainOptions(SelectionOptions):
    """The options of ``oasis-gan train``."""

    out: Path | None
    resume: Path | None
    kind: str | None
    preset: str | None
    recipe: Path | None
    settings: tuple[str, ...]
    validate: tuple[str, ...]


def train(options: TrainOptions) -> int:
    """Train a model, or go on with a training, and print its folder.

    Raises:
        OasisGanError: If options, recipe or data do not do.
        OSError: As the file system says.
    """
    registry = load_registry(options.plugin_files)
    out, run = _resumed(options.resume, options) if options.resume else _begun(options, registry)
    kind = registry.models.get(run["kind"])
    if kind.train is None:
        raise OasisGanError(kind.name, expected="a kind that can be trained", found="none", remedy="see --kind")
    if kind.check_settings is not None:
        kind.check_settings(run["recipe"])
    selecting = _selecting(run["selection"], options.plugin_files) if options.resume else options
    subjects, broken = list_subjects(registry, selecting.selections(), selecting.dataset, selecting.labels)
    for outcome in broken:
        say(outcome.message)
    require_listed(run["validate"], subjects)
    sides = _healthy(subjects, _label_set(run["recipe"]), run["validate"])
    write_split(out, sides)
    write_atomically(out / _RUN, _as_json(run))
    with reporting("training") as reporter:
        request = TrainingRequest(
            sides.learnt, sides.held_out, out, run["recipe"], reporter.say, reporter.advance, options.resume is not None
        )
        kind.train(request)
    write_result(out)
    return 0


def _begun(options: TrainOptions, registry: Registry) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a new training, and what is asked for in it."""
    if options.out is None or not options.sources:
        found = "neither" if options.out is None and not options.sources else "one of them"
        raise OasisGanError("train", expected="SOURCE and --out, or --resume", found=found, remedy="name both")
    trainable = [kind.name for kind in registry.models.offers.values() if kind.train is not None]
    kind = options.kind or first(trainable, "model kind that can be trained")
    recipe: dict[str, Any] = {}
    if options.preset is not None:
        recipe = _read(_preset(registry.models.get(kind), options.preset))
    if options.recipe is not None:
        _merge(recipe, _read(options.recipe))
    run = {
        "kind": kind,
        "selection": _selection(options),
        "validate": sorted(options.validate),
        "recipe": _with_settings(recipe, options.settings),
    }
    _require_new(options.out, run)
    return options.out, run


def _require_new(out: Path, run: dict[str, Any]) -> None:
    """Raise `OasisGanError` if the folder is that of another training; the same may be begun on several machines."""
    path = out / _RUN
    begun = path.exists() and path.read_bytes() != _as_json(run)
    if begun or (out / "model.json").exists():
        remedy = "name another --out, or go on with it by --resume"
        raise OasisGanError(out, expected="a new folder", found="one with a training in it", remedy=remedy)


def _as_json(run: dict[str, Any]) -> bytes:
    return json.dumps(run, indent=2).encode()


def _selection(options: TrainOptions) -> dict[str, Any]:
    """Return what chooses the subjects, as JSON that is understood from any folder."""
    names = [field.name for field in fields(SelectionOptions) if field.name != "plugin_files"]
    return {name: _absolute(getattr(options, name)) for name in names}


def _absolute(value: Any) -> Any:  # noqa: ANN401 - an option of any type
    if isinstance(value, Path):
        return str(value.absolute())
    return [_absolute(one) for one in value] if isinstance(value, tuple) else value


def _selecting(selection: Mapping[str, Any], plugin_files: tuple[Path, ...]) -> SelectionOptions:
    """Return the options that `_selection` wrote down."""
    paths = {
        "sources": tuple(Path(source) for source in selection["sources"]),
        "target_root": Path(selection["target_root"]) if selection["target_root"] else None,
    }
    tuples = {name: tuple(value) for name, value in selection.items() if isinstance(value, list)}
    return SelectionOptions(**{**selection, **tuples, **paths}, plugin_files=plugin_files)


def _label_set(recipe: dict[str, Any]) -> LabelSet:
    """Return the set that the model is to learn from; a name that is none is for the kind to refuse."""
    return LABEL_SETS.get(str(recipe.get("labels")), OASIS)


def _healthy(subjects: Iterable[Subject], labels: LabelSet, validate: Collection[str]) -> Split:
    """Return whom to learn from and whom to hold out, their labels converted; say who is left out, and why.

    Raises:
        OasisGanError: If a person is on both sides, or nobody is left to learn from.
    """
    sides: dict[str, list[Subject]] = {"train": [], "validate": []}
    # What the data keep for a test is neither learnt nor looked at.
    shown = [_converted(subject, labels) for subject in subjects if side_of(subject, validate) in sides]
    for examined in examine_all(shown, labels, validate):
        if examined.twin is not None:
            name, remedy = examined.subject.name, "put both on one side, or leave one of them out"
            found = f"{name} and {examined.twin}, the same head"
            raise OasisGanError(
                "training data", expected="different heads to learn and to measure on", found=found, remedy=remedy
            )
        verdict = examined.report.verdict
        if verdict is Verdict.REJECT:
            say(f"left out {report_line(examined.report)}")
        else:
            if examined.report.message:
                say(report_line(examined.report))
            sides[examined.side].append(examined.subject)
    return split(sides["train"], sides["validate"])


def _converted(subject: Subject, labels: LabelSet) -> Subject:
    target = subject.target.in_labels(labels) if subject.target else None
    return replace(subject, source=subject.source.in_labels(labels), target=target)


def _resumed(folder: Path, options: TrainOptions) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a training that was begun, and what was asked for in it; ``--set`` may change settings."""
    given = [getattr(options, field.name) for field in fields(options) if field.name not in _WITH_RESUME]
    if any(option not in _NOT_GIVEN for option in given):
        expected, found = "--resume FOLDER, with --set at most", "other options beside it"
        raise OasisGanError("--resume", expected=expected, found=found, remedy="leave them out")
    path = folder / _RUN
    try:
        run = json.loads(path.read_bytes())
        _with_settings(run["recipe"], options.settings)
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "name the --out of a training"
        raise OasisGanError(path, expected="a training to go on with", found=one_line(error), remedy=remedy) from None
    return folder, run


def _preset(kind: ModelKind, name: str) -> Path:
    if name not in kind.presets:
        expected = f"one of {', '.join(kind.presets) or 'none'}"
        raise OasisGanError("--preset", expected=expected, found=name, remedy="name one of these")
    return kind.presets[name]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(read_small(path).decode())
    except ValueError as error:
        raise OasisGanError(path, expected="TOML: key = value", found=str(error), remedy="mend it") from None


def _merge(below: dict[str, Any], above: Mapping[str, Any]) -> None:
    """Put settings over others, table by table."""
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), dict):
            _merge(below[key], value)
        else:
            below[key] = value


def _with_settings(recipe: dict[str, Any], settings: Iterable[str]) -> dict[str, Any]:
    """Return a recipe with the settings of ``--set`` over its own; dots in a key reach into tables."""
    for setting in settings:
        try:
            _put(recipe, setting)
        except (ValueError, TypeError, AttributeError) as error:
            raise OasisGanError(setting, expected="key = value", found=str(error), remedy="mend it") from None
    return recipe


def _put(recipe: dict[str, Any], setting: str) -> None:
    key, equals, value = setting.partition("=")
    if not equals:
        raise ValueError("no =")
    *tables, last = key.strip().split(".")
    for table in tables:
        recipe = recipe.setdefault(table, {})
    try:
        recipe[last] = tomllib.loads(f"value = {value}")["value"]
    except tomllib.TOMLDecodeError:
        # A word without quotes, as a shell leaves it.
        recipe[last] = value.strip()
