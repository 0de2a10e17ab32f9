"""Make scans from files, for the readers that list them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path, PurePath

from ..image.choices import MAX_VOXELS
from ..image.labels import LabelSet
from ..image.volume import Volume
from ..io.formats import require_content
from ..io.pair import is_pair_name, other_half, read_pair
from ..io.volume_files import list_data_files, read_volume
from .datasets import Scan, Subject


def volume_scan(
    path: Path,
    max_voxels: int = MAX_VOXELS,
    labels: LabelSet | None = None,
) -> Scan:
    """Return a scan that `read_volume` reads; it names all files of the volume."""
    parts = (other_half(path),) if is_pair_name(path) else list_data_files(path)
    reader = partial(read_volume, max_voxels=max_voxels)
    return Scan(path, reader, labels, parts)


def pair_scan(
    path: Path,
    max_voxels: int = MAX_VOXELS,
    labels: LabelSet | None = None,
) -> Scan:
    """Return the scan of a pair of header and voxels, given either file."""
    parts = (other_half(path),)
    reader = partial(read_pair, max_voxels=max_voxels)
    return Scan(path, reader, labels, parts)


def unreadable(root: Path, error: OSError) -> Subject:
    """Return a subject for a folder that cannot be listed; reading it raises the reason."""
    # Only errors that the file system raised itself name a file.
    folder = Path(os.fsdecode(error.filename)) if error.filename is not None else root
    is_below = folder.is_relative_to(root)
    relative = folder.relative_to(root) if is_below else PurePath(folder.name)
    name = "_".join(relative.parts) or folder.absolute().name
    return Subject(name, Scan(folder, partial(_refuse_folder, error=error)))


def _refuse_folder(path: Path, error: OSError) -> Volume:
    """Raise that the content of a folder has not been fetched, or else the file system's error."""
    require_content(path, "a folder")
    raise error
