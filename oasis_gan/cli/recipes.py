"""The settings of a training as the user gives them: a preset, a TOML file over it, and single settings over both."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..errors import OasisGanError
from ..io.files import read_small

Recipe = dict[str, Any]
"""Settings by name; a table of them is a dictionary within."""


def compose_recipe(preset: Path | None, file: Path | None, settings: Iterable[str]) -> Recipe:
    """Return the settings of a preset, with those of a TOML file over them and those of ``--set`` over both.

    Raises:
        OasisGanError: If a file is not TOML, or a setting is not ``key=value``.
        OSError: If a file cannot be read.
    """
    recipe: Recipe = {}
    for path in (preset, file):
        if path is not None:
            _merge(recipe, read_recipe(path))
    return apply_settings(recipe, settings)


def read_recipe(path: Path) -> Recipe:
    """Return the settings in a TOML file.

    Raises:
        OasisGanError: If it is not TOML, or no regular file.
        OSError: If it cannot be read.
    """
    try:
        return tomllib.loads(read_small(path).decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:
        raise OasisGanError(
            path, expected="TOML: key = value", found=str(error), remedy="fix that line"
        ) from None


def apply_settings(recipe: Recipe, settings: Iterable[str]) -> Recipe:
    """Return a recipe with the settings of ``--set`` over its own; a dot in a key reaches into a table.

    Raises:
        OasisGanError: If a setting is not ``key=value``.
    """
    for setting in settings:
        key, equals, value = setting.partition("=")
        names = [name.strip() for name in key.split(".")]
        if not equals or not all(names):
            remedy = "write it as --set steps=200 or --set loss.l1_weight=50"
            raise OasisGanError("--set", expected="KEY=VALUE", found=setting, remedy=remedy)
        _put(recipe, names, _parse(value))
    return recipe


def _put(recipe: Recipe, names: list[str], value: object) -> None:
    """Set a value in a table of a recipe, which is made if there is none."""
    *tables, last = names
    for depth, table in enumerate(tables, 1):
        recipe = recipe.setdefault(table, {})
        if not isinstance(recipe, dict):
            found = f"a setting, {'.'.join(tables[:depth])}"
            expected = f"a table of settings before .{names[depth]}"
            raise OasisGanError(
                "--set",
                expected=expected,
                found=found,
                remedy="docs/training.md lists all settings",
            )
    recipe[last] = value


def _parse(value: str) -> object:
    """Return a value that is written as in TOML, or text without quotes as a shell leaves it."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return value.strip()


def _merge(below: Recipe, above: Mapping[str, Any]) -> None:
    """Put settings over others, table by table."""
    for key, value in above.items():
        if isinstance(value, Mapping) and isinstance(below.get(key), dict):
            _merge(below[key], value)
        else:
            below[key] = value
