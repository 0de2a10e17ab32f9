"""Move settings from the names that they had in an earlier version to their present names."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Table = dict[str, Any]


def rename_settings(settings: Mapping[str, Any], renamed: Mapping[str, str]) -> Table:
    """Return settings under their present names; the given ones are not changed.

    A setting that is given under its earlier and its present name keeps both, so that the kind of
    model can refuse them. Tables without renamed settings are not copied.

    Args:
        settings: The settings; a table of settings is a mapping within.
        renamed: The present names of settings, by their earlier ones. A dot reaches into a table.
    """
    answer = dict(settings)
    before = _list_tables(renamed)
    after = _list_tables(renamed.values())
    for table in before | after:
        _copy_table(answer, table)
    for earlier, present in renamed.items():
        _move(answer, earlier.split("."), present.split("."))
    for table in before - after:
        # A table whose settings have all moved is no longer known.
        if answer.get(table) == {}:
            del answer[table]
    return answer


def _list_tables(names: Iterable[str]) -> set[str]:
    """Return the tables that settings are in, by their full names."""
    return {name.rpartition(".")[0] for name in names if "." in name}


def _copy_table(settings: Table, name: str) -> None:
    """Replace a table of settings by a copy, if it is there."""
    table = settings
    for part in name.split("."):
        inner = table.get(part)
        if not isinstance(inner, Mapping):
            return
        table[part] = dict(inner)
        table = table[part]


def _move(settings: Table, earlier: Sequence[str], present: Sequence[str]) -> None:
    """Move a setting, unless it is missing or its present name is taken."""
    before = _find_table(settings, earlier[:-1])
    if before is None or earlier[-1] not in before:
        return
    after = _find_table(settings, present[:-1], add=True)
    if after is not None and present[-1] not in after:
        after[present[-1]] = before.pop(earlier[-1])


def _find_table(settings: Table, path: Sequence[str], *, add: bool = False) -> Table | None:
    """Return the table at a path; None if there is none, or something else is there."""
    table = settings
    for name in path:
        inner = table.setdefault(name, {}) if add else table.get(name)
        if not isinstance(inner, dict):
            return None
        table = inner
    return table
