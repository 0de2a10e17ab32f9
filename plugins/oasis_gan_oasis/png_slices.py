"""Finding the cases of the OASIS PNG slices, "keras_png_slices_data", however they were unpacked, or not.

Slices are called ``case_001_slice_0.nii.png``, those of label maps ``seg_001_slice_0.nii.png``, or like their mates
but in a folder with ``seg`` in its name. Folders are called ``keras_png_slices_train``, ``keras_png_slices_seg_test``
and so on; they may lie in ``slices`` and ``slices_seg``. Mates share the case's number and the side of the split.
Label maps are the sources where there are any; where there are MRI alone, as in ``keras_png_slices_train``, they are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from oasis_gan import OasisGanError, Scan, Selection, Subject, unreadable

from .container import is_zip_name, paths_in
from .stack import Case

Files = dict[int, list[PurePosixPath]]
"""The files of each slice, by its number: more than one if two claim to be it."""
_SLICE = re.compile(r"(case|seg)_([0-9]{1,9})_slice_([0-9]{1,9})(\.nii)?\.png", re.IGNORECASE)
_SPLITS = ("train", "validate", "test")


class Key(NamedTuple):
    """What the label map and the MRI of a case have in common; cases are listed in this order."""

    number: int
    split: str


class Found(NamedTuple):
    """The cases in a folder or zip."""

    labels: dict[Key, Files]
    images: dict[Key, Files]


def recognises(path: Path) -> bool:
    """Whether ``path`` is called like a PNG, or is a folder or a zip with OASIS slices in it; so is a damaged zip."""
    if path.is_file() and not is_zip_name(path):
        return _is_png_name(path)
    try:
        return any(_SLICE.fullmatch(inside.name) for inside in paths_in(path))
    except OasisGanError:
        return True


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the cases of a selection, each with its mate where that is known, and with its side of the data's split.

    A case is called ``case_001``, or ``train_case_001`` where that number occurs on several sides. One that lacks
    what others have is listed too, and refused when it is read. A PNG alone is a volume of one slice.

    Raises:
        OasisGanError: If there are no such slices, or a suffix is given.
    """
    for option, suffix in (
        ("`source_suffix`", selection.source_suffix),
        ("`target_suffix`", selection.target_suffix),
    ):
        if suffix:
            expected = "none with OASIS PNG slices"
            remedy = "name the folder of the sources, and `target_root`"
            raise OasisGanError(option, expected=expected, found=suffix, remedy=remedy)
    if _is_png_name(selection.root) and not selection.root.is_dir():
        yield _single(selection)
        return
    errors: list[OSError] = []
    here = _find(selection.root, errors.append)
    if not here.labels and not here.images:
        expected = "files named case_001_slice_0.nii.png or seg_001_slice_0.nii.png"
        raise OasisGanError(
            selection.root, expected=expected, found="none", remedy="check the folder"
        )
    yield from _paired(selection, here)
    yield from (unreadable(selection.root, error) for error in errors)


def _is_png_name(path: Path) -> bool:
    return path.name.lower().endswith(".png")


def _single(selection: Selection) -> Subject:
    """Return the volume of one slice that a PNG is, whatever it is called."""
    root = selection.root
    target = selection.target_root
    return Subject(
        _stem(root), _slice(root, selection), _slice(target, selection) if target else None
    )


def _slice(path: Path, selection: Selection) -> Scan:
    # The folder tells of slices only: a PNG of any name may lie anywhere.
    told = _said(path.name) | (
        _said(path.absolute().parent.name) if _SLICE.fullmatch(path.name) else set()
    )
    return Case(_stem(path), {0: [PurePosixPath(path.name)]}, 1, "seg" in told).scan(
        path, selection
    )


def _stem(path: Path) -> str:
    return re.sub(r"(\.nii)?\.png$", "", path.name, flags=re.IGNORECASE) or path.name


def _find(root: Path, report: Callable[[OSError], None] = lambda error: None) -> Found:
    """Sort the slices below a folder, or in a zip, by kind and case."""
    found = Found({}, {})
    for path in paths_in(root, report):
        if match := _SLICE.fullmatch(path.name):
            prefix, case, number = match.groups()[:3]
            told = _told(path.parent.parts, root)
            cases = found.labels if prefix.lower() == "seg" or "seg" in told else found.images
            key = Key(int(case), next((split for split in _SPLITS if split in told), ""))
            cases.setdefault(key, {}).setdefault(int(number), []).append(path)
    return found


def _told(folders: tuple[str, ...], root: Path) -> set[str]:
    """Return what the folders say of the files in them: those below the root, or else the root itself."""
    told = set().union(*map(_said, folders))
    # A zip of slices made from sub-01_seg.nii.gz is called after it.
    return told or _said(root.absolute().name) - ({"seg"} if is_zip_name(root) else set())


def _said(name: str) -> set[str]:
    """Return which of these a name tells: ``seg``, ``slices``, and, as its last word, the side of a split."""
    words = [word for word in re.split("[^a-z]+", name.lower()) if word]
    return {"seg", "slices"} & set(words) | set(_SPLITS) & set(words[-1:])


def _paired(selection: Selection, here: Found) -> Iterator[Subject]:
    """Yield the cases of ``here``, also where label map or MRI is missing: reading that says so."""
    from_labels = bool(here.labels)
    target_root = selection.target_root or selection.root
    there = _find(target_root) if target_root != selection.root else here
    sources, targets = (here.labels, there.images) if from_labels else (here.images, there.labels)
    keys = sources.keys() | targets.keys() if there is here else sources.keys()
    count = Counter(key.number for key in keys)
    for key in sorted(keys):
        files = sources.get(key, {})
        mates = targets.get(key) or targets.get(Key(key.number, ""), {})
        name = f"case_{key.number:03d}"
        slices = max([*files, *mates]) + 1
        source = _scan(selection.root, Case(name, files, slices, from_labels), selection)
        target = _scan(target_root, Case(name, mates, slices, not from_labels), selection)
        unique = name if count[key.number] == 1 else f"{key.split or 'other'}_{name}"
        yield Subject(
            unique, source, target if targets or selection.wants_targets else None, key.split
        )


def _scan(root: Path, case: Case, selection: Selection) -> Scan:
    paths = [root / path for _, same in sorted(case.files.items()) for path in same]
    if is_zip_name(root) or not paths:
        return case.scan(root, selection)
    return case.scan(paths[0], selection, tuple(paths[1:]))
