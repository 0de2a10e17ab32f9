"""Find the cases of the OASIS PNG slices ("keras_png_slices_data"), in a folder or a zip.

Slices are called ``case_001_slice_0.nii.png``. Slices of label maps are called
``seg_001_slice_0.nii.png``, or have the same names but lie in a folder with ``seg`` in its name.
Folders are called ``keras_png_slices_train``, ``keras_png_slices_seg_test`` and so on; they may lie
in ``slices`` and ``slices_seg``. A label map and its MRI share the number of the case and the side
of the split. The label maps are the sources; if there are none, as in ``keras_png_slices_train``,
the MRIs are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from oasis_gan import OasisGanError, Scan, Selection, Subject, unreadable

from .bundled import Report, ignore_error
from .container import is_zip_name, list_files
from .stack import Case

Files = dict[int, list[PurePosixPath]]
"""The files of each slice by its number: several files if they claim the same number."""
_SLICE = re.compile(
    r"(?P<prefix>case|seg)_(?P<case>[0-9]{1,9})_slice_(?P<slice>[0-9]{1,9})(\.nii)?\.png",
    re.IGNORECASE,
)
_SPLITS = ("train", "validate", "test")


class SuffixError(OasisGanError):
    """A suffix was given, but PNG slices are selected by folder.

    Args:
        option: The option that was given.
        suffix: Its value.
    """

    def __init__(self, option: str, suffix: str) -> None:
        super().__init__(
            f"`{option}`",
            expected="none with OASIS PNG slices",
            found=suffix,
            remedy="name the folder of the sources, and `target_root`",
        )


class Key(NamedTuple):
    """What the label map and the MRI of a case share; cases are listed in this order."""

    number: int
    split: str


class Cases(NamedTuple):
    """The cases in a folder or zip."""

    labels: dict[Key, Files]
    images: dict[Key, Files]


def recognises(path: Path) -> bool:
    """Whether ``path`` is named like a PNG, or is a folder or zip of OASIS slices.

    A damaged zip is recognised too, so that its error is shown.
    """
    if path.is_file() and not is_zip_name(path):
        return _is_png_name(path)
    try:
        return any(_SLICE.fullmatch(file.name) for file in list_files(path))
    except OasisGanError:
        return True


def list_subjects(selection: Selection) -> Iterator[Subject]:
    """List the cases of a selection, each with its counterpart and its side of the split.

    A case is called ``case_001``, or ``train_case_001`` if that number occurs on several sides. A
    case without its counterpart is listed too, and refused when it is read. A single PNG is a
    volume of one slice.

    Raises:
        OasisGanError: If there are no such slices, or a suffix is given.
    """
    if selection.source_suffix:
        raise SuffixError("source_suffix", selection.source_suffix)
    if selection.target_suffix:
        raise SuffixError("target_suffix", selection.target_suffix)
    if _is_png_name(selection.root) and not selection.root.is_dir():
        yield _single_slice(selection)
        return
    errors: list[OSError] = []
    cases = _find_cases(selection.root, errors.append)
    if not cases.labels and not cases.images:
        raise OasisGanError(
            selection.root,
            expected="files named case_001_slice_0.nii.png or seg_001_slice_0.nii.png",
            found="none",
            remedy="check the folder",
        )
    yield from _pair_cases(selection, cases)
    for error in errors:
        yield unreadable(selection.root, error)


def _is_png_name(path: Path) -> bool:
    return path.name.lower().endswith(".png")


def _single_slice(selection: Selection) -> Subject:
    """Return the volume of one slice that a PNG of any name is."""
    root = selection.root
    source = _scan_slice(root, selection)
    target = None
    if selection.target_root:
        target = _scan_slice(selection.target_root, selection)
    return Subject(_stem(root), source, target)


def _scan_slice(path: Path, selection: Selection) -> Scan:
    hints = _hints_in(path.name)
    # The folder only says something about slices: a PNG of any name may lie anywhere.
    if _SLICE.fullmatch(path.name):
        hints |= _hints_in(path.absolute().parent.name)
    case = Case(
        name=_stem(path),
        files={0: [PurePosixPath(path.name)]},
        slices=1,
        is_labels="seg" in hints,
    )
    return case.scan(path, selection)


def _stem(path: Path) -> str:
    return re.sub(r"(\.nii)?\.png$", "", path.name, flags=re.IGNORECASE) or path.name


def _find_cases(root: Path, report: Report = ignore_error) -> Cases:
    """Sort the slices below a folder, or in a zip, by kind and case."""
    cases = Cases({}, {})
    for path in list_files(root, report):
        match = _SLICE.fullmatch(path.name)
        if match is None:
            continue
        hints = _hints_for(path, root)
        is_labels = match["prefix"].lower() == "seg" or "seg" in hints
        split = next((side for side in _SPLITS if side in hints), "")
        key = Key(int(match["case"]), split)
        files = (cases.labels if is_labels else cases.images).setdefault(key, {})
        files.setdefault(int(match["slice"]), []).append(path)
    return cases


def _hints_for(path: PurePosixPath, root: Path) -> set[str]:
    """Return the hints in the folders of a file below the root, or else in the root itself."""
    hints: set[str] = set()
    for folder in path.parent.parts:
        hints |= _hints_in(folder)
    if hints:
        return hints
    hints = _hints_in(root.absolute().name)
    # A zip of slices made from sub-01_seg.nii.gz is named after it.
    if is_zip_name(root):
        hints.discard("seg")
    return hints


def _hints_in(name: str) -> set[str]:
    """Return the hints in a name: ``seg``, ``slices``, and a side of the split as the last word."""
    words = [word for word in re.split("[^a-z]+", name.lower()) if word]
    kinds = {"seg", "slices"} & set(words)
    sides = set(_SPLITS) & set(words[-1:])
    return kinds | sides


def _pair_cases(selection: Selection, cases: Cases) -> Iterator[Subject]:
    """Yield the cases, also if a label map or MRI is missing: reading it raises the error."""
    target_root = selection.target_root or selection.root
    is_one_root = target_root == selection.root
    others = cases if is_one_root else _find_cases(target_root)
    is_from_labels = bool(cases.labels)
    sources = cases.labels if is_from_labels else cases.images
    targets = others.images if is_from_labels else others.labels
    keys = set(sources)
    if is_one_root:
        keys |= set(targets)
    has_targets = bool(targets) or selection.wants_targets
    sides = Counter(key.number for key in keys)
    for key in sorted(keys):
        files = sources.get(key, {})
        counterparts = targets.get(key) or targets.get(Key(key.number, ""), {})
        name = f"case_{key.number:03d}"
        slices = max([*files, *counterparts]) + 1
        source = Case(name, files, slices, is_labels=is_from_labels)
        target = Case(name, counterparts, slices, is_labels=not is_from_labels)
        is_unique = sides[key.number] == 1
        yield Subject(
            name if is_unique else f"{key.split or 'other'}_{name}",
            _scan_case(selection.root, source, selection),
            _scan_case(target_root, target, selection) if has_targets else None,
            key.split,
        )


def _scan_case(root: Path, case: Case, selection: Selection) -> Scan:
    paths = [root / path for number in sorted(case.files) for path in case.files[number]]
    if is_zip_name(root) or not paths:
        return case.scan(root, selection)
    return case.scan(paths[0], selection, tuple(paths[1:]))
