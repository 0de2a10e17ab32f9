"""What a dataset plugin describes: where subjects come from, and how to read one."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from .errors import OasisGanError
from .volume import Volume


@dataclass(frozen=True)
class Scan:
    """A volume that has not been read yet.

    Args:
        path: The file it is read from (hashed for the provenance).
        reader: Reads that file.
    """

    path: Path
    reader: Callable[[Path], Volume]

    def read(self) -> Volume:
        """Read the volume.

        Raises:
            OasisGanError: If the file cannot be trusted.
        """
        return self.reader(self.path)


@dataclass(frozen=True)
class Subject:
    """One thing to translate, or one pair to learn from.

    Args:
        name: Tells it from the others of its source; output files carry it.
        source: What is translated.
        target: What it should become, where that is known.
    """

    name: str
    source: Scan
    target: Scan | None = None

    def paired(self) -> tuple[Volume, Volume]:
        """Read source and target, which must lie on one grid.

        Raises:
            OasisGanError: If there is no target, or the grids differ.
        """
        if self.target is None:
            remedy = "name the targets, for example with --target or --target-suffix"
            raise OasisGanError(self.source.path, expected="a target beside it", found="none", remedy=remedy)
        source, target = self.source.read(), self.target.read()
        source.geometry.require_same_grid(target.geometry, self.target.path)
        return source, target


@dataclass(frozen=True)
class Selection:
    """What a user asks a dataset for.

    Args:
        root: A file, or a folder to search with all its subfolders.
        target_root: The folder that holds the targets under the same names, if it is another one.
        source_suffix: How the names of sources end (``_seg.nii.gz``); empty: any.
        target_suffix: How the names of targets end (``_t1.nii.gz``).
    """

    root: Path
    target_root: Path | None = None
    source_suffix: str = ""
    target_suffix: str = ""

    @property
    def wants_targets(self) -> bool:
        """Whether pairs are asked for."""
        return self.target_root is not None or bool(self.target_suffix)


@dataclass(frozen=True)
class Dataset:
    """A reader plugin: one way in which volumes lie on a disk.

    Args:
        name: What the user types after ``--dataset``.
        summary: One line for ``oasis-gan plugins``.
        open: Lists the subjects of a selection in a stable order, lazily: no voxel is read before `Scan.read`.
            Raises `OasisGanError` where the selection holds nothing that it reads.
        recognises: Whether a file or folder looks like this layout; the tool asks when ``--dataset`` is not given.
    """

    name: str
    summary: str
    open: Callable[[Selection], Iterable[Subject]]
    recognises: Callable[[Path], bool]
