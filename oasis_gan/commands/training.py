"""``oasis-gan train``."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import click

from ..datasets import Selection
from ..errors import OasisGanError
from ..models import TrainingRequest
from .choosing import first, list_subjects, load_registry, say


@dataclass(frozen=True)
class TrainOptions:
    """The options of ``oasis-gan train``."""

    sources: tuple[Path, ...]
    out: Path
    kind: str | None
    recipe: Path | None
    settings: tuple[str, ...]
    validate: tuple[str, ...]
    dataset: str | None
    target_root: Path | None
    source_suffix: str
    target_suffix: str
    plugin_files: tuple[Path, ...]


def train(options: TrainOptions) -> int:
    """Train a model and print its folder.

    Raises:
        OasisGanError: If options, recipe or data do not do.
        OSError: As the file system says.
    """
    registry = load_registry(options.plugin_files)
    trainable = [kind for kind in registry.models.offers.values() if kind.train is not None]
    kind = registry.models.get(options.kind) if options.kind else first(trainable, "model kind that can be trained")
    if kind.train is None:
        raise OasisGanError(kind.name, expected="a kind that can be trained", found="none", remedy="see --kind")
    if (options.out / "model.json").exists():
        raise OasisGanError(options.out, expected="a new folder", found="a model in it", remedy="name another --out")
    recipe = _recipe(options)
    suffixes = options.source_suffix, options.target_suffix
    selections = [Selection(source, options.target_root, *suffixes) for source in options.sources]
    subjects, broken = list_subjects(registry, selections, options.dataset)
    for outcome in broken:
        say(outcome.message)
    held_out = tuple(subject for subject in subjects if subject.name in options.validate)
    missing = set(options.validate) - {subject.name for subject in held_out}
    if missing:
        expected = f"one of {', '.join(subject.name for subject in subjects)}"
        raise OasisGanError("--validate", expected=expected, found=min(missing), remedy="name subjects as listed")
    learnt = tuple(subject for subject in subjects if subject.name not in options.validate)
    kind.train(TrainingRequest(learnt, held_out, options.out, recipe, say))
    click.echo(options.out)
    return 0


def _recipe(options: TrainOptions) -> dict[str, Any]:
    """Return the recipe's settings with those of ``--set`` over them; dots in a key reach into tables."""
    recipe: dict[str, Any] = {}
    where: object = options.recipe
    try:
        if options.recipe is not None:
            recipe = tomllib.loads(options.recipe.read_text("utf-8"))
        for where in options.settings:
            _put(recipe, where)
    except (ValueError, TypeError, AttributeError) as error:
        raise OasisGanError(where, expected="TOML: key = value", found=str(error), remedy="mend it") from None
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
