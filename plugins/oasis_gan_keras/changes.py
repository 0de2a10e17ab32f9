"""Find which settings differ when a training is resumed, and check that they may be changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from . import checkpoints
from .errors import FixedSettingError, TooFewStepsError
from .sentences import format_value
from .training_settings import TrainingSettings


@dataclass(frozen=True)
class Change:
    """A setting that was changed when a training was resumed.

    Args:
        step: The number of updates that were done with the old value.
        setting: The name of the setting, such as ``pretraining.learning_rate``.
        before: The value before the change.
        after: The value after the change.
    """

    step: int
    setting: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Describe the change in one line."""
        before = format_value(self.before)
        after = format_value(self.after)
        return f"{self.setting}: {before} until step {self.step}, {after} from there on"


def find_changes(
    step: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    defaults: TrainingSettings | None = None,
) -> list[Change]:
    """Return the settings in which two recipes differ.

    Args:
        step: The number of updates that were done with the old recipe.
        before: The old recipe, as `model_dump` returns it.
        after: The new recipe.
        defaults: The values of settings that the old recipe does not name; None if it names all of
            them.
    """
    old: dict[str, Any] = {}
    if defaults is not None:
        old.update(_flatten(_dump(defaults)))
    old.update(_flatten(before))
    new = dict(_flatten(after))
    changes = []
    # New settings first, then those that the new recipe lacks.
    for name in new | old:
        old_value = old.get(name)
        new_value = new.get(name)
        if old_value != new_value:
            changes.append(Change(step, name, old_value, new_value))
    return changes


def check_resume(folder: Path, before: TrainingSettings, after: TrainingSettings) -> None:
    """Check that the training in a folder can be resumed with other settings.

    Args:
        folder: The model folder.
        before: The settings of the training so far.
        after: The settings to resume it with.

    Raises:
        FixedSettingError: If a setting was changed that has to stay as it was.
        TooFewStepsError: If fewer steps are asked for than have been done.
    """
    done = checkpoints.find_last_step(folder / checkpoints.FOLDER)
    if not done:
        # Nothing has been trained with the old settings yet.
        return
    changes = find_changes(done, _dump(before), _dump(after))
    for change in changes:
        if change.setting not in after.changeable:
            raise FixedSettingError(
                change.setting,
                before=format_value(change.before),
                after=format_value(change.after),
            )
    if after.steps is not None and after.steps < done:
        raise TooFewStepsError(after.steps, done)


def format_as_comment(changes: Sequence[Change]) -> str:
    """Return a comment for the top of a recipe that lists changed settings, if there are any."""
    if not changes:
        return ""
    comment = "# Not all of these settings held from the first step on:\n"
    for change in changes:
        comment += f"# {change}\n"
    return comment + "\n"


def _dump(recipe: TrainingSettings) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _flatten(settings: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting with its full name, such as ``pretraining.learning_rate``."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{table}{name}.")
        else:
            yield f"{table}{name}", value
