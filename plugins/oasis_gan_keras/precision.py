"""The precision of a training, which stays the same when it is resumed on another machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast, get_args

import numpy as np

from .checkpoints import Checkpoint
from .errors import UnsupportedPrecisionError
from .hardware import ChosenPrecision, RequestedPrecision, choose_precision
from .replicas import Replicas

_METADATA_KEY = "precision"


@dataclass(frozen=True)
class TrainingPrecision:
    """The precision that a training has from its first step.

    Args:
        requested: The precision in the recipe.
        chosen: The precision from this step on.
        before: The precisions of earlier steps, if they were different.
    """

    requested: RequestedPrecision
    chosen: ChosenPrecision
    before: tuple[str, ...] = ()

    @classmethod
    def agree(
        cls,
        requested: RequestedPrecision,
        checkpoint: Checkpoint | None,
        replicas: Replicas,
        where: Path,
    ) -> TrainingPrecision:
        """Return the precision in which all workers train.

        Args:
            requested: The precision in the recipe.
            checkpoint: The checkpoint to resume from, if any. Only the chief has it.
            replicas: The workers, which all have to use the precision of the chief.
            where: The model folder, for errors.

        Raises:
            UnsupportedPrecisionError: If the machine does not support the precision that the
                training began with.
        """
        stored = _read_stored(checkpoint)
        used: list[str] = list(stored.get("used", []))
        is_same_request = bool(stored) and stored["requested"] == requested
        wish = cast("RequestedPrecision", used[-1]) if is_same_request else requested
        own = choose_precision(wish)
        if is_same_request and own.precision != used[-1]:
            raise UnsupportedPrecisionError(where, used[-1], own.note)
        chosen = _follow_chief(own, replicas, where)
        is_unchanged = used[-1:] == [chosen.precision]
        before = used[:-1] if is_unchanged else used
        return cls(requested, chosen, tuple(before))

    @property
    def text(self) -> str:
        """Every precision the model was trained in, in order."""
        return ", then ".join((*self.before, self.chosen.precision))

    @property
    def line(self) -> str:
        """Return the line for the log of the training."""
        return self.chosen.note or f"precision: {self.text}"

    def metadata(self) -> dict[str, object]:
        """Return what a checkpoint has to store."""
        return {
            "requested": self.requested,
            "used": [*self.before, self.chosen.precision],
        }


def _read_stored(checkpoint: Checkpoint | None) -> Mapping[str, Any]:
    """Return what a checkpoint stores about the precision; empty if it stores nothing."""
    if checkpoint is None:
        return {}
    stored: Mapping[str, Any] = checkpoint.metadata.get(_METADATA_KEY, {})
    return stored


def _follow_chief(own: ChosenPrecision, replicas: Replicas, where: Path) -> ChosenPrecision:
    """Return the precision of the chief: the processors of the workers may differ."""
    names = get_args(RequestedPrecision)
    number = np.array(names.index(own.precision), np.int64)
    (chiefs_number,) = replicas.broadcast([number])
    agreed = names[int(chiefs_number)]
    if agreed == own.precision:
        return own
    chosen = choose_precision(agreed)
    if chosen.precision != agreed:
        raise UnsupportedPrecisionError(where, agreed, chosen.note)
    return chosen
