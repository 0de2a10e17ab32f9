"""``oasis-gan train``."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..datasets import Selection
from ..errors import OasisGanError, one_line
from ..files import write_atomically
from ..models import ModelKind, TrainingRequest
from ..progress import reporting
from ..registry import Registry
from ..splitting import split, write_split
from .choosing import first, list_subjects, load_registry, say

_RUN = "run.json"
"""What a training was asked for, in its folder: enough to go on with it."""


@dataclass(frozen=True)
class TrainOptions:
    """The options of ``oasis-gan train``."""

    sources: tuple[Path, ...]
    out: Path | None
    resume: Path | None
    kind: str | None
    preset: str | None
    recipe: Path | None
    settings: tuple[str, ...]
    validate: tuple[str, ...]
    dataset: str | None
    target_root: Path | None
    source_suffix: str
    target_suffix: str
    plugin_files: tuple[Path, ...]


def train(options: TrainOptions) -> int:
    """Train a model, or go on with a training, and print its folder.

    Raises:
        OasisGanError: If options, recipe or data do not do.
        OSError: As the file system says.
    """
    registry = load_registry(options.plugin_files)
    out, run = _resumed(options) if options.resume else _begun(options, registry)
    kind = registry.models.get(run["kind"])
    if kind.train is None:
        raise OasisGanError(kind.name, expected="a kind that can be trained", found="none", remedy="see --kind")
    target_root = Path(run["target_root"]) if run["target_root"] else None
    selections = [
        Selection(Path(source), target_root, run["source_suffix"], run["target_suffix"]) for source in run["sources"]
    ]
    subjects, broken = list_subjects(registry, selections, run["dataset"])
    for outcome in broken:
        say(outcome.message)
    sides = split(subjects, run["validate"])
    write_split(out, sides)
    write_atomically(out / _RUN, json.dumps(run, indent=2).encode())
    with reporting("training") as reporter:
        request = TrainingRequest(
            sides.learnt, sides.held_out, out, run["recipe"], reporter.say, reporter.advance, options.resume is not None
        )
        kind.train(request)
    click.echo(out)
    return 0


def _begun(options: TrainOptions, registry: Registry) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a new training, and what is asked for in it."""
    if options.out is None or not options.sources:
        found = "neither" if options.out is None and not options.sources else "one of them"
        raise OasisGanError("train", expected="SOURCE and --out, or --resume", found=found, remedy="name both")
    for name in (_RUN, "model.json"):
        if (options.out / name).exists():
            remedy = "name another --out, or go on with it by --resume"
            raise OasisGanError(options.out, expected="a new folder", found=f"one with a {name}", remedy=remedy)
    trainable = [kind.name for kind in registry.models.offers.values() if kind.train is not None]
    kind = options.kind or first(trainable, "model kind that can be trained")
    recipe: dict[str, Any] = {}
    if options.preset is not None:
        recipe = _read(_preset(registry.models.get(kind), options.preset))
    if options.recipe is not None:
        _merge(recipe, _read(options.recipe))
    return options.out, {
        "kind": kind,
        "sources": [str(source.absolute()) for source in options.sources],
        "target_root": str(options.target_root.absolute()) if options.target_root else None,
        "source_suffix": options.source_suffix,
        "target_suffix": options.target_suffix,
        "dataset": options.dataset,
        "validate": sorted(options.validate),
        "recipe": _with_settings(recipe, options.settings),
    }


def _resumed(options: TrainOptions) -> tuple[Path, dict[str, Any]]:
    """Return the folder of a training that was begun, and what was asked for in it; ``--set`` may change settings."""
    assert options.resume is not None  # noqa: S101 - the caller has looked
    given = [options.out, options.kind, options.preset, options.recipe, options.dataset, options.target_root]
    if options.sources or options.validate or any(option is not None for option in given):
        expected, found = "--resume FOLDER, with --set at most", "other options beside it"
        raise OasisGanError("--resume", expected=expected, found=found, remedy="leave them out")
    path = options.resume / _RUN
    try:
        run = json.loads(path.read_bytes())
        _with_settings(run["recipe"], options.settings)
    except (OSError, ValueError, KeyError, TypeError) as error:
        remedy = "name the --out of a training"
        raise OasisGanError(path, expected="a training to go on with", found=one_line(error), remedy=remedy) from None
    return options.resume, run


def _preset(kind: ModelKind, name: str) -> Path:
    if name not in kind.presets:
        expected = f"one of {', '.join(kind.presets) or 'none'}"
        raise OasisGanError("--preset", expected=expected, found=name, remedy="name one of these")
    return kind.presets[name]


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
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
