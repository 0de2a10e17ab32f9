"""Neurite OASIS: OASIS-1 processed with FreeSurfer, a folder a subject, NIfTI in it.

::

    OASIS_OAS1_0001_MR1/aligned_seg4.nii.gz  aligned_norm.nii.gz      in a common space, 160x192x224
    OASIS_OAS1_0001_MR1/seg4.nii.gz          norm.nii.gz              where they were scanned, 256x256x256
    OASIS_OAS1_0001_MR1/slice_seg4.nii.gz    slice_norm.nii.gz        one coronal slice of the common space

Source: https://github.com/adalca/medical-datasets/blob/master/neurite-oasis.md
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path, PurePath

from oasis_gan import (
    NEURITE_SEG4,
    NEURITE_SEG35,
    Scan,
    Selection,
    Subject,
    read_nifti,
    unreadable,
    walk_folders,
)

from .bundled import at_least_one, require_one_root

Report = Callable[[OSError], None]
_SUBJECT = re.compile(r"OASIS_OAS1_\d{4}_MR\d+")
_IMAGE = re.compile(r"(aligned_|slice_|)(orig|norm|seg\d+)\.nii\.gz")
_SPACES = ("aligned_", "", "slice_")
_LABELS = "seg4"
_MRI = "norm"
_LABEL_SETS = {"seg4": NEURITE_SEG4, "seg35": NEURITE_SEG35}


def recognises(path: Path) -> bool:
    """Whether ``path`` is a subject's folder or an image in it, or a folder with such folders in it or below."""
    if path.is_dir():
        return any(
            _SUBJECT.fullmatch(_name(folder)) and _holds_image(names)
            for folder, names in _folders(path)
        )
    return bool(_IMAGE.fullmatch(path.name) and _SUBJECT.fullmatch(_name(path.parent)))


def subjects(selection: Selection) -> Iterator[Subject]:
    """List the subjects at or below a folder, by the names of their folders.

    Sources are label maps of four tissues (``seg4``), targets MRIs without skull (``norm``), unless suffixes choose
    others (``seg35``, ``slice_norm``). Each is taken from the common space where it is there, else where it was
    scanned, else as a slice; the target lies in the space of the source. A subject that lacks its image is listed too,
    and fails by name when it is read.

    Raises:
        OasisGanError: If there is no subject, or targets are asked for in another folder.
    """
    require_one_root(selection, "targets beside the sources", "orig")
    errors: list[OSError] = []
    found = (
        Subject(_name(source.parent), _scan(source, selection), _target(source, selection))
        for source in _sources(selection, errors.append)
    )
    expected = "folders such as OASIS_OAS1_0001_MR1"
    remedy = "name the folder that holds them"
    yield from at_least_one(found, selection.root, expected, remedy)
    yield from (unreadable(selection.root, error) for error in errors)


def _sources(selection: Selection, report: Report) -> Iterator[Path]:
    if not selection.root.is_dir():
        yield selection.root
        return
    for folder, _ in _folders(selection.root, report):
        yield _chosen(folder, _what(selection.source_suffix) or _LABELS)


def _folders(root: Path, report: Report = lambda error: None) -> Iterator[tuple[Path, list[str]]]:
    """Yield the subjects' folders at or below ``root`` in one order, with the names of the files in them."""
    for folder, names in walk_folders(root, _is_no_part_of_a_subject, report):
        if folder == root and _holds_image(names):
            yield folder, names
            return
        if folder != root and _SUBJECT.fullmatch(folder.name):
            yield folder, names


def _is_no_part_of_a_subject(folder: PurePath) -> bool:
    return not any(_SUBJECT.fullmatch(above.name) for above in folder.parents)


def _holds_image(names: Iterable[str]) -> bool:
    return any(_IMAGE.fullmatch(name) for name in names)


def _name(folder: Path) -> str:
    """Return what a subject's folder is called; where a link has another name, that of the folder it leads to."""
    return folder.name if _SUBJECT.fullmatch(folder.name) else folder.resolve().name


def _what(suffix: str) -> str:
    """Return the image that a suffix names: ``seg35`` for ``_seg35.nii.gz``."""
    return suffix.removesuffix(".gz").removesuffix(".nii").lstrip("_")


def _space(name: str) -> str:
    return next(space for space in ("aligned_", "slice_", "") if name.startswith(space))


def _chosen(folder: Path, what: str) -> Path:
    """Return the image of that name, from the first space that has it; reading it tells if none has."""
    candidates = [folder / f"{space}{what}.nii.gz" for space in _SPACES]
    # Also a link whose content has not been fetched: nobody should get another space instead.
    return next((path for path in candidates if os.path.lexists(path)), folder / f"{what}.nii.gz")


def _target(source: Path, selection: Selection) -> Scan | None:
    what = _what(selection.target_suffix) or ("" if selection.source_suffix else _MRI)
    path = source.with_name(f"{'' if _space(what) else _space(source.name)}{what}.nii.gz")
    if selection.target_suffix or (what and os.path.lexists(path) and path != source):
        return _scan(path, selection)
    return None


def _scan(path: Path, selection: Selection) -> Scan:
    what = path.name.removeprefix(_space(path.name)).removesuffix(".nii.gz")
    return Scan(path, partial(read_nifti, max_voxels=selection.max_voxels), _LABEL_SETS.get(what))
