"""Find the label set that a recipe names in ``labels``, among those of the tool and of plugins."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from ..image.label_sets import OASIS, LabelSets, identity_of
from ..image.labels import LabelSet
from .errors import UnknownLabelSetError
from .training_errors import LabelSetChangedError
from .training_folder import RUN, TrainingRun

_SETTING = "labels"


def with_label_set(recipe: Mapping[str, object], label_sets: LabelSets) -> Mapping[str, object]:
    """Return a recipe that holds a label set in place of its name, as kinds of models take it.

    Args:
        recipe: The settings, as the user gave them.
        label_sets: The label sets that there are.

    Raises:
        OasisGanError: If none of them has that name.
    """
    name = recipe.get(_SETTING)
    # The kind refuses a value that is not a name, as any setting of a wrong type.
    if not isinstance(name, str):
        return recipe
    label_set = label_sets.find(name)
    if label_set is None:
        raise UnknownLabelSetError(f"recipe: {_SETTING}", name, label_sets)
    return {**recipe, _SETTING: label_set}


def label_set_in(recipe: Mapping[str, object]) -> LabelSet:
    """Return the label set that a recipe holds, or else `OASIS`."""
    label_set = recipe.get(_SETTING)
    return label_set if isinstance(label_set, LabelSet) else OASIS


def require_same_labels(
    folder: Path, before: TrainingRun, after: TrainingRun, labels: LabelSet
) -> None:
    """Raise `OasisGanError` if a label set no longer means what it meant when a training began.

    Args:
        folder: The folder of the training.
        before: What was asked of it.
        after: What is asked of it now.
        labels: The label set that it would go on with.
    """
    # The kind decides whether another name is accepted.
    if before.recipe.get(_SETTING) != after.recipe.get(_SETTING):
        return
    identity = identity_of(labels)
    if before.label_set not in {"", identity}:
        raise LabelSetChangedError(folder / RUN, before.label_set, identity)
