"""Find DICOM series: a folder of one, a folder with a folder for each, or one file of a series."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from pathlib import Path

from oasis_gan import (
    VOLUME_ENDINGS,
    NameLookup,
    Scan,
    Selection,
    Subject,
    holds_dicom,
    is_dicom,
    is_volume_name,
    unreadable,
    volume_scan,
    walk_files,
    walk_folders,
)

from .errors import NoFoldersError, NoTargetError, OwnTargetError

_MOST_FILES = 10_000  # that are looked at to recognise a folder
_ENDINGS = {"", ".dcm", ".dicom", ".ima"}


def recognises(path: Path) -> bool:
    """Whether ``path`` is a DICOM file, or a folder of them without volumes of another format."""
    if not path.is_dir():
        return is_dicom(path)
    found = False
    for file in islice(walk_files(path), _MOST_FILES):
        # What a converter has made of a series lies beside it.
        if is_volume_name(file):
            return False
        found = found or (_has_dicom_name(file) and is_dicom(file))
    return found


def _has_dicom_name(path: Path) -> bool:
    """Whether a file may be DICOM by its name, so that other files are not opened."""
    suffix = path.suffix.lower()
    # Names made of a UID end in a number.
    return suffix in _ENDINGS or suffix[1:].isdecimal()


def list_subjects(selection: Selection) -> Iterator[Subject]:
    """List a subject for each folder with DICOM files, with its target if that is requested.

    A subject is named after the path of its folder below the root, without the suffix. A folder
    with several series becomes a subject that is refused when it is read.

    Raises:
        NoFoldersError: If there is no such folder.
        OwnTargetError: If a series would be its own target.
    """
    root = selection.root
    if not root.is_dir():
        target = _find_target(selection, root, Path())
        yield Subject(_name_of_file(root), volume_scan(root, selection.max_voxels), target)
        return
    errors: list[OSError] = []
    is_empty = True
    for folder, _ in walk_folders(root, report=errors.append):
        if folder.name.endswith(selection.source_suffix) and holds_dicom(folder):
            is_empty = False
            yield _make_subject(folder, selection)
    for error in errors:
        yield unreadable(root, error)
    if is_empty and not errors:
        raise NoFoldersError(root, selection.source_suffix)


def _name_of_file(path: Path) -> str:
    return path.stem if path.suffix.lower() in _ENDINGS else path.name


def _make_subject(folder: Path, selection: Selection) -> Subject:
    relative = folder.relative_to(selection.root)
    key = str(relative).removesuffix(selection.source_suffix) if relative.parts else ""
    name = "_".join(Path(key).parts).rstrip("_-.")
    return Subject(
        name or folder.absolute().name,
        volume_scan(folder, selection.max_voxels),
        _find_target(selection, folder, relative),
    )


def _find_target(selection: Selection, source: Path, relative: Path) -> Scan | None:
    """Return the target of a series; reading it raises an error if there is none."""
    if not selection.wants_targets:
        return None
    place = _place_of_target(selection, source, relative)
    if place == source:
        raise OwnTargetError(source)
    if place.is_file() or holds_dicom(place):
        return volume_scan(place, selection.max_voxels)
    candidates = (place.with_name(f"{place.name}{ending}") for ending in VOLUME_ENDINGS)
    found = NameLookup().find_first(candidates)
    if found is None:
        return Scan.from_error(place, NoTargetError(place, source))
    return volume_scan(found, selection.max_voxels)


def _place_of_target(selection: Selection, source: Path, relative: Path) -> Path:
    """Return the path at which the target of a series should be."""
    root = selection.target_root
    place = source if root is None else root / relative
    if not selection.target_suffix:
        return place
    key = place.name.removesuffix(selection.source_suffix)
    return place.with_name(f"{key}{selection.target_suffix}")
