"""Make scans from files, for the readers that list them."""

from __future__ import annotations

import os
from functools import partial
from pathlib import Path, PurePath

from ..errors import OasisGanError
from ..image.choices import MAX_VOXELS
from ..image.labels import LabelSet
from ..image.volume import Volume
from ..io.dicom import choose_series, holds_dicom, read_dicom
from ..io.dicom_header import is_dicom
from ..io.endings import is_volume_name
from ..io.formats import require_content
from ..io.pair import is_pair_name, other_half, read_pair
from ..io.volume_files import list_data_files, read_volume
from .datasets import Scan, Subject


def volume_scan(
    path: Path,
    max_voxels: int = MAX_VOXELS,
    labels: LabelSet | None = None,
) -> Scan:
    """Return the scan of a volume in any format, or of a DICOM series; it names all its files."""
    if holds_dicom(path) or (not is_volume_name(path) and is_dicom(path)):
        return _make_dicom_scan(path, max_voxels, labels)
    parts = (other_half(path),) if is_pair_name(path) else list_data_files(path)
    reader = partial(read_volume, max_voxels=max_voxels)
    return Scan(path, reader, labels, parts)


def _make_dicom_scan(path: Path, max_voxels: int, labels: LabelSet | None) -> Scan:
    """Return the scan of a series, given its folder or one of its files."""
    try:
        series = choose_series(path)
    except (OasisGanError, OSError) as error:
        return Scan.from_error(path, error)
    first, *others = series.files
    # Names without a folder, so that the series may be moved.
    names = tuple(file.name for file in series.files)
    reader = partial(read_dicom, names=names, notes=series.notes, max_voxels=max_voxels)
    return Scan(first, reader, labels, tuple(others))


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
