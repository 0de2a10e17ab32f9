"""Choose the planes in which the slices of a volume are large enough to show something.

A single sagittal slice that is cut axially yields rows of one pixel.
"""

from __future__ import annotations

from collections.abc import Sequence

from .choices import Plane
from .errors import NoPictureError
from .slicing import find_voxel_axes
from .volume import Geometry

_MIN_SIDE = 8  # rows and columns of a slice that counts as a picture


def choose_picture_planes(
    geometry: Geometry,
    planes: Sequence[Plane],
    offered: Sequence[Plane],
    where: object,
    *,
    requested: bool,
) -> tuple[tuple[Plane, ...], str]:
    """Return the planes to slice a volume in, and a note on planes that were changed or are thin.

    Args:
        geometry: The geometry of the volume.
        planes: The planes that were asked for, or in which the model slices by default.
        offered: All planes that the model was trained in.
        where: What to call the volume in an error.
        requested: Whether the user asked for these planes.

    Raises:
        OasisGanError: If the slices would be rows of one pixel.
    """
    planes = tuple(planes)
    best = find_best_plane(geometry)
    has_pictures = all(_is_picture(geometry, plane) for plane in planes)
    if has_pictures or not _is_picture(geometry, best):
        return planes, ""
    thin = describe_thin(geometry)
    candidates = planes if requested else offered
    pictures = tuple(plane for plane in candidates if _is_picture(geometry, plane))
    if pictures and requested:
        return pictures, f"{thin}: not sliced in planes where slices have few pixels"
    if pictures:
        chosen = best if best in pictures else pictures[0]
        return (chosen,), f"{thin}: sliced in the {chosen} plane, where slices are large enough"
    narrowest = min(_shorter_side(geometry, plane) for plane in planes)
    if narrowest == 1:
        remedy = f"choose a model that was trained in the {best} plane"
        if best in offered:
            remedy = f"use `plane` {best}"
        raise NoPictureError(where, planes, thin, remedy)
    names = " and ".join(planes)
    return planes, f"{thin}, sliced in the {names} plane into rows of {narrowest} pixels"


def find_best_plane(geometry: Geometry) -> Plane:
    """Return the plane in which a slice has most rows and columns.

    Of equally good planes it is the first in the order of `Plane`.
    """
    return max(Plane, key=lambda plane: _shorter_side(geometry, plane))


def is_too_thin(geometry: Geometry, plane: Plane) -> bool:
    """Return whether slices in a plane are no pictures, although slices in another one are."""
    best = find_best_plane(geometry)
    return _is_picture(geometry, best) and not _is_picture(geometry, plane)


def describe_thin(geometry: Geometry) -> str:
    """Return what a thin volume is, such as ``a single sagittal slice``."""
    plane = find_best_plane(geometry)
    slices = _count_voxels(geometry)[plane.axis]
    return f"a single {plane} slice" if slices == 1 else f"{slices} {plane} slices"


def _is_picture(geometry: Geometry, plane: Plane) -> bool:
    """Return whether a slice has enough rows and columns."""
    return _shorter_side(geometry, plane) >= _MIN_SIDE


def _shorter_side(geometry: Geometry, plane: Plane) -> int:
    """Return the number of rows or of columns of a slice, whichever is less."""
    sizes = _count_voxels(geometry)
    del sizes[plane.axis]
    return min(sizes)


def _count_voxels(geometry: Geometry) -> list[int]:
    """Return the number of voxels from left to right, from back to front and from below to top."""
    return [geometry.shape[axis] for axis in find_voxel_axes(geometry.affine)]
