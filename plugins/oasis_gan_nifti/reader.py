"""Finding NIfTI, MGH and Analyze volumes: a file, a folder, two of them, two suffixes in one, a table."""

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
    unreadable,
    volume_scan,
    walk_folders,
    without_suffix,
)

from .table import is_table_name, listed
from .targets import TargetFinder, key_of

_SHOWN = 3


def recognises(path: Path) -> bool:
    """Whether ``path`` is called like a volume or a table of them, or is a folder with a volume in it or below."""
    if path.is_dir():
        return next(_volumes(path), None) is not None
    return is_volume_name(path) or is_table_name(path)


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the volumes of a selection, and their targets where those are asked for.

    A subject is named by its path below the root, without the suffix: ``site1/sub-01_seg.nii.gz`` is
    ``site1_sub-01_seg``, or ``site1_sub-01`` if ``_seg.nii.gz`` is the source suffix. Of participants named as in BIDS
    the anatomy is listed, and not what lies with functional or diffusion data, unless there is nothing else.

    Raises:
        OasisGanError: If there is no such volume, or one would be its own target.
    """
    root = selection.root
    limit = selection.max_voxels
    if is_table_name(root):
        yield from listed(root, _name_of, partial(volume_scan, max_voxels=limit))
        return
    errors: list[OSError] = []
    sources = _sources(selection, errors.append) if root.is_dir() else [root]
    targets = TargetFinder(selection)
    for path in sources:
        relative = path.relative_to(root) if root.is_dir() else Path(path.name)
        key = key_of(relative, selection.source_suffix)
        target = targets.scan(path, relative, key) if selection.wants_targets else None
        name = "_".join(Path(key).parts).rstrip("_-.") or path.parent.name
        yield Subject(name, volume_scan(path, limit), target)
    yield from (unreadable(root, error) for error in errors)
    if not sources and not errors:
        raise _none_found(selection)


def _sources(selection: Selection, report: Callable[[OSError], None]) -> list[Path]:
    root = selection.root
    suffix = selection.source_suffix
    named = [path for path in _volumes(root, report) if has_suffix(path.name, suffix)]
    # Where a file is called just as the suffix is, others are not meant: aseg.mgz, and not aparc+aseg.mgz beside it.
    exact = {path.parent for path in named if suffix and _is_called(path, suffix)}
    named = [path for path in named if path.parent not in exact or _is_called(path, suffix)]
    return prefer_anatomy(named, root)


def _is_called(path: Path, suffix: str) -> bool:
    return without_suffix(path.name, suffix) == ""


def _none_found(selection: Selection) -> OasisGanError:
    """Return the error of a folder without a source, which names some of the volumes that are there."""
    expected = f"files named *{selection.source_suffix or '.nii, *.nii.gz or *.mgz'}"
    others = [path.name for path in _volumes(selection.root)]
    shown = ", ".join(others[:_SHOWN]) + (
        f" and {len(others) - _SHOWN} more" if len(others) > _SHOWN else ""
    )
    found = f"none, but {shown}" if others else "none"
    return OasisGanError(
        selection.root, expected=expected, found=found, remedy="check the folder and the suffix"
    )


def _name_of(path: Path) -> str:
    """Return the name of a subject that a table lists by nothing but the path of its source."""
    parts = Path(key_of(path, "")).parts
    return "_".join(part for part in parts if part not in {path.anchor, ".."})


def _volumes(
    folder: Path, report: Callable[[OSError], None] = lambda error: None
) -> Iterator[Path]:
    """Yield the volumes in a folder and below it.

    Of a pair the header is listed; voxels without a header stand for themselves and are refused when they are read.
    """
    for parent, names in walk_folders(folder, report=report):
        yield from (
            parent / name
            for name in names
            if is_volume_name(Path(name)) and not _has_header(name, names)
        )


def _has_header(name: str, names: Sequence[str]) -> bool:
    """Whether a file holds the voxels of a pair of which the header is among these names."""
    ending = next((end for end in (".img", ".img.gz") if name.lower().endswith(end)), None)
    if ending is None:
        return False
    stem = name.lower().removesuffix(ending)
    return any(other.lower() in {f"{stem}.hdr", f"{stem}.hdr.gz"} for other in names)
