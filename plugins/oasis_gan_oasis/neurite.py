"""Neurite OASIS is OASIS-1 processed with FreeSurfer, with one folder of NIfTI files a subject.

::

    OASIS_OAS1_0001_MR1/
        aligned_seg4.nii.gz  aligned_norm.nii.gz    in a common space, 160x192x224
        seg4.nii.gz          norm.nii.gz            as scanned, 256x256x256
        slice_seg4.nii.gz    slice_norm.nii.gz      one coronal slice of the common space

Source: https://github.com/adalca/medical-datasets/blob/master/neurite-oasis.md
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator
from functools import partial
from pathlib import Path, PurePath

from oasis_gan import (
    NEURITE_SEG4,
    NEURITE_SEG35,
    Scan,
    Selection,
    Subject,
    read_nifti,
    walk_folders,
)

from .bundled import Report, ignore_error, list_found, require_one_root

_SUBJECT = re.compile(r"OASIS_OAS1_\d{4}_MR\d+")
_IMAGE = re.compile(r"(aligned_|slice_|)(orig|norm|seg\d+)\.nii\.gz")
# Best first: heads in the common space are alike in position, and a slice is no whole volume.
_SPACES = ("aligned_", "", "slice_")
_LABELS = "seg4"
_MRI = "norm"
_LABEL_SETS = {"seg4": NEURITE_SEG4, "seg35": NEURITE_SEG35}


def recognises(path: Path) -> bool:
    """Whether ``path`` is a subject's folder, an image in one, or a folder that holds subjects."""
    if path.is_dir():
        return any(
            _is_subject_folder(folder) and _holds_image(names)
            for folder, names in _walk_subjects(path)
        )
    return bool(_IMAGE.fullmatch(path.name)) and _is_subject_folder(path.parent)


def list_subjects(selection: Selection) -> Iterator[Subject]:
    """List the subjects at or below a folder, named after their folders.

    Sources are label maps of four tissues (``seg4``) and targets are skull-stripped MRIs
    (``norm``), unless suffixes select other images (``seg35``, ``slice_norm``). An image comes from
    the common space if it is there, otherwise as scanned, otherwise as a slice; the target lies in
    the space of the source. A subject without its image is listed too, and refused when it is read.

    Raises:
        OasisGanError: If there is no subject, or targets are requested from another folder.
    """
    require_one_root(selection, "targets beside the sources", "orig")
    yield from list_found(
        selection,
        _find_subjects,
        expected="folders such as OASIS_OAS1_0001_MR1",
        remedy="name the folder that holds them",
    )


def _find_subjects(selection: Selection, report: Report) -> Iterator[Subject]:
    for source in _list_sources(selection, report):
        yield Subject(
            _name_subject(source.parent),
            _make_scan(source, selection),
            _find_target(source, selection),
        )


def _list_sources(selection: Selection, report: Report) -> Iterator[Path]:
    if not selection.root.is_dir():
        yield selection.root
        return
    image = _image_of_suffix(selection.source_suffix) or _LABELS
    for folder, _ in _walk_subjects(selection.root, report):
        yield _find_image(folder, image)


def _walk_subjects(root: Path, report: Report = ignore_error) -> Iterator[tuple[Path, list[str]]]:
    """Yield the subjects' folders at or below ``root`` in a stable order, with their files."""
    for folder, names in walk_folders(root, _lies_in_no_subject, report):
        # The folder that the user names may have any name, others are known by theirs.
        if folder == root and _holds_image(names):
            yield folder, names
            return
        if folder != root and _SUBJECT.fullmatch(folder.name):
            yield folder, names


def _lies_in_no_subject(folder: PurePath) -> bool:
    return not any(_SUBJECT.fullmatch(parent.name) for parent in folder.parents)


def _holds_image(names: Iterable[str]) -> bool:
    return any(_IMAGE.fullmatch(name) for name in names)


def _is_subject_folder(folder: Path) -> bool:
    return bool(_SUBJECT.fullmatch(_name_subject(folder)))


def _name_subject(folder: Path) -> str:
    """Return the name of a subject's folder, or of the folder that a link leads to."""
    if _SUBJECT.fullmatch(folder.name):
        return folder.name
    return folder.resolve().name


def _image_of_suffix(suffix: str) -> str:
    """Return the image that a suffix selects: ``seg35`` for ``_seg35.nii.gz``."""
    return suffix.removesuffix(".gz").removesuffix(".nii").lstrip("_")


def _space_of(name: str) -> str:
    for space in ("aligned_", "slice_"):
        if name.startswith(space):
            return space
    return ""


def _find_image(folder: Path, image: str) -> Path:
    """Return the file of an image in the first space that has it, or where it ought to be."""
    for space in _SPACES:
        path = folder / f"{space}{image}.nii.gz"
        # Also a link whose content has not been fetched: nobody should get another space instead.
        if os.path.lexists(path):
            return path
    return folder / f"{image}.nii.gz"


def _find_target(source: Path, selection: Selection) -> Scan | None:
    default = "" if selection.source_suffix else _MRI
    image = _image_of_suffix(selection.target_suffix) or default
    # A suffix may name the space too.
    space = "" if _space_of(image) else _space_of(source.name)
    path = source.with_name(f"{space}{image}.nii.gz")
    is_there = image and os.path.lexists(path) and path != source
    # A target that was asked for and is not there is refused when it is read.
    if selection.target_suffix or is_there:
        return _make_scan(path, selection)
    return None


def _make_scan(path: Path, selection: Selection) -> Scan:
    image = path.name.removeprefix(_space_of(path.name)).removesuffix(".nii.gz")
    read = partial(read_nifti, max_voxels=selection.max_voxels)
    return Scan(path, read, _LABEL_SETS.get(image))
