"""The folder of a training: it records the request, and holds one training at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..checks.splitting import TABLE
from ..errors import one_line
from ..io.files import read_small, write_atomically
from ..io.folder_lock import hold_folder
from .training_errors import (
    NoTrainingError,
    SourceCountError,
)

RUN = "run.json"
"""The file that records what was asked of a training."""
_LOCK = ".training.lock"
_MAX_BYTES = 2**24


@dataclass(frozen=True)
class TrainingRun:
    """What was asked of a training.

    Args:
        kind: The kind of model.
        selection: The options that choose the subjects, by name, as JSON; paths in it are absolute.
        validate: The names of the subjects that are held out.
        recipe: The settings, as the user gave them.
        label_set: What tells the label set of the model from any other; empty if that was not
            recorded.
        cache: The folder that the user named for the training slices; empty if none was named.
    """

    kind: str
    selection: Mapping[str, Any]
    validate: tuple[str, ...]
    recipe: dict[str, Any]
    label_set: str = ""
    cache: str = ""

    @classmethod
    def read(cls, folder: Path) -> TrainingRun:
        """Return what was asked of the training in a folder.

        Raises:
            OasisGanError: If there is none.
        """
        path = folder / RUN
        if not path.exists():
            raise NoTrainingError(path, "no such file")
        try:
            run = cls._from_json(read_small(path, _MAX_BYTES))
            # Paths of other types are found now, and not when they are used.
            run.sources()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise NoTrainingError(path, one_line(error)) from None
        return run

    @classmethod
    def _from_json(cls, text: bytes) -> TrainingRun:
        content = json.loads(text)
        return cls(
            kind=str(content["kind"]),
            selection=dict(content["selection"]),
            validate=tuple(content["validate"]),
            recipe=dict(content["recipe"]),
            label_set=str(content.get("label_set", "")),
            cache=str(content.get("cache", "")),
        )

    def write(self, folder: Path) -> None:
        """Record it in a folder; a file that says the same is left alone.

        Raises:
            OSError: If the file system fails.
        """
        path = folder / RUN
        data = json.dumps(asdict(self), indent=2).encode()
        is_recorded = path.is_file() and path.read_bytes() == data
        if not is_recorded:
            write_atomically(path, data)

    def sources(self) -> list[Path]:
        """Return the files and folders that were named as SOURCE."""
        return [Path(source) for source in self.selection["sources"]]

    def target_root(self) -> Path | None:
        """Return the folder that was named as ``--target``."""
        root = self.selection.get("target_root")
        return Path(root) if root else None

    def cache_folder(self) -> Path | None:
        """Return the folder that was named as ``--cache``."""
        return Path(self.cache) if self.cache else None


def relocate(recorded: Sequence[Path], given: Sequence[Path]) -> list[Path]:
    """Return the present paths of the sources of a training.

    Args:
        recorded: The paths that they had.
        given: A new path for each of them, in the same order; or one for the folder that held all
            of them.

    Raises:
        OasisGanError: If it is another number.
    """
    if len(given) == len(recorded):
        return [path.absolute() for path in given]
    if len(given) != 1:
        raise SourceCountError(expected=len(recorded), found=len(given))
    before = Path(os.path.commonpath(recorded))
    now = given[0].absolute()
    return [now / path.relative_to(before) for path in recorded]


@contextmanager
def hold_training_folder(folder: Path, *, new: bool, leading: bool = True) -> Iterator[None]:
    """Make the folder of a training if there is none, and keep other trainings out of it.

    A folder that is still empty at the end is removed again.

    Args:
        folder: The model folder.
        new: Whether the training begins: its record is removed if nothing comes of it.
        leading: Whether this process writes to the folder: one does, of several machines that
            train together.

    Raises:
        OasisGanError: If another training holds it.
        OSError: If it cannot be made or written to.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
    # The process that leads holds the folder for all of them.
    if not leading:
        yield
        return
    try:
        with hold_folder(folder, _LOCK, "training"):
            try:
                yield
            except BaseException:
                if new:
                    _forget_start(folder)
                raise
    finally:
        # A folder that is not empty cannot be removed, and stays.
        with suppress(OSError):
            for path in made:
                path.rmdir()


def has_model(folder: Path) -> bool:
    """Tell whether a training has saved a model in a folder."""
    return (folder / "model.json").exists()


def _forget_start(folder: Path) -> None:
    """Remove the record of a training from a folder that holds nothing else."""
    records = (folder / RUN, folder / TABLE)
    with suppress(OSError):
        # Whatever else is there has been made by a training, or by somebody else.
        if set(folder.iterdir()) <= {*records, folder / _LOCK}:
            for record in records:
                record.unlink(missing_ok=True)
