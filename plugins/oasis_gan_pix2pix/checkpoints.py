"""Checkpoints: all that a training run needs to go on as if it had never stopped, one file for each."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray

from oasis_gan import OasisGanError, write_atomically

Arrays = Mapping[str, NDArray[Any]]
_NAME = re.compile(r"step-(\d{9})\.safetensors")


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after ``step`` updates.

    Args:
        step: How many updates were done.
        arrays: Every variable of both networks and both optimizers, by name, to the bit.
        facts: What else is to be remembered; JSON.
    """

    step: int
    arrays: Arrays
    facts: Mapping[str, Any]


def write(folder: Path, checkpoint: Checkpoint, keep: int) -> None:
    """Add a checkpoint to ``folder``; only when it is safe on the disk are all but the last ``keep`` removed.

    Raises:
        OSError: As the file system says; earlier checkpoints are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(array) for name, array in checkpoint.arrays.items()}
    data = safetensors.numpy.save(arrays, metadata={"facts": json.dumps(dict(checkpoint.facts))})
    write_atomically(folder / f"step-{checkpoint.step:09}.safetensors", data)
    for old in _paths(folder)[:-keep]:
        old.unlink()


def exist(folder: Path) -> bool:
    """Whether there is a checkpoint in ``folder``."""
    return bool(_paths(folder))


def read_last(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint in ``folder``, or None if the run did not come to its first.

    Raises:
        OasisGanError: If it is damaged.
    """
    paths = _paths(folder)
    if not paths:
        return None
    path = paths[-1]
    try:
        with safetensors.safe_open(path, "numpy") as file:
            facts = json.loads((file.metadata() or {})["facts"])
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        remedy = "remove it to go on from the one before"
        raise OasisGanError(path, expected="a whole checkpoint", found=str(error), remedy=remedy) from None
    return Checkpoint(_step(path), arrays, facts)


def _paths(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, the newest last."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name))


def _step(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))
