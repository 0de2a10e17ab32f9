"""Save and read checkpoints: one file each, with everything needed to resume a training exactly."""

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

from oasis_gan import write_atomically

from .errors import DamagedCheckpointError

Arrays = Mapping[str, NDArray[Any]]
FOLDER = "checkpoints"
"""The folder inside a model folder that holds the checkpoints."""
_NAME = re.compile(r"step-(\d{9})\.safetensors")
# All metadata is stored under one key: safetensors writes several keys in any order, and equal
# states must give equal files.
_METADATA_KEY = "facts"
_CHECKSUM = "sha256"


@dataclass(frozen=True)
class Checkpoint:
    """The state that a training has after ``step`` updates.

    Args:
        step: The number of updates that were done.
        arrays: All variables of the networks and optimizers by name, bit for bit.
        metadata: Everything else that has to be remembered, as JSON.
        verified: Whether the file had a checksum. The first versions wrote none.
    """

    step: int
    arrays: Arrays
    metadata: Mapping[str, Any]
    verified: bool = True


def write(folder: Path, checkpoint: Checkpoint, keep: int) -> None:
    """Add a checkpoint to a folder, then remove all but the last ``keep``.

    Older checkpoints are removed only when the new one is safely on the disk.

    Raises:
        OSError: If the file cannot be written; earlier checkpoints are left as they were.
    """
    folder.mkdir(parents=True, exist_ok=True)
    arrays = {name: np.asarray(array) for name, array in checkpoint.arrays.items()}
    checksum = _compute_checksum(arrays, checkpoint.metadata)
    metadata = {**checkpoint.metadata, _CHECKSUM: checksum}
    header = {_METADATA_KEY: json.dumps(metadata)}
    data = safetensors.numpy.save(arrays, header)
    write_atomically(folder / f"step-{checkpoint.step:09}.safetensors", data)
    for old in _list_paths(folder)[:-keep]:
        old.unlink()


def exist(folder: Path) -> bool:
    """Whether there is a checkpoint in a folder."""
    return bool(_list_paths(folder))


def find_last_step(folder: Path) -> int:
    """Return the step of the newest checkpoint in a folder, or 0 if there is none."""
    paths = _list_paths(folder)
    return _parse_step(paths[-1]) if paths else 0


def read_last(folder: Path) -> Checkpoint | None:
    """Return the newest checkpoint in a folder, or None if there is none.

    Raises:
        DamagedCheckpointError: If the checkpoint is damaged; the message names the one before.
    """
    paths = _list_paths(folder)
    if not paths:
        return None
    path = paths[-1]
    previous = paths[-2] if len(paths) > 1 else None
    try:
        with safetensors.safe_open(path, "numpy") as file:
            metadata = _read_metadata(file.metadata() or {})
            arrays = {name: file.get_tensor(name) for name in file.keys()}  # noqa: SIM118 - not a mapping
    except (safetensors.SafetensorError, ValueError, TypeError) as error:
        raise DamagedCheckpointError(
            path,
            expected="a whole checkpoint",
            found=str(error),
            previous=previous,
        ) from None
    checksum = metadata.pop(_CHECKSUM, None)
    if checksum is not None and checksum != _compute_checksum(arrays, metadata):
        raise DamagedCheckpointError(
            path,
            expected=f"content with SHA-256 {str(checksum)[:12]}...",
            found="other content: the file is damaged",
            previous=previous,
        )
    return Checkpoint(
        _parse_step(path),
        arrays,
        metadata,
        verified=checksum is not None,
    )


def _read_metadata(header: Mapping[str, str]) -> dict[str, Any]:
    """Return the metadata from the header of a file, or raise ValueError if there is none."""
    try:
        return dict(json.loads(header[_METADATA_KEY]))
    except KeyError:
        raise ValueError("no metadata") from None
    except ValueError:
        raise ValueError("damaged metadata") from None


def _compute_checksum(arrays: Arrays, metadata: Mapping[str, Any]) -> str:
    """Return the SHA-256 of the metadata and of all arrays: names, types, shapes and bytes."""
    metadata_text = json.dumps(dict(metadata), sort_keys=True)
    digest = hashlib.sha256(metadata_text.encode())
    for name in sorted(arrays):
        array = arrays[name]
        array_header = json.dumps([name, array.dtype.str, array.shape])
        digest.update(array_header.encode())
        digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()


def _list_paths(folder: Path) -> list[Path]:
    """Return the checkpoints in a folder, newest last."""
    return sorted(path for path in folder.glob("step-*") if _NAME.fullmatch(path.name))


def _parse_step(path: Path) -> int:
    return int(path.stem.removeprefix("step-"))
