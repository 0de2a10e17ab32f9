"""The label set that a recipe names in ``labels``: a built-in one, or one of a plugin."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..errors import OasisGanError
from ..image.label_sets import OASIS, LabelSets, identity_of
from ..image.labels import LabelSet
from .training_folder import RUN, TrainingRun

_SETTING = "labels"


def with_label_set(recipe: Mapping[str, object], label_sets: LabelSets) -> Mapping[str, object]:
    """Return a recipe that holds the label set that it names, as kinds of model take it.

    Args:
        recipe: The settings, as the user gave them.
        label_sets: The sets that there are.

    Raises:
        OasisGanError: If none of them has that name.
    """
    name = recipe.get(_SETTING)
    # What is no name at all is refused by the kind, like any other setting of a wrong type.
    if not isinstance(name, str):
        return recipe
    found = label_sets.find(name)
    if found is None:
        remedy = "name one of these, or with --plugin the file of the plugin that brings it"
        raise OasisGanError(
            f"recipe: {_SETTING}",
            expected=f"one of {', '.join(label_sets)}",
            found=name,
            remedy=remedy,
        )
    return {**recipe, _SETTING: found}


def label_set_in(recipe: Mapping[str, object]) -> LabelSet:
    """Return the label set that a recipe holds, or else `OASIS`."""
    found = recipe.get(_SETTING)
    return found if isinstance(found, LabelSet) else OASIS


def require_same_labels(
    folder: Path, before: TrainingRun, after: TrainingRun, labels: LabelSet
) -> None:
    """Raise `OasisGanError` if a name no longer means the labels that a training began with.

    Args:
        folder: Of the training.
        before: What it was asked for.
        after: What it is asked for now.
        labels: The label set that it would go on with.
    """
    renamed = before.recipe.get(_SETTING) != after.recipe.get(_SETTING)
    # Whether another name will do is for the kind to say.
    if renamed or before.label_set in ("", identity_of(labels)):
        return
    expected = f"the label set that this training began with, {before.label_set}"
    remedy = "name the plugin as it was then, or train into another folder"
    raise OasisGanError(folder / RUN, expected=expected, found=identity_of(labels), remedy=remedy)
