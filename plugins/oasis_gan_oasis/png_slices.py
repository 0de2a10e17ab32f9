"""Find the subjects of the OASIS PNG slices ("keras_png_slices_data"), in a folder or a zip.

Slices are called ``case_001_slice_0.nii.png``. Slices of label maps are called
``seg_001_slice_0.nii.png``, or have the same names but lie in a folder with ``seg`` in its name.
Folders are called ``keras_png_slices_train``, ``keras_png_slices_seg_test`` and so on; they may lie
in ``slices`` and ``slices_seg``. A label map and its MRI share the number after ``case_`` or
``seg_``, and the side of the split. The label maps are the sources; if there are none, as in
``keras_png_slices_train``, the MRIs are.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from oasis_gan import OasisGanError, Scan, Selection, Subject

from .bundled import Report, ignore_error, list_found
from .container import is_zip_name, list_files
from .errors import SuffixError
from .stack import PngStack

Files = dict[int, list[PurePosixPath]]
"""The files of each slice by its number: several files if they claim the same number."""
_SLICE = re.compile(
    r"(?P<prefix>case|seg)_(?P<number>[0-9]{1,9})_slice_(?P<slice>[0-9]{1,9})(\.nii)?\.png",
    re.IGNORECASE,
)
_SPLITS = ("train", "validate", "test")


class Key(NamedTuple):
    """What the label map and the MRI of a subject share; subjects are listed in this order."""

    number: int
    split: str

    @property
    def name(self) -> str:
        """Return the name of the subject, without its side of the split."""
        return f"case_{self.number:03d}"


class FoundSlices(NamedTuple):
    """The slices that a folder or zip holds, by kind and subject."""

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
    """List the subjects of a selection, each with its counterpart and its side of the split.

    A subject is called ``case_001``, or ``train_case_001`` if that number occurs on several sides.
    A subject without its counterpart is listed too, and refused when it is read. A single PNG is a
    volume of one slice.

    Raises:
        OasisGanError: If there are no such slices, or a suffix is given.
    """
    if selection.source_suffix:
        raise SuffixError("source_suffix", selection.source_suffix)
    if selection.target_suffix:
        raise SuffixError("target_suffix", selection.target_suffix)
    # A folder may be named like a PNG.
    if _is_png_name(selection.root) and not selection.root.is_dir():
        yield _read_single_slice(selection)
        return
    yield from list_found(
        selection,
        _find_subjects,
        expected="files named case_001_slice_0.nii.png or seg_001_slice_0.nii.png",
        remedy="check the folder",
    )


def _find_subjects(selection: Selection, report: Report) -> Iterator[Subject]:
    pairing = _Pairing(selection, _find_slices(selection.root, report))
    for key in pairing.list_keys():
        yield pairing.make_subject(key)


def _is_png_name(path: Path) -> bool:
    return path.name.lower().endswith(".png")


def _read_single_slice(selection: Selection) -> Subject:
    """Return the volume of one slice that a PNG of any name is."""
    root = selection.root
    target_root = selection.target_root
    target = _scan_slice(target_root, selection) if target_root else None
    return Subject(_stem(root), _scan_slice(root, selection), target)


def _scan_slice(path: Path, selection: Selection) -> Scan:
    hints = _parse_hints(path.name)
    # The folder only says something about slices: a PNG of any name may lie anywhere.
    if _SLICE.fullmatch(path.name):
        hints |= _parse_hints(path.absolute().parent.name)
    stack = PngStack(
        name=_stem(path),
        files={0: [PurePosixPath(path.name)]},
        slices=1,
        is_labels="seg" in hints,
    )
    return stack.scan(path, selection)


def _stem(path: Path) -> str:
    return re.sub(r"(\.nii)?\.png$", "", path.name, flags=re.IGNORECASE) or path.name


def _find_slices(root: Path, report: Report = ignore_error) -> FoundSlices:
    """Sort the slices below a folder, or in a zip, by kind and subject."""
    slices = FoundSlices({}, {})
    for path in list_files(root, report):
        match = _SLICE.fullmatch(path.name)
        if match:
            _add_slice(slices, path, match, _find_hints(path, root))
    return slices


def _add_slice(
    slices: FoundSlices, path: PurePosixPath, match: re.Match[str], hints: set[str]
) -> None:
    """Add a file to its subject, from its name and the hints in its folders."""
    is_labels = match["prefix"].lower() == "seg" or "seg" in hints
    kind = slices.labels if is_labels else slices.images
    split = next((side for side in _SPLITS if side in hints), "")
    files = kind.setdefault(Key(int(match["number"]), split), {})
    files.setdefault(int(match["slice"]), []).append(path)


def _find_hints(path: PurePosixPath, root: Path) -> set[str]:
    """Return the hints in the folders of a file below the root, or else in the root itself."""
    hints: set[str] = set()
    for folder in path.parent.parts:
        hints |= _parse_hints(folder)
    if hints:
        return hints
    hints = _parse_hints(root.absolute().name)
    # A zip of slices made from sub-01_seg.nii.gz is named after it.
    if is_zip_name(root):
        hints.discard("seg")
    return hints


def _parse_hints(name: str) -> set[str]:
    """Return the hints in a name: ``seg``, ``slices``, and a side of the split as the last word."""
    words = [word for word in re.split("[^a-z]+", name.lower()) if word]
    kinds = {"seg", "slices"} & set(words)
    sides = set(_SPLITS) & set(words[-1:])
    return kinds | sides


class _Pairing:
    """The slices of a selection, each subject with its counterpart.

    Args:
        selection: What the user asks for.
        slices: The slices below its root.
    """

    def __init__(self, selection: Selection, slices: FoundSlices) -> None:
        self._selection = selection
        self._target_root = selection.target_root or selection.root
        self._is_one_root = self._target_root == selection.root
        others = slices if self._is_one_root else _find_slices(self._target_root)
        self._is_from_labels = bool(slices.labels)
        if self._is_from_labels:
            self._sources = slices.labels
            self._targets = others.images
        else:
            self._sources = slices.images
            self._targets = others.labels
        self._sides = Counter(key.number for key in self.list_keys())

    def list_keys(self) -> list[Key]:
        """Return the keys of all subjects, including those that lack a label map or an MRI."""
        keys = set(self._sources)
        # Another folder may hold targets of subjects that were not asked for.
        if self._is_one_root:
            keys |= set(self._targets)
        return sorted(keys)

    def make_subject(self, key: Key) -> Subject:
        """Return the subject of a key; reading a scan that it lacks raises the error."""
        files = self._sources.get(key, {})
        # A folder that is not split can hold the counterparts of all sides.
        counterparts = self._targets.get(key) or self._targets.get(Key(key.number, ""), {})
        # Both become volumes of the same size, also if the last slices of one are missing.
        slices = max([*files, *counterparts]) + 1
        source = PngStack(key.name, files, slices, is_labels=self._is_from_labels)
        target = PngStack(key.name, counterparts, slices, is_labels=not self._is_from_labels)
        return Subject(
            self._name_subject(key),
            _scan_stack(self._selection.root, source, self._selection),
            self._scan_target(target),
            key.split,
        )

    def _name_subject(self, key: Key) -> str:
        if self._sides[key.number] == 1:
            return key.name
        return f"{key.split or 'other'}_{key.name}"

    def _scan_target(self, stack: PngStack) -> Scan | None:
        if self._targets or self._selection.wants_targets:
            return _scan_stack(self._target_root, stack, self._selection)
        return None


def _scan_stack(root: Path, stack: PngStack, selection: Selection) -> Scan:
    paths = [root / path for number in sorted(stack.files) for path in stack.files[number]]
    if is_zip_name(root) or not paths:
        return stack.scan(root, selection)
    return stack.scan(paths[0], selection, tuple(paths[1:]))
