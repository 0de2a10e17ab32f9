"""Find volumes in their files: a file, a folder, two folders, two suffixes, or a table."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path

from oasis_gan import (
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

from .errors import NoVolumesError
from .table import is_table_name, read_table
from .targets import TargetFinder, key_of


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
        NoVolumesError: If there is no such volume.
        OwnTargetError: If a volume would be its own target.
        OasisGanError: If a table cannot be read.
    """
    root = selection.root
    if is_table_name(root):
        make_scan = partial(volume_scan, max_voxels=selection.max_voxels)
        yield from read_table(root, _name_of, make_scan)
        return
    errors: list[OSError] = []
    sources = [root]
    if root.is_dir():
        sources = _find_sources(selection, errors.append)
    targets = TargetFinder(selection)
    for path in sources:
        yield _make_subject(path, selection, targets)
    # A folder that cannot be listed counts as a subject, so that nobody misses what is in it.
    for error in errors:
        yield unreadable(root, error)
    if not sources and not errors:
        others = [path.name for path in _find_volumes(root)]
        raise NoVolumesError(root, selection.source_suffix, others)


def _make_subject(path: Path, selection: Selection, targets: TargetFinder) -> Subject:
    is_root = path == selection.root
    relative = Path(path.name) if is_root else path.relative_to(selection.root)
    key = key_of(relative, selection.source_suffix)
    target = None
    if selection.wants_targets:
        target = targets.scan(path, relative, key)
    name = "_".join(Path(key).parts).rstrip("_-.")
    source = volume_scan(path, selection.max_voxels)
    return Subject(name or path.parent.name, source, target)


def _find_sources(selection: Selection, report: Callable[[OSError], None]) -> list[Path]:
    suffix = selection.source_suffix
    volumes = _find_volumes(selection.root, report)
    matching = [path for path in volumes if has_suffix(path.name, suffix)]
    if suffix:
        matching = _prefer_whole_names(matching, suffix)
    return prefer_anatomy(matching, selection.root)


def _prefer_whole_names(paths: list[Path], suffix: str) -> list[Path]:
    """Drop files beside one whose whole name is the suffix: aparc+aseg.mgz beside aseg.mgz."""
    whole = {path for path in paths if not strip_suffix(path.name, suffix)}
    folders = {path.parent for path in whole}
    return [path for path in paths if path in whole or path.parent not in folders]


def _name_of(path: Path) -> str:
    """Return the name of a subject for which a table has nothing but the path of its source."""
    # The path may be absolute, or lead out of the folder of the table.
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
    stem, _, rest = name.lower().rpartition(".img")
    if rest not in {"", ".gz"}:
        return False
    headers = {f"{stem}.hdr", f"{stem}.hdr.gz"}
    return any(other.lower() in headers for other in names)
