"""The precision of a training: it goes on in the one it began with, on whatever machine it is resumed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from oasis_gan import OasisGanError

from .checkpoints import Checkpoint
from .hardware import ChosenPrecision, RequestedPrecision, choose_precision
from .replicas import Replicas

_FACT = "precision"
"""What a checkpoint calls it."""


@dataclass(frozen=True)
class TrainingPrecision:
    """The precision of a training, from its first step on.

    Args:
        requested: By the recipe.
        chosen: From this step on.
        before: Those of the steps before, if they were others.
    """

    requested: RequestedPrecision
    chosen: ChosenPrecision
    before: tuple[str, ...] = ()

    @classmethod
    def agreed(
        cls,
        requested: RequestedPrecision,
        checkpoint: Checkpoint | None,
        replicas: Replicas,
        where: Path,
    ) -> TrainingPrecision:
        """Return the precision in which all workers train.

        Args:
            requested: By the recipe.
            checkpoint: Of the training that goes on; only the chief has it.
            replicas: The workers; what the chief computes in all of them have to.
            where: The model folder, for errors.

        Raises:
            OasisGanError: If the machine cannot go on in the precision that the training began with.
        """
        begun = _begun(checkpoint)
        same_request = bool(begun) and begun["requested"] == requested
        used: list[str] = list(begun["used"]) if begun else []
        ours = choose_precision(cast("RequestedPrecision", used[-1]) if same_request else requested)
        if same_request and ours.precision != used[-1]:
            raise _cannot_go_on(where, used[-1], ours.note)
        chosen = _chosen_by_the_chief(ours, replicas, where)
        before = tuple(used[:-1] if used[-1:] == [chosen.precision] else used)
        return cls(requested, chosen, before)

    @property
    def text(self) -> str:
        """Every precision the model was trained in, in their order."""
        return ", then ".join((*self.before, self.chosen.precision))

    @property
    def line(self) -> str:
        """What the log of the training says."""
        return self.chosen.note or f"precision: {self.text}"

    def metadata(self) -> dict[str, object]:
        """Return what a checkpoint has to remember."""
        return {"requested": self.requested, "used": [*self.before, self.chosen.precision]}


def _begun(checkpoint: Checkpoint | None) -> Mapping[str, Any]:
    """Return what a checkpoint remembers of the precision; nothing if there is none."""
    return checkpoint.metadata.get(_FACT, {}) if checkpoint else {}


def _chosen_by_the_chief(ours: ChosenPrecision, replicas: Replicas, where: Path) -> ChosenPrecision:
    """Return the chief's precision: processors of one training need not be alike."""
    names = get_args(RequestedPrecision)
    index = int(replicas.broadcast([np.array(names.index(ours.precision), np.int64)])[0])
    if names[index] == ours.precision:
        return ours
    chosen = choose_precision(names[index])
    if chosen.precision != names[index]:
        raise _cannot_go_on(where, names[index], chosen.note)
    return chosen


def _cannot_go_on(where: Path, precision: str, note: str) -> OasisGanError:
    found = note.removeprefix("precision: ")
    remedy = "resume it on a machine that can, or go on with precision=float32"
    return OasisGanError(
        where, expected=f"a training that computes in {precision}", found=found, remedy=remedy
    )
