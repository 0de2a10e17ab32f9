"""Find which settings differ when a training is resumed, and check that they may be changed."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from oasis_gan import OasisGanError

from . import checkpoints
from .training_settings import TrainingSettings


@dataclass(frozen=True)
class Change:
    """A setting that was changed when a training was resumed.

    Args:
        step: The number of updates that were done with the old value.
        setting: The name of the setting, such as ``smooth.learning_rate``.
        before: The value before the change.
        after: The value after the change.
    """

    step: int
    setting: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Describe the change in one line."""
        before = _show(self.before)
        after = _show(self.after)
        return f"{self.setting}: {before} until step {self.step}, {after} from there on"


class FixedSettingError(OasisGanError):
    """A resumed training changes a setting that has to stay as it was."""

    def __init__(self, change: Change) -> None:
        super().__init__(
            f"recipe: {change.setting}",
            expected=f"{_show(change.before)}, with which this training began",
            found=_show(change.after),
            remedy="leave it out, or start a new training in another folder",
        )


class TooFewStepsError(OasisGanError):
    """A resumed training asks for fewer steps than it has done already."""

    def __init__(self, steps: int, done: int) -> None:
        super().__init__(
            "recipe: steps",
            expected=f"at least the {done} steps that are done",
            found=str(steps),
            remedy="leave it out, or start a new training",
        )


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
    removed = [name for name in old if name not in new]
    return [
        Change(step, name, old.get(name), new.get(name))
        for name in [*new, *removed]
        if old.get(name) != new.get(name)
    ]


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
    done = checkpoints.last_step(folder / checkpoints.FOLDER)
    if not done:
        # Nothing has been trained with the old settings yet.
        return
    for change in find_changes(done, _dump(before), _dump(after)):
        if change.setting not in after.changeable:
            raise FixedSettingError(change)
    if after.steps is not None and after.steps < done:
        raise TooFewStepsError(after.steps, done)


def format_as_comment(changes: Sequence[Change]) -> str:
    """Return a comment for the top of a recipe that lists changed settings, if there are any."""
    if not changes:
        return ""
    lines = ["Not all of these settings held from the first step on:"]
    lines += [str(change) for change in changes]
    return "".join(f"# {line}\n" for line in lines) + "\n"


def _dump(recipe: TrainingSettings) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _flatten(settings: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, Any]]:
    """Yield each setting with its full name, such as ``smooth.learning_rate``."""
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{table}{name}.")
        else:
            yield f"{table}{name}", value


def _show(value: object) -> str:
    return "none" if value is None else json.dumps(value)
