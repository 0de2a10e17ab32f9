"""Finding NIfTI and Analyze volumes: a file, a folder, two of them, two suffixes in one, a table."""

from __future__ import annotations

import os
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from oasis_gan import OasisGanError, Scan, Selection, Subject, is_nifti_name, is_pair_name, pair_scan, read_nifti

from .table import is_table_name, listed


def recognises(path: Path) -> bool:
    """Whether ``path`` is called like a NIfTI file or a table of them, or is a folder with one in it or below."""
    if path.is_dir():
        return next(_files(path), None) is not None
    return is_nifti_name(path) or is_pair_name(path) or is_table_name(path)


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the volumes of a selection, and their targets where those are asked for.

    A subject is named by its path below the root, without the suffix: ``site1/sub-01_seg.nii.gz`` is
    ``site1_sub-01_seg``, or ``site1_sub-01`` if ``_seg.nii.gz`` is the source suffix.

    Raises:
        OasisGanError: If there is no such volume, or one would be its own target.
    """
    root, limit = selection.root, selection.max_voxels
    if is_table_name(root):
        yield from listed(root, _name_of, partial(_scan, max_voxels=limit))
        return
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
        yield Subject(name, _scan(path, limit), _scan(target, limit) if target else None)


def _name_of(path: Path) -> str:
    """Return the name of a subject that a table lists by nothing but the path of its source."""
    parts = Path(_key(path, "")).parts
    return "_".join(part for part in parts if part not in {path.anchor, ".."})


def _scan(path: Path, max_voxels: int) -> Scan:
    return pair_scan(path, max_voxels) if is_pair_name(path) else Scan(path, partial(read_nifti, max_voxels=max_voxels))


def _files(folder: Path) -> Iterator[Path]:
    """Yield the volumes below a folder in one order on every machine; links to folders are not followed.

    Hidden files are passed over: macOS leaves ``._name.nii.gz`` beside every file it copies. Of a pair the header is
    listed, voxels without a header stand for themselves and are refused when they are read.
    """
    for parent, folders, names in os.walk(folder):
        folders.sort()
        shown = [name for name in sorted(names) if not name.startswith(".")]
        there = {name.lower() for name in shown}
        for name in shown:
            path, header = Path(parent, name), _as_header(name)
            has_header = header != name.lower() and header in there
            if is_nifti_name(path) or (is_pair_name(path) and not has_header):
                yield path


def _as_header(name: str) -> str:
    """Return a name in lower case; that of the voxels of a pair becomes that of their header."""
    lower = name.lower()
    return f"{lower[:-4]}.hdr" if lower.endswith(".img") else lower


def _ends(path: Path, suffix: str) -> bool:
    return _as_header(path.name).endswith(_as_header(suffix))


def _key(path: Path, suffix: str) -> str:
    """Return what source and target of a subject have in common: the path below the root without its ending."""
    name = path.name
    for ending in (suffix, ".gz", ".nii", ".hdr"):
        if ending and _as_header(name).endswith(_as_header(ending)):
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
    names = str(relative), f"{key}.nii.gz", f"{key}.nii", f"{key}.hdr"
    candidates = [path for name in names if (path := root / name) != source]
    return next((path for path in candidates if path.is_file()), candidates[0])
