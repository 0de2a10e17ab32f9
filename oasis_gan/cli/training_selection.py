"""Record what chooses the subjects of a training, so that a resumed training chooses the same."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from ..image.label_sets import LabelSets
from .choosing import SelectionOptions


def describe_selection(options: SelectionOptions, label_sets: LabelSets) -> dict[str, Any]:
    """Return what chooses the subjects, as JSON that is understood from any folder."""
    # Without the plugin files, which a resumed training is given anew.
    selection = {
        field.name: _as_json(getattr(options, field.name))
        for field in fields(SelectionOptions)
        if field.name != "plugin_files"
    }
    selection["further"] = describe_places(dict(options.further))
    selection["source_labels"] = [
        [name, _describe_labels(labels, label_sets)] for name, labels in options.source_labels
    ]
    if options.labels is not None:
        selection["labels"] = _describe_labels(options.labels, label_sets)
    return selection


def describe_places(places: Mapping[str, str]) -> list[list[str]]:
    """Return where further sources are, as JSON; files and folders by their absolute paths."""
    return [[name, _describe_place(where)] for name, where in places.items()]


def recall_selection(
    selection: Mapping[str, Any], plugin_files: tuple[Path, ...]
) -> SelectionOptions:
    """Return the options that `describe_selection` recorded.

    Options that an earlier version did not know have their defaults.
    """
    options: dict[str, Any] = {}
    for field in fields(SelectionOptions):
        value = selection.get(field.name)
        if isinstance(value, list):
            value = tuple(value)
        if value is None and field.default is not MISSING:
            value = field.default
        options[field.name] = value
    options["sources"] = tuple(Path(source) for source in options["sources"])
    target_root = options["target_root"]
    options["target_root"] = Path(target_root) if target_root else None
    for named in ("further", "source_labels"):
        options[named] = tuple((name, value) for name, value in options[named])
    options["plugin_files"] = plugin_files
    return SelectionOptions(**options)


def _describe_labels(labels: str, label_sets: LabelSets) -> str:
    """Return the name of a label set as it is, or the path of a table as an absolute one."""
    if label_sets.find(labels) is not None:
        return labels
    return str(Path(labels).absolute())


def _describe_place(where: str) -> str:
    """Return an existing path as an absolute one, or the end of file names as it is."""
    path = Path(where)
    return str(path.absolute()) if path.exists() else where


def _as_json(value: Any) -> Any:  # noqa: ANN401 - an option of any type
    if isinstance(value, tuple):
        return [_as_json(one) for one in value]
    if isinstance(value, Path):
        return str(value.absolute())
    return value
