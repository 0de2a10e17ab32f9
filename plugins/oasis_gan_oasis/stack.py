"""Stacking the slices of a case to a volume, and saying where it is assumed to lie.

A PNG does not say where its pixels lie. The rule here: slices are axial and numbered from below to above, the front
of the head is at the top of a picture, and the left of the head on its left. Voxels (x, y, z) are (column, row from
the bottom, slice number), so that the axes of a volume point to R, A and S; voxel (0, 0, 0) lies at the origin.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path, PurePosixPath

import numpy as np
from numpy.typing import NDArray

from oasis_gan import OASIS, AssumptionNote, Geometry, OasisGanError, Scan, Selection, Volume

from .container import named, opened
from .png import Picture, Pixels, decoded

LABELS = range(4)
_STEPS = (
    1,
    85,
    21845,
)  # between the pixels of neighbouring labels: the last label is 3, or white in 8 or 16 bits
MAX_SLICES = 4096
"""A higher number is no slice of a head."""
_SHOWN = 8  # numbers that a note lists


@dataclass(frozen=True)
class Case:
    """The slices of one case: its MRI, or its label map.

    Args:
        name: As in ``case_001``.
        files: Those of each slice, by its number; a slice has one, or the case is refused.
        slices: How many the volume has, missing ones included.
        is_labels: Whether the pixels are labels.
    """

    name: str
    files: Mapping[int, Sequence[PurePosixPath]]
    slices: int
    is_labels: bool

    def scan(self, path: Path, selection: Selection, parts: tuple[Path, ...] = ()) -> Scan:
        """Return the scan that reads this case from its first file, or from a zip."""
        read = partial(_read, case=self, selection=selection)
        return Scan(path, read, OASIS if self.is_labels else None, parts)


def _read(path: Path, case: Case, selection: Selection) -> Volume:
    where = f"{path.parent if path.suffix.lower() == '.png' else path}: {case.name}"
    _check(case, selection, where)
    with opened(path) as load:
        pictures = {
            number: decoded(load(str(name)), named(path, name), selection.max_voxels // case.slices)
            for number, (name,) in sorted(case.files.items())
        }
    voxels = _stacked(pictures, case.slices, where)
    if case.is_labels:
        voxels = _labels(voxels, where)
    spacing = selection.spacing or (1.0, 1.0, 1.0)
    geometry = Geometry(voxels.shape, np.diag([*spacing, 1.0]))
    return Volume(voxels, geometry, (_assumption(spacing), *_gaps(case), *_oddities(pictures)))


def _check(case: Case, selection: Selection, where: str) -> None:
    """Refuse a case of which the file names alone say that it is no volume."""
    if not case.files:
        expected = f"slices of its {'label map' if case.is_labels else 'MRI'}"
        raise OasisGanError(
            where, expected=expected, found="none", remedy="add them, or leave the case out"
        )
    for names in case.files.values():
        if len(names) > 1:
            found = " and ".join(map(str, names))
            raise OasisGanError(
                where, expected="one file a slice", found=found, remedy="remove one of the two"
            )
    if case.slices > min(MAX_SLICES, selection.max_voxels):
        found = f"slice number {case.slices - 1}"
        remedy = "number them from 0, or raise `max_voxels`"
        raise OasisGanError(
            where, expected=f"at most {MAX_SLICES} slices", found=found, remedy=remedy
        )


def _stacked(pictures: Mapping[int, Picture], slices: int, where: str) -> Pixels:
    """Return voxels (columns, rows from the bottom, slices); slices without a picture are empty."""
    first, *others = pictures
    pixels = pictures[first].pixels
    for number in others:
        here = _kind(pixels)
        there = _kind(pictures[number].pixels)
        if here != there:
            found = f"{there} in slice {number}"
            remedy = "make the slices of a case alike"
            raise OasisGanError(
                where, expected=f"{here} as in slice {first}", found=found, remedy=remedy
            )
    rows, columns = pixels.shape
    voxels = np.zeros((columns, rows, slices), pixels.dtype)
    for number, picture in pictures.items():
        voxels[:, :, number] = picture.pixels[::-1].T
    return voxels


def _kind(pixels: Pixels) -> str:
    rows, columns = pixels.shape
    return f"{columns} x {rows} pixels of {8 * pixels.itemsize} bits"


def _labels(voxels: Pixels, where: str) -> Pixels:
    """Return the labels 0 to 3 that pixels stand for, in whichever coding holds all of them."""
    values = np.flatnonzero(np.bincount(voxels.ravel()))
    for step in _STEPS:
        if np.isin(values, step * np.array(LABELS)).all():
            return (voxels // step).astype(np.uint8)
    expected = "labels 0, 85, 170, 255, or 0 to 3"
    remedy = (
        "give label maps that were never scaled nor compressed with loss (an MRI is no label map)"
    )
    raise OasisGanError(where, expected=expected, found=_listed(values), remedy=remedy)


def _assumption(spacing: tuple[float, float, float]) -> str:
    x, y, z = spacing
    return AssumptionNote(
        f"a PNG does not say where it lies: assumed voxels of {x:g} x {y:g} x {z:g} mm, axial slices from below to "
        "above, the front at the top and the left of the head on the left, the first voxel at the origin"
    )


def _gaps(case: Case) -> tuple[str, ...]:
    missing = [number for number in range(case.slices) if number not in case.files]
    return (
        (f"slice {_listed(missing)} of 0 to {case.slices - 1} missing, left empty",)
        if missing
        else ()
    )


def _oddities(pictures: Mapping[int, Picture]) -> tuple[str, ...]:
    """Return what was odd about the pictures, and in which slices."""
    where: dict[str, list[int]] = {}
    for number, picture in pictures.items():
        for note in picture.notes:
            where.setdefault(note, []).append(number)
    # A note on a repair stays one.
    return tuple(type(note)(f"slice {_listed(numbers)}: {note}") for note, numbers in where.items())


def _listed(numbers: Sequence[int] | NDArray[np.intp]) -> str:
    return ", ".join(map(str, numbers[:_SHOWN])) + (", ..." if len(numbers) > _SHOWN else "")
