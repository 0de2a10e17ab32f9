"""In which planes a volume can be sliced: a single sagittal slice, cut axially, is rows of one pixel and no picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from nibabel import orientations

from .choices import Plane
from .errors import UnusableVolumeError
from .volume import Geometry

FEWEST = 8
"""Rows and columns of a slice that can be called a picture."""


def choose_picture_planes(
    geometry: Geometry,
    planes: Sequence[Plane],
    offered: Sequence[Plane],
    where: object,
    *,
    requested: bool,
) -> tuple[tuple[Plane, ...], str]:
    """Return the planes to slice a volume in, and what is to be said of them.

    Args:
        geometry: Of the volume.
        planes: That are asked for, or that the model slices in by default.
        offered: All that the model was trained in.
        where: What to call the volume in an error.
        requested: Whether the user asked for these planes.

    Raises:
        OasisGanError: If the slices would be rows of one pixel.
    """
    planes = tuple(planes)
    best = find_best_plane(geometry)
    if (
        all(_shortest(geometry, plane) >= FEWEST for plane in planes)
        or _shortest(geometry, best) < FEWEST
    ):
        return planes, ""
    candidates = planes if requested else offered
    pictures = tuple(plane for plane in candidates if _shortest(geometry, plane) >= FEWEST)
    if pictures and requested:
        return (
            pictures,
            f"{describe_thin(geometry)}: not sliced in planes in which it is no picture",
        )
    if pictures:
        chosen = best if best in pictures else pictures[0]
        return (
            chosen,
        ), f"{describe_thin(geometry)}: sliced in the {chosen} plane, in which it is a picture"
    narrowest = min(_shortest(geometry, plane) for plane in planes)
    names = " and ".join(planes)
    if narrowest > 1:
        return (
            planes,
            f"{describe_thin(geometry)}, sliced in the {names} plane into rows of {narrowest} pixels",
        )
    remedy = f"choose a model that was trained in the {best} plane"
    if best in offered:
        remedy = f"use `plane` {best}"
    expected = f"a volume that is a picture in the {names} plane"
    raise UnusableVolumeError(where, expected, describe_thin(geometry), remedy)


def find_best_plane(geometry: Geometry) -> Plane:
    """Return the plane in which a slice has most rows and columns; of equal ones the first in the order of `Plane`."""
    return max(Plane, key=lambda plane: _shortest(geometry, plane))


def is_too_thin(geometry: Geometry, plane: Plane) -> bool:
    """Whether slices in a plane are rows of few pixels, though they are not in another."""
    return _shortest(geometry, plane) < FEWEST <= _shortest(geometry, find_best_plane(geometry))


def describe_thin(geometry: Geometry) -> str:
    """Return what a thin volume is, such as ``a single sagittal slice``."""
    plane = find_best_plane(geometry)
    slices = _sizes(geometry)[plane.axis]
    return f"a single {plane} slice" if slices == 1 else f"{slices} {plane} slices"


def _shortest(geometry: Geometry, plane: Plane) -> int:
    """Return how many rows or columns a slice has, whichever is less."""
    return min(size for axis, size in enumerate(_sizes(geometry)) if axis != plane.axis)


def _sizes(geometry: Geometry) -> list[int]:
    """Return the number of voxels from left to right, from back to front and from below to above."""
    nearest = orientations.io_orientation(geometry.affine)[:, 0]
    return [geometry.shape[int(np.flatnonzero(nearest == axis)[0])] for axis in range(3)]
