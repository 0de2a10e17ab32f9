"""Finding NIfTI volumes on a disk: a file, a folder, two folders of the same names, or two suffixes in one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from oasis_gan import OasisGanError, Scan, Selection, Subject, is_nifti_name, read_nifti


def recognises(path: Path) -> bool:
    """Whether ``path`` is called like a NIfTI file, or is a folder with one in it or below."""
    if path.is_dir():
        return next(_files(path), None) is not None
    return is_nifti_name(path)


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the volumes of a selection, and their targets where those are asked for.

    A subject is named by its path below the root, without the suffix: ``site1/sub-01_seg.nii.gz`` is
    ``site1_sub-01_seg``, or ``site1_sub-01`` if ``_seg.nii.gz`` is the source suffix.

    Raises:
        OasisGanError: If there is no such volume, or one would be its own target.
    """
    root = selection.root
    sources = [path for path in _files(root) if _ends(path, selection.source_suffix)] if root.is_dir() else [root]
    if not sources:
        expected = f"files named *{selection.source_suffix or '.nii or *.nii.gz'}"
        raise OasisGanError(root, expected=expected, found="none", remedy="check the folder and the suffix")
    for path in sources:
        relative = path.relative_to(root) if root.is_dir() else Path(path.name)
        key = _key(relative, selection.source_suffix)
        target = _target(selection, path, relative, key) if selection.wants_targets else None
        if target == path:
            raise OasisGanError(path, expected="a target beside it", found="itself", remedy="name another suffix")
        name = "_".join(Path(key).parts).rstrip("_-.") or path.parent.name
        yield Subject(name, Scan(path, read_nifti), Scan(target, read_nifti) if target else None)


def _files(folder: Path) -> Iterator[Path]:
    """Yield the NIfTI files below a folder in one order on every machine; links to folders are not followed.

    Hidden files are passed over: macOS leaves ``._name.nii.gz`` beside every file it copies.
    """
    for parent, folders, names in os.walk(folder):
        folders.sort()
        shown = (name for name in sorted(names) if not name.startswith("."))
        yield from (path for name in shown if is_nifti_name(path := Path(parent, name)))


def _ends(path: Path, suffix: str) -> bool:
    return path.name.lower().endswith(suffix.lower())


def _key(path: Path, suffix: str) -> str:
    """Return what source and target of a subject have in common: the path below the root without its ending."""
    name = path.name
    for ending in (suffix, ".gz", ".nii"):
        if ending and name.lower().endswith(ending.lower()):
            name = name[: -len(ending)]
    return str(path.parent / name) if name else f"{path.parent}{os.sep}"


def _target(selection: Selection, source: Path, relative: Path, key: str) -> Path:
    """Return where the file that goes with ``source`` should be; reading it tells whether it is there.

    In a folder of its own it has the same path below the root, at least up to the suffix.
    """
    root = selection.target_root or (selection.root if selection.root.is_dir() else source.parent)
    if root.is_file():
        return root
    if selection.target_suffix:
        return root / f"{key}{selection.target_suffix}"
    candidates = [path for name in (relative, f"{key}.nii.gz", f"{key}.nii") if (path := root / name) != source]
    return next((path for path in candidates if path.is_file()), candidates[0])
