"""Stack the slices of a case to a volume, with an assumed position.

A PNG does not say where its pixels lie. The assumption: slices are axial and numbered from inferior
to superior, the front of the head is at the top of a picture, and the left of the head on its left.
Voxels (x, y, z) are (column, row from the bottom, slice number), so that the axes of a volume point
to R, A and S; voxel (0, 0, 0) lies at the origin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np

from oasis_gan import OASIS, AssumptionNote, Geometry, Scan, Selection, Volume

from .container import Load, describe_file, open_container
from .errors import (
    EmptyCaseError,
    NotLabelsError,
    RepeatedSliceError,
    SliceNumberError,
    UnequalSlicesError,
)
from .lists import list_numbers
from .png import Picture, Pixels, decode

LABELS = range(4)
_STEPS = (1, 85, 21845)
"""Differences between the pixels of neighbouring labels: label 3 is 3, or white in 8 or 16 bits."""
MAX_SLICES = 4096
"""A higher number is no slice of a head."""


@dataclass(frozen=True)
class Case:
    """The slices that one case has of its MRI, or of its label map.

    Args:
        name: As in ``case_001``.
        files: The files of each slice by its number; a case with several for a slice is refused.
        slices: Number of slices of the volume, missing ones included.
        is_labels: Whether the pixels are labels.
    """

    name: str
    files: Mapping[int, Sequence[PurePosixPath]]
    slices: int
    is_labels: bool

    def scan(self, path: Path, selection: Selection, parts: tuple[Path, ...] = ()) -> Scan:
        """Return the scan that reads this case from its first file, or from a zip."""
        read = partial(_read, case=self, selection=selection)
        labels = OASIS if self.is_labels else None
        return Scan(path, read, labels, parts)


def _read(path: Path, case: Case, selection: Selection) -> Volume:
    folder = path.parent if path.suffix.lower() == ".png" else path
    where = f"{folder}: {case.name}"
    _check_files(case, selection, where)
    # Each picture has its share of the voxels, so that their sum stays below the limit.
    max_pixels = selection.max_voxels // case.slices
    with open_container(path) as load:
        pictures = _decode_slices(path, case, load, max_pixels)
    voxels = _stack_slices(pictures, case.slices, where)
    if case.is_labels:
        voxels = _decode_labels(voxels, where)
    spacing = selection.spacing or (1.0, 1.0, 1.0)
    geometry = Geometry(voxels.shape, np.diag([*spacing, 1.0]))
    notes = (_describe_spacing(spacing), *_describe_gaps(case), *_describe_pictures(pictures))
    return Volume(voxels, geometry, notes)


def _check_files(case: Case, selection: Selection, where: str) -> None:
    """Refuse a case that cannot be a volume, judging by the names of its files."""
    if not case.files:
        raise EmptyCaseError(where, "label map" if case.is_labels else "MRI")
    for names in case.files.values():
        if len(names) > 1:
            raise RepeatedSliceError(where, names)
    # A volume of one pixel a slice already has as many voxels as slices.
    if case.slices > min(MAX_SLICES, selection.max_voxels):
        raise SliceNumberError(where, MAX_SLICES, case.slices - 1)


def _decode_slices(path: Path, case: Case, load: Load, max_pixels: int) -> dict[int, Picture]:
    pictures = {}
    for number in sorted(case.files):
        (name,) = case.files[number]
        data = load(str(name))
        pictures[number] = decode(data, describe_file(path, name), max_pixels)
    return pictures


def _stack_slices(pictures: Mapping[int, Picture], slices: int, where: str) -> Pixels:
    """Return voxels (columns, rows from the bottom, slices); slices without a picture are empty."""
    _require_equal(pictures, where)
    pixels = next(iter(pictures.values())).pixels
    rows, columns = pixels.shape
    voxels = np.zeros((columns, rows, slices), pixels.dtype)
    for number, picture in pictures.items():
        # A picture begins at the front of the head, a volume at its back.
        voxels[:, :, number] = picture.pixels[::-1].T
    return voxels


def _require_equal(pictures: Mapping[int, Picture], where: str) -> None:
    first, *others = pictures
    expected = _describe_pixels(pictures[first].pixels)
    for number in others:
        found = _describe_pixels(pictures[number].pixels)
        if found != expected:
            raise UnequalSlicesError(where, first, expected, number, found)


def _describe_pixels(pixels: Pixels) -> str:
    rows, columns = pixels.shape
    return f"{columns} x {rows} pixels of {8 * pixels.itemsize} bits"


def _decode_labels(voxels: Pixels, where: str) -> Pixels:
    """Return the labels 0 to 3 that the pixels code for, in the coding that has all of them."""
    values = np.flatnonzero(np.bincount(voxels.ravel()))
    for step in _STEPS:
        if np.isin(values, step * np.array(LABELS)).all():
            return (voxels // step).astype(np.uint8)
    raise NotLabelsError(where, values.tolist())


def _describe_spacing(spacing: tuple[float, float, float]) -> AssumptionNote:
    x, y, z = spacing
    return AssumptionNote(
        f"a PNG does not say where it lies: assumed voxels of {x:g} x {y:g} x {z:g} mm, axial "
        "slices from below to above, the front at the top and the left of the head on the left, "
        "the first voxel at the origin"
    )


def _describe_gaps(case: Case) -> tuple[str, ...]:
    missing = [number for number in range(case.slices) if number not in case.files]
    if not missing:
        return ()
    last = case.slices - 1
    return (f"slice {list_numbers(missing)} of 0 to {last} missing, left empty",)


def _describe_pictures(pictures: Mapping[int, Picture]) -> tuple[str, ...]:
    """Return the notes on the pictures, each with the slices that it concerns."""
    numbers: dict[str, list[int]] = {}
    for number, picture in pictures.items():
        for note in picture.notes:
            numbers.setdefault(note, []).append(number)
    return tuple(
        # A note on a repair stays one.
        type(note)(f"slice {list_numbers(concerned)}: {note}")
        for note, concerned in numbers.items()
    )
