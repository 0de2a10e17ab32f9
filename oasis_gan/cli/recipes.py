"""Compose the recipe of a training: a preset, a TOML file over it, and settings over both."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ..io.files import read_small
from ..plugin.renaming import rename_settings
from .training_errors import (
    NoSettingError,
    NoTableOfSettingsError,
    NotTomlError,
)

Recipe = dict[str, Any]
"""Settings by name; a table of settings is a dictionary within."""


def compose_recipe(
    preset: Path | None,
    file: Path | None,
    settings: Iterable[str],
    renamed: Mapping[str, str],
) -> Recipe:
    """Return the settings of a preset, overridden by a TOML file and then by ``--set``.

    Args:
        preset: The file of the preset, if there is one.
        file: The file of the user, if there is one.
        settings: The settings of ``--set``.
        renamed: The present names of settings, by their earlier ones.

    Raises:
        OasisGanError: If a file is not TOML, or a setting is not ``key=value``.
        OSError: If a file cannot be read.
    """
    recipe: Recipe = {}
    for path in (preset, file):
        if path is not None:
            _override(recipe, rename_settings(read_recipe(path), renamed))
    return apply_settings(recipe, settings, renamed)


def read_recipe(path: Path) -> Recipe:
    """Return the settings in a TOML file.

    Raises:
        OasisGanError: If it is not TOML, or no regular file.
        OSError: If it cannot be read.
    """
    try:
        # Editors on Windows put a byte-order mark in front.
        text = read_small(path).decode("utf-8-sig")
        return tomllib.loads(text)
    # Tables nested too deeply end in a RecursionError.
    except (ValueError, RecursionError) as error:
        raise NotTomlError(path, error) from None


def apply_settings(
    recipe: Recipe,
    settings: Iterable[str],
    renamed: Mapping[str, str],
) -> Recipe:
    """Return a recipe that the settings of ``--set`` have overridden.

    A dot in a key reaches into a table.

    Args:
        recipe: The recipe, in which settings can have their earlier names.
        settings: The settings of ``--set``.
        renamed: The present names of settings, by their earlier ones.

    Raises:
        OasisGanError: If a setting is not ``key=value``.
    """
    changed = rename_settings(recipe, renamed)
    for setting in settings:
        key, equals, value = setting.partition("=")
        names = [name.strip() for name in key.split(".")]
        if not equals or not all(names):
            raise NoSettingError(setting)
        name = ".".join(names)
        present_name = renamed.get(name, name)
        _put(changed, present_name.split("."), _parse(value))
    return changed


def _put(recipe: Recipe, names: list[str], value: object) -> None:
    """Set a value in a table of a recipe; a missing table is added."""
    table = recipe
    for depth, name in enumerate(names[:-1], 1):
        table = table.setdefault(name, {})
        if not isinstance(table, dict):
            key = ".".join(names[:depth])
            raise NoTableOfSettingsError(key, within=names[depth])
    table[names[-1]] = value


def _parse(value: str) -> object:
    """Return a value that is written as in TOML, or text without quotes as a shell leaves it."""
    try:
        return tomllib.loads(f"value = {value}")["value"]
    except (tomllib.TOMLDecodeError, RecursionError):
        return value.strip()


def _override(below: Recipe, above: Mapping[str, Any]) -> None:
    """Put settings over others, table by table."""
    for key, value in above.items():
        table = below.get(key)
        if isinstance(value, Mapping) and isinstance(table, dict):
            _override(table, value)
        else:
            below[key] = value
