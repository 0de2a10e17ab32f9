"""Find NIfTI, MGH and Analyze volumes: a file, a folder, two folders, two suffixes, or a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from oasis_gan import (
    OasisGanError,
    Selection,
    Subject,
    has_suffix,
    is_volume_name,
    prefer_anatomy,
    strip_suffix,
    unreadable,
    volume_scan,
    walk_folders,
)

from .table import is_table_name, read_table
from .targets import TargetFinder, key_of

_SHOWN = 3


class NoVolumesError(OasisGanError):
    """A folder holds no volume that was requested.

    Args:
        root: The folder.
        suffix: How the names of the requested files end; empty for all volumes.
        others: The names of the volumes that are there.
    """

    def __init__(self, root: Path, suffix: str, others: Sequence[str]) -> None:
        found = "none"
        if others:
            found += ", but " + ", ".join(others[:_SHOWN])
        if len(others) > _SHOWN:
            found += f" and {len(others) - _SHOWN} more"
        super().__init__(
            root,
            expected=f"files named *{suffix or '.nii, *.nii.gz or *.mgz'}",
            found=found,
            remedy="check the folder and the suffix",
        )


def recognises(path: Path) -> bool:
    """Whether ``path`` is named like a volume or a table, or is a folder that holds a volume."""
    if path.is_dir():
        return next(_find_volumes(path), None) is not None
    return is_volume_name(path) or is_table_name(path)


def list_subjects(selection: Selection) -> Iterator[Subject]:
    """List the volumes of a selection, with their targets if those are requested.

    A subject is named after its path below the root, without the suffix:
    ``site1/sub-01_seg.nii.gz`` is ``site1_sub-01_seg``, or ``site1_sub-01`` if ``_seg.nii.gz`` is
    the source suffix. If folders are named as in BIDS, volumes beside functional or diffusion data
    are skipped, unless a participant has no others.

    Raises:
        OasisGanError: If there is no such volume, or one would be its own target.
    """
    root = selection.root
    limit = selection.max_voxels
    if is_table_name(root):
        yield from read_table(root, _name_of, partial(volume_scan, max_voxels=limit))
        return
    errors: list[OSError] = []
    is_folder = root.is_dir()
    sources = _find_sources(selection, errors.append) if is_folder else [root]
    targets = TargetFinder(selection)
    for path in sources:
        relative = path.relative_to(root) if is_folder else Path(path.name)
        key = key_of(relative, selection.source_suffix)
        target = targets.scan(path, relative, key) if selection.wants_targets else None
        name = "_".join(Path(key).parts).rstrip("_-.") or path.parent.name
        yield Subject(name, volume_scan(path, limit), target)
    for error in errors:
        yield unreadable(root, error)
    if not sources and not errors:
        others = [path.name for path in _find_volumes(root)]
        raise NoVolumesError(root, selection.source_suffix, others)


def _find_sources(selection: Selection, report: Callable[[OSError], None]) -> list[Path]:
    root = selection.root
    suffix = selection.source_suffix
    matching = [path for path in _find_volumes(root, report) if has_suffix(path.name, suffix)]
    # A file whose whole name is the suffix wins: aseg.mgz, and not aparc+aseg.mgz beside it.
    exact = {path for path in matching if suffix and strip_suffix(path.name, suffix) == ""}
    folders = {path.parent for path in exact}
    chosen = [path for path in matching if path in exact or path.parent not in folders]
    return prefer_anatomy(chosen, root)


def _name_of(path: Path) -> str:
    """Return the name of a subject for which a table has nothing but the path of its source."""
    parts = Path(key_of(path, "")).parts
    return "_".join(part for part in parts if part not in {path.anchor, ".."})


def _ignore_error(_: OSError) -> None:
    """Do nothing about a folder that cannot be listed."""


def _find_volumes(
    folder: Path, report: Callable[[OSError], None] = _ignore_error
) -> Iterator[Path]:
    """Yield the volumes in a folder and below it.

    A pair is listed by its header. Voxels without a header are listed too, and refused when they
    are read.
    """
    for parent, names in walk_folders(folder, report=report):
        for name in names:
            if is_volume_name(Path(name)) and not _has_header(name, names):
                yield parent / name


def _has_header(name: str, names: Sequence[str]) -> bool:
    """Whether a file holds the voxels of a pair whose header is among these names."""
    lower = name.lower()
    for ending in (".img", ".img.gz"):
        if lower.endswith(ending):
            stem = lower.removesuffix(ending)
            headers = {f"{stem}.hdr", f"{stem}.hdr.gz"}
            return any(other.lower() in headers for other in names)
    return False
