"""Stack the slices of a label map or an MRI to a volume, with an assumed position.

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
    NoSlicesError,
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
class PngStack:
    """The files that hold the slices of one MRI, or of one label map.

    Args:
        name: The name of the subject, such as ``case_001``.
        files: The files of each slice by its number; several files for one slice are refused.
        slices: Number of slices of the volume, missing ones included.
        is_labels: Whether the pixels are labels.
    """

    name: str
    files: Mapping[int, Sequence[PurePosixPath]]
    slices: int
    is_labels: bool

    def scan(self, path: Path, selection: Selection, parts: tuple[Path, ...] = ()) -> Scan:
        """Return the scan that reads the slices, given the first file or a zip."""
        read = partial(_read, stack=self, selection=selection)
        labels = OASIS if self.is_labels else None
        return Scan(path, read, labels, parts)


def _read(path: Path, stack: PngStack, selection: Selection) -> Volume:
    folder = path.parent if path.suffix.lower() == ".png" else path
    where = f"{folder}: {stack.name}"
    _check_files(stack, selection, where)
    # Each picture has its share of the voxels, so that their sum stays below the limit.
    max_pixels = selection.max_voxels // stack.slices
    with open_container(path) as load:
        pictures = _decode_slices(path, stack, load, max_pixels)
    voxels = _stack_slices(pictures, stack.slices, where)
    if stack.is_labels:
        voxels = _decode_labels(voxels, where)
    spacing = selection.spacing or (1.0, 1.0, 1.0)
    geometry = Geometry(voxels.shape, np.diag([*spacing, 1.0]))
    notes = (_describe_spacing(spacing), *_describe_gaps(stack), *_describe_pictures(pictures))
    return Volume(voxels, geometry, notes)


def _check_files(stack: PngStack, selection: Selection, where: str) -> None:
    """Refuse slices that cannot be a volume, judging by the names of their files."""
    if not stack.files:
        raise NoSlicesError(where, "label map" if stack.is_labels else "MRI")
    for names in stack.files.values():
        if len(names) > 1:
            raise RepeatedSliceError(where, names)
    # A volume of one pixel a slice already has as many voxels as slices.
    if stack.slices > min(MAX_SLICES, selection.max_voxels):
        raise SliceNumberError(where, MAX_SLICES, stack.slices - 1)


def _decode_slices(path: Path, stack: PngStack, load: Load, max_pixels: int) -> dict[int, Picture]:
    pictures = {}
    for number in sorted(stack.files):
        (name,) = stack.files[number]
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
    """Return the labels 0 to 3 of the pixels, which are multiples of one of the `_STEPS`."""
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


def _describe_gaps(stack: PngStack) -> tuple[str, ...]:
    missing = [number for number in range(stack.slices) if number not in stack.files]
    if not missing:
        return ()
    last = stack.slices - 1
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
