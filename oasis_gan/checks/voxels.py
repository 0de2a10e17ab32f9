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
from ..image.volume import Geometry, Mask, Volume, Voxels
from .findings import Finding, accept, fix, reject, warn

Areas = NDArray[np.intp]
"""The number of voxels of the mask in each slice."""
VOID = 0.25
"""A volume is cut off if more than this share of its slices is empty at one end of an axis, ..."""
ABRUPT = 0.5
"""... and the next slice is this full, compared with the fullest, because a head tapers."""
_THIN = 8  # voxels
_SMALLEST_NORMAL = np.finfo(np.float32).tiny
_USUAL_CANVAS = Canvas(spacing=1.0, size=1, multiple=1)


def check_shape(volume: Volume) -> Iterator[Finding]:
    """Check the number of voxels along the axes."""
    shape = volume.geometry.shape
    size = " x ".join(map(str, shape))
    # The best slices lie along the two longest axes.
    second_longest = sorted(shape)[1]
    if second_longest < 2:
        yield reject(f"{size} voxels: nothing can be sliced")
    elif second_longest < _THIN:
        yield warn(f"only {size} voxels")


def check_intensities(volume: Volume) -> Iterator[Finding]:
    """Check that intensities are not vanishingly small."""
    largest = float(np.abs(volume.voxels).max())
    if 0 < largest < _SMALLEST_NORMAL:
        yield warn(
            f"intensities are denormal numbers, {largest:.2g} at most: was the scale lost?",
        )


def check_labels(volume: Volume, labels: LabelSet, where: object) -> Iterator[Finding]:
    """Check that all values are labels, and whole numbers."""
    try:
        clean = include_rare_labels(labels).clean(volume, where)
    except OasisGanError as error:
        yield reject(error)
        return
    yield from _check_rounding(volume.voxels, clean.voxels)


def _check_rounding(stored: Voxels, whole: Voxels) -> Iterator[Finding]:
    """Check that labels were stored as whole numbers."""
    if stored.dtype.kind in "iu":
        return
    distances = np.abs(stored - whole)
    offset = float(distances.max())
    if offset:
        message = f"labels lie up to {offset:.2g} off whole numbers: rounded"
        yield warn(message, label_offset=offset)
    else:
        yield fix(f"labels stored as {stored.dtype}: taken as whole numbers")


def check_picture(geometry: Geometry) -> Iterator[Finding]:
    """Check that axial slices, which most models use, are more than a few rows of pixels."""
    if is_too_thin(geometry, Plane.AXIAL):
        plane = find_best_plane(geometry)
        yield warn(f"{describe_thin(geometry)}: only {plane} slices are large enough")


def check_room(volume: Volume, where: object) -> Iterator[Finding]:
    """Check that axial slices fit onto a canvas of 1 mm pixels, which most models use."""
    mask = volume.voxels != 0
    stack = cut(mask, volume.geometry, Plane.AXIAL)
    try:
        require_room(stack.slices, stack.spacing, _USUAL_CANVAS, where)
    except OasisGanError as error:
        yield reject(error)


def check_emptiness(volume: Volume) -> Iterator[Finding]:
    """Check for an empty volume, for empty slices inside, and for a head that is cut off."""
    mask = volume.voxels != 0
    if not mask.any():
        yield warn("nothing but background", mask_share=0.0)
        return
    share = float(mask.mean())
    yield accept(mask_share=round(share, 4))
    for axis, size in enumerate(mask.shape):
        # Slices of a thin volume say nothing about a head.
        if size < _THIN:
            continue
        areas = _measure_areas(mask, axis)
        letter = "ijk"[axis]
        yield from _check_gaps(areas, letter)
        yield from _check_ends(areas, letter)


def _measure_areas(mask: Mask, axis: int) -> Areas:
    """Return the number of voxels of a mask in each slice along an axis."""
    other_axes = tuple(other for other in range(3) if other != axis)
    return np.asarray(np.count_nonzero(mask, axis=other_axes))


def _check_gaps(areas: Areas, letter: str) -> Iterator[Finding]:
    """Check for empty slices within the head."""
    filled = np.flatnonzero(areas)
    first = int(filled[0])
    last = int(filled[-1])
    extent = last - first + 1
    gaps = extent - len(filled)
    if gaps:
        yield warn(f"{gaps} empty slices inside, along axis {letter}")


def _check_ends(areas: Areas, letter: str) -> Iterator[Finding]:
    """Check for a head that is cut off at an end of an axis."""
    empty_ends = [_count_cut_off(areas), _count_cut_off(areas[::-1])]
    counts = [count for count in empty_ends if count]
    if not counts:
        return
    where = f"at both ends of axis {letter}" if len(counts) == 2 else f"along axis {letter}"
    slices = " and ".join(map(str, counts))
    message = f"cut off {where}: {slices} of {len(areas)} slices are empty"
    yield warn(message, empty_slices=sum(counts))


def _count_cut_off(areas: Areas) -> int:
    """Return the number of empty slices before a head that begins abruptly, or 0 if it tapers."""
    first = int(np.flatnonzero(areas)[0])
    is_void = first > VOID * len(areas)
    is_abrupt = areas[first] > ABRUPT * areas.max()
    return first if is_void and is_abrupt else 0
