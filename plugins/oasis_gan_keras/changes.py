"""Settings that are changed when a training is gone on with: which may be, and from which step on they hold."""

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
    """A setting that has another value from a step on.

    Args:
        step: The first updates, as many as this, were done with the value before.
        setting: Its name, as ``smooth.learning_rate``.
        before: Its value in these updates.
        after: Its value in those after them.
    """

    step: int
    setting: str
    before: Any
    after: Any

    def __str__(self) -> str:
        """Say it in a few words."""
        return f"{self.setting}: {_show(self.before)} until step {self.step}, {_show(self.after)} from there on"


def find_changes(
    step: int,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    defaults: TrainingSettings | None = None,
) -> list[Change]:
    """Return in what two recipes differ.

    Args:
        step: The first updates, as many as this, were done by the recipe before.
        before: The recipe so far, as its `model_dump`.
        after: The recipe from there on.
        defaults: What settings were that the recipe so far does not name; None if it names all.
    """
    old = dict(_flatten(_dump(defaults))) if defaults is not None else {}
    old |= dict(_flatten(before))
    new = dict(_flatten(after))
    names = [*new, *(name for name in old if name not in new)]
    return [
        Change(step, name, old.get(name), new.get(name))
        for name in names
        if old.get(name) != new.get(name)
    ]


def check_resume(folder: Path, before: TrainingSettings, after: TrainingSettings) -> None:
    """Raise `OasisGanError` if the training in a folder cannot go on with other settings.

    Args:
        folder: The model folder.
        before: The settings so far.
        after: The settings to go on with.
    """
    done = checkpoints.last_step(folder / checkpoints.FOLDER)
    if not done:
        # Nothing has been learnt with the old ones.
        return
    for change in find_changes(done, _dump(before), _dump(after)):
        if change.setting not in after.changeable:
            raise OasisGanError(
                f"recipe: {change.setting}",
                expected=f"{_show(change.before)}, with which this training began",
                found=_show(change.after),
                remedy="leave it out, or train anew into another folder",
            )
    if after.steps is not None and after.steps < done:
        expected, remedy = f"at least the {done} steps that are done", "leave it out, or train anew"
        raise OasisGanError(
            "recipe: steps", expected=expected, found=str(after.steps), remedy=remedy
        )


def format_as_comment(changes: Sequence[Change]) -> str:
    """Return the lines that a recipe begins with whose settings did not hold from the first step on."""
    if not changes:
        return ""
    lines = ["Not all of these settings held from the first step on:", *map(str, changes)]
    return "".join(f"# {line}\n" for line in lines) + "\n"


def _dump(recipe: TrainingSettings) -> dict[str, Any]:
    return recipe.model_dump(mode="json")


def _flatten(settings: Mapping[str, Any], table: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in settings.items():
        if isinstance(value, Mapping):
            yield from _flatten(value, f"{table}{name}.")
        else:
            yield f"{table}{name}", value


def _show(value: object) -> str:
    return "none" if value is None else json.dumps(value)
