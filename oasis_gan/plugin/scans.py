"""Files as scans, for readers that list them: one that is read later, or one of which reading says what is wrong."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path, PurePath

from ..image.choices import MAX_VOXELS
from ..image.labels import LabelSet
from ..image.volume import Volume
from ..io.formats import require_content
from ..io.pair import is_pair_name, other_half, read_pair
from ..io.volume_files import read_volume
from .datasets import Scan, Subject


def volume_scan(path: Path, max_voxels: int = MAX_VOXELS, labels: LabelSet | None = None) -> Scan:
    """Return a file as a scan that `read_volume` reads; of a pair, with its other half."""
    parts = (other_half(path),) if is_pair_name(path) else ()
    return Scan(path, partial(read_volume, max_voxels=max_voxels), labels, parts)


def pair_scan(path: Path, max_voxels: int = MAX_VOXELS, labels: LabelSet | None = None) -> Scan:
    """Return a pair as a scan of both its files, given either."""
    return Scan(path, partial(read_pair, max_voxels=max_voxels), labels, (other_half(path),))


def unreadable(root: Path, error: OSError) -> Subject:
    """Return a subject that stands for a folder below ``root`` that cannot be listed: reading it says why."""
    folder = Path(os.fsdecode(error.filename)) if error.filename is not None else root
    below = folder.relative_to(root) if folder.is_relative_to(root) else PurePath(folder.name)

    name = "_".join(below.parts) or folder.absolute().name
    return Subject(name, Scan(folder, partial(_refuse_folder, error=error)))


def _refuse_folder(path: Path, error: OSError) -> Volume:
    """Raise what is wrong with a folder: that its content has not been fetched, or what the file system says."""
    require_content(path, "a folder")
    raise error
