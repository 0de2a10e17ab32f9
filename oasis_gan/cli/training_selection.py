"""What chooses the subjects of a training, as its folder keeps it: a resumed training chooses the same ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any

from ..image.label_sets import LabelSets
from .choosing import SelectionOptions


def describe_selection(options: SelectionOptions, label_sets: LabelSets) -> dict[str, Any]:
    """Return what chooses the subjects, as JSON that is understood from any folder."""
    names = [field.name for field in fields(SelectionOptions) if field.name != "plugin_files"]
    selection = {name: _as_json(getattr(options, name)) for name in names}
    selection["further"] = describe_places(dict(options.further))
    selection["source_labels"] = [
        [name, _describe_labels(labels, label_sets)] for name, labels in options.source_labels
    ]
    if options.labels is not None:
        selection["labels"] = _describe_labels(options.labels, label_sets)
    return selection


def _describe_labels(labels: str, label_sets: LabelSets) -> str:
    """Return the name of a label set as it is, or the path of a table as an absolute one."""
    return labels if label_sets.find(labels) is not None else str(Path(labels).absolute())


def describe_places(places: Mapping[str, str]) -> list[list[str]]:
    """Return where further sources are, as JSON; files and folders by their absolute paths."""
    return [
        [name, str(Path(where).absolute()) if Path(where).exists() else where]
        for name, where in places.items()
    ]


def _as_json(value: Any) -> Any:  # noqa: ANN401 - an option of any type
    if isinstance(value, Path):
        return str(value.absolute())
    return [_as_json(one) for one in value] if isinstance(value, tuple) else value


def recall_selection(
    selection: Mapping[str, Any], plugin_files: tuple[Path, ...]
) -> SelectionOptions:
    """Return the options that `describe_selection` wrote down; those that an earlier version had not are not given."""
    options: dict[str, Any] = {}
    for field in fields(SelectionOptions):
        value = selection.get(field.name)
        if isinstance(value, list):
            value = tuple(value)
        if value is None and field.default is not MISSING:
            value = field.default
        options[field.name] = value
    options["sources"] = tuple(Path(source) for source in options["sources"])
    options["target_root"] = Path(options["target_root"]) if options["target_root"] else None
    for named in ("further", "source_labels"):
        options[named] = tuple((name, value) for name, value in options[named])
    options["plugin_files"] = plugin_files
    return SelectionOptions(**options)
