"""The folder of a training: what was asked for, so that it can be gone on with, and one training in it at a time."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..checks.splitting import TABLE
from ..errors import OasisGanError, one_line
from ..io.files import read_small, write_atomically
from ..io.folder_lock import hold_folder

RUN = "run.json"
"""What a training was asked for, in its folder."""
_LOCK = ".training.lock"
_MAX_BYTES = 2**24


@dataclass(frozen=True)
class TrainingRun:
    """What a training was asked for.

    Args:
        kind: The kind of model.
        selection: The options that choose the subjects, by name, as JSON; paths in it are absolute.
        validate: The names of the subjects that are held out.
        recipe: The settings, as the user gave them.
        label_set: What tells the label set that the model learns from any other; empty if that was not recorded.
    """

    kind: str
    selection: Mapping[str, Any]
    validate: tuple[str, ...]
    recipe: dict[str, Any]
    label_set: str = ""

    @classmethod
    def read(cls, folder: Path) -> TrainingRun:
        """Return what the training in ``folder`` was asked for.

        Raises:
            OasisGanError: If there is none.
        """
        path = folder / RUN
        expected = "a training to go on with"
        remedy = "name the --out of a training"
        if not path.exists():
            raise OasisGanError(path, expected=expected, found="no such file", remedy=remedy)
        try:
            content = json.loads(read_small(path, _MAX_BYTES))
            run = cls(
                str(content["kind"]),
                dict(content["selection"]),
                tuple(content["validate"]),
                dict(content["recipe"]),
                str(content.get("label_set", "")),
            )
            run.sources()
        except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
            raise OasisGanError(
                path, expected=expected, found=one_line(error), remedy=remedy
            ) from None
        return run

    def write(self, folder: Path) -> None:
        """Write it to ``folder``, unless that is there.

        Raises:
            OSError: As the file system says.
        """
        data = json.dumps(asdict(self), indent=2).encode()
        path = folder / RUN
        if not path.is_file() or path.read_bytes() != data:
            write_atomically(path, data)

    def sources(self) -> list[Path]:
        """Return the files or folders that were named as SOURCE."""
        return [Path(source) for source in self.selection["sources"]]

    def target_root(self) -> Path | None:
        """Return the folder that was named as ``--target``."""
        root = self.selection.get("target_root")
        return Path(root) if root else None


def relocate(recorded: Sequence[Path], given: Sequence[Path]) -> list[Path]:
    """Return where the sources of a training lie now.

    Args:
        recorded: Where they lay.
        given: As many new places, in the same order; or one new place of the folder that held all of them.

    Raises:
        OasisGanError: If it is another number.
    """
    if len(given) == len(recorded):
        return [path.absolute() for path in given]
    if len(given) == 1:
        common = Path(os.path.commonpath(recorded))
        return [given[0].absolute() / path.relative_to(common) for path in recorded]
    expected = f"one folder, or as many sources as this training began with, {len(recorded)}"
    raise OasisGanError(
        "--source", expected=expected, found=str(len(given)), remedy="name each once, in that order"
    )


@contextmanager
def hold_training_folder(folder: Path, *, new: bool, leading: bool = True) -> Iterator[None]:
    """Make the folder of a training if there is none, and hold it; a new one that fails at once is removed again.

    Args:
        folder: The model folder.
        new: Whether the training begins: what it was asked for is forgotten if nothing comes of it.
        leading: Whether this process is the one that writes to it: of several machines that train together, one.

    Raises:
        OasisGanError: If another training holds it.
        OSError: If it cannot be made or written to.
    """
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    folder.mkdir(parents=True, exist_ok=True)
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
        # Only what is empty goes.
        with suppress(OSError):
            for path in made:
                path.rmdir()


def has_model(folder: Path) -> bool:
    """Whether a training in ``folder`` has come to its first model."""
    return (folder / "model.json").exists()


def _forget_start(folder: Path) -> None:
    """Remove what was asked for from a folder that holds nothing else: it need not block the next try."""
    ours = {RUN, TABLE, _LOCK}
    with suppress(OSError):
        if {path.name for path in folder.iterdir()} <= ours:
            for name in (RUN, TABLE):
                (folder / name).unlink(missing_ok=True)
