"""Check the voxels of one volume: emptiness, lost scales, values that are not labels."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from ..errors import OasisGanError
from ..image.canvas import Canvas, require_room
from ..image.choices import Plane
from ..image.label_sets import include_rare_labels
from ..image.labels import LabelSet
from ..image.picture_planes import describe_thin, find_best_plane, is_too_thin
from ..image.slicing import cut
from ..image.volume import Geometry, Mask, Volume
from .findings import Finding, Verdict

VOID = 0.25
"""A volume is cut off if more than this share of its slices is empty at one end of an axis, ..."""
ABRUPT = 0.5
"""... and the next slice is this full, compared with the fullest, because a head tapers."""
_THIN = 8  # voxels


def check_shape(volume: Volume) -> Iterator[Finding]:
    """Check the number of voxels along the axes."""
    shape = volume.geometry.shape
    size = " x ".join(map(str, shape))
    second = sorted(shape)[1]
    if second < 2:
        yield Finding(Verdict.REJECT, f"{size} voxels: nothing can be sliced")
    elif second < _THIN:
        yield Finding(Verdict.WARN, f"only {size} voxels")


def check_intensities(volume: Volume) -> Iterator[Finding]:
    """Check that intensities are not vanishingly small."""
    largest = float(np.abs(volume.voxels).max())
    if 0 < largest < np.finfo(np.float32).tiny:
        message = f"intensities are denormal numbers, {largest:.2g} at most: was the scale lost?"
        yield Finding(Verdict.WARN, message)


def check_labels(volume: Volume, labels: LabelSet, where: object) -> Iterator[Finding]:
    """Check that all values are labels, and whole numbers."""
    try:
        clean = include_rare_labels(labels).clean(volume, where)
    except OasisGanError as error:
        yield Finding(Verdict.REJECT, str(error))
        return
    stored_type = volume.voxels.dtype
    if stored_type.kind in "iu":
        return
    offset = float(np.abs(volume.voxels - clean.voxels).max())
    if offset:
        message = f"labels lie up to {offset:.2g} off whole numbers: rounded"
        yield Finding(Verdict.WARN, message, {"label_offset": offset})
    else:
        yield Finding(Verdict.FIX, f"labels stored as {stored_type}: taken as whole numbers")


def check_picture(geometry: Geometry) -> Iterator[Finding]:
    """Check that axial slices, which most models use, are more than a few rows of pixels."""
    if is_too_thin(geometry, Plane.AXIAL):
        plane = find_best_plane(geometry)
        message = f"{describe_thin(geometry)}: a picture in the {plane} plane alone"
        yield Finding(Verdict.WARN, message)


def check_room(volume: Volume, where: object) -> Iterator[Finding]:
    """Check that axial slices fit onto a canvas of 1 mm pixels, which most models use."""
    stack = cut(volume.voxels != 0, volume.geometry, Plane.AXIAL)
    canvas = Canvas(1.0, 1, 1)
    try:
        require_room(stack.slices, stack.spacing, canvas, where)
    except OasisGanError as error:
        yield Finding(Verdict.REJECT, str(error))


def check_emptiness(occupied: Mask) -> Iterator[Finding]:
    """Check for an empty volume, for empty slices inside, and for a head that is cut off.

    Args:
        occupied: Mask of all voxels that are not background.
    """
    if not occupied.any():
        yield Finding(Verdict.WARN, "nothing but background", {"occupied": 0.0})
        return
    yield Finding(Verdict.ACCEPT, figures={"occupied": round(float(occupied.mean()), 4)})
    for axis in range(3):
        # Slices of a thin volume say nothing about a head.
        if occupied.shape[axis] >= _THIN:
            yield from _check_slices(occupied, axis)


def _check_slices(occupied: Mask, axis: int) -> Iterator[Finding]:
    """Check for empty slices along an axis: inside the head, and where it is cut off."""
    letter = "ijk"[axis]
    other_axes = tuple(other for other in range(3) if other != axis)
    area = np.count_nonzero(occupied, axis=other_axes)
    full = np.flatnonzero(area)
    gaps = int(full[-1] - full[0]) + 1 - len(full)
    if gaps:
        yield Finding(Verdict.WARN, f"{gaps} empty slices inside, along axis {letter}")
    empty_ends = [empty for empty in (_empty_start(area), _empty_start(area[::-1])) if empty]
    if empty_ends:
        where = f"at both ends of axis {letter}" if len(empty_ends) == 2 else f"along axis {letter}"
        counts = " and ".join(map(str, empty_ends))
        message = f"cut off {where}: {counts} of {len(area)} slices are empty"
        yield Finding(Verdict.WARN, message, {"empty_slices": sum(empty_ends)})


def _empty_start(area: NDArray[np.intp]) -> int:
    """Return the number of empty slices before a head that begins abruptly, or 0 if it tapers.

    Args:
        area: The number of occupied voxels in each slice.
    """
    first = int(np.flatnonzero(area)[0])
    is_void = first > VOID * len(area)
    is_abrupt = area[first] > ABRUPT * area.max()
    return first if is_void and is_abrupt else 0
