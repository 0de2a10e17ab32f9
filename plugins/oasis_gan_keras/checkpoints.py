"""Checkpoints: all that a training run needs to go on as if it had never stopped, one file for each."""

from __future__ import annotations

import hashlib
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
FOLDER = "checkpoints"
"""Where they lie in a model folder."""
_NAME = re.compile(r"step-(\d{9})\.safetensors")
_METADATA_KEY = "facts"
"""The one key of a file's metadata: safetensors writes several in any order, and equal states give equal files."""
_CHECKSUM = "sha256"


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run after ``step`` updates.

    Args:
        step: How many updates were done.
        arrays: Every variable of both networks and both optimizers, by name, to the bit.
        metadata: What else is to be remembered; JSON.
        verified: Whether it had a checksum, which agreed: the first versions wrote none.
    """

    step: int
    arrays: Arrays
    metadata: Mapping[str, Any]
    verified: bool = True


def write(folder: Path, checkpoint: Checkpoint, keep: int) -> None:
    """Add a checkpoint to ``folder``; only when it is safe on the disk are all but the last ``keep`` removed.

    Raises:
        OSError: As the file system says; earlier checkpoints are as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(array) for name, array in checkpoint.arrays.items()}
    metadata = {**checkpoint.metadata, _CHECKSUM: _checksum(arrays, checkpoint.metadata)}
    data = safetensors.numpy.save(arrays, metadata={_METADATA_KEY: json.dumps(metadata)})
    write_atomically(folder / f"step-{checkpoint.step:09}.safetensors", data)
    for old in _paths(folder)[:-keep]:
        old.unlink()


def exist(folder: Path) -> bool:
    """Whether there is a checkpoint in ``folder``."""
    return bool(_paths(folder))


def last_step(folder: Path) -> int:
    """Return the step of the newest checkpoint in ``folder``, 0 if there is none."""
    paths = _paths(folder)
    return _step(paths[-1]) if paths else 0


def read_last(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint in ``folder``, or None if the run did not come to its first.

    Raises:
        OasisGanError: If it is damaged; the message names the one before.
    """
    paths = _paths(folder)
    if not paths:
        return None
    path = paths[-1]
    remedy = "remove it and train anew: there is none before it"
    if len(paths) > 1:
        remedy = f"remove it to go on from the one before, {paths[-2].name}"
    try:
        with safetensors.safe_open(path, "numpy") as file:
            metadata = _read_metadata(file.metadata())
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - it is no mapping
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise OasisGanError(
            path, expected="a whole checkpoint", found=str(error), remedy=remedy
        ) from None
    checksum = metadata.pop(_CHECKSUM, None)
    if checksum is not None and checksum != _checksum(arrays, metadata):
        expected = f"content with SHA-256 {str(checksum)[:12]}..."
        raise OasisGanError(
            path, expected=expected, found="other content: the file is damaged", remedy=remedy
        )
    return Checkpoint(_step(path), arrays, metadata, verified=checksum is not None)


def _read_metadata(metadata: Mapping[str, str] | None) -> dict[str, Any]:
    """Return the metadata of a checkpoint; a ValueError if the metadata of its file hold none."""
    text = (metadata or {}).get(_METADATA_KEY)
    if text is None:
        raise ValueError("no metadata")
    try:
        return dict(json.loads(text))
    except ValueError:
        raise ValueError("damaged metadata") from None


def _checksum(arrays: Arrays, metadata: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the names, types, shapes and bytes of all arrays, and of the metadata."""
    digest = hashlib.sha256(json.dumps(dict(metadata), sort_keys=True).encode())
    for name in sorted(arrays):
        array = arrays[name]
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _paths(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, the newest last."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name))


def _step(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))
