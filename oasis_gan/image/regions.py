"""Regions of a volume: its faces, what is connected with them, and which voxels are neighbours."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .volume import Mask

Index = tuple[slice | int, ...]


def find_faces(shape: tuple[int, ...]) -> list[Index]:
    """Return the indices that select the outer faces of a grid.

    Axes of one or two voxels have no faces, because all voxels would lie on them.
    """
    thick = [axis for axis in range(3) if shape[axis] > 2]
    faces = []
    for axis in thick or range(3):
        faces.append(_index_along(axis, 0))
        faces.append(_index_along(axis, -1))
    return faces


def measure_face_shares(mask: Mask) -> list[float]:
    """Return the share of each outer face of a grid that a mask fills."""
    faces = [mask[face] for face in find_faces(mask.shape)]
    return [count_voxels(face) / face.size for face in faces]


def count_voxels(mask: Mask) -> int:
    """Return the number of voxels in a mask."""
    return int(np.count_nonzero(mask))


def iter_neighbours(
    shape: tuple[int, ...],
    axes: tuple[int, ...] = (0, 1, 2),
) -> Iterator[tuple[Index, Index]]:
    """Yield, for each axis, the indices of all voxels but the last and of all but the first.

    Voxels in the same place of the two selections are neighbours along the axis.
    """
    for axis in axes:
        if shape[axis] > 1:
            all_but_last = _index_along(axis, slice(None, -1))
            all_but_first = _index_along(axis, slice(1, None))
            yield all_but_last, all_but_first


def count_touching_pairs(one: Mask, other: Mask) -> int:
    """Return the number of pairs of neighbouring voxels that have one in each mask."""
    count = 0
    for here, there in iter_neighbours(one.shape):
        count += count_voxels(one[here] & other[there])
        count += count_voxels(one[there] & other[here])
    return count


def dilate(mask: Mask) -> Mask:
    """Return a mask together with the neighbours of its voxels."""
    dilated = mask.copy()
    for here, there in iter_neighbours(mask.shape):
        dilated[here] |= mask[there]
        dilated[there] |= mask[here]
    return dilated


def flood_from_faces(passable: Mask) -> Mask:
    """Return the voxels that are connected with a face of the volume through passable ones."""
    reached = np.zeros_like(passable)
    for face in find_faces(passable.shape):
        reached[face] = passable[face]
    before = -1
    count = count_voxels(reached)
    # Each round goes as far as straight lines lead: a few rounds reach around any corner.
    while count != before:
        for axis in range(3):
            # These are views: what is set in them is set in `reached`.
            reached_along = np.moveaxis(reached, axis, 0)
            passable_along = np.moveaxis(passable, axis, 0)
            _sweep(reached_along, passable_along)
        before = count
        count = count_voxels(reached)
    return reached


def _sweep(reached: Mask, passable: Mask) -> None:
    """Spread ``reached`` along the first axis and back through passable voxels, in place."""
    last = len(reached) - 1
    for index in range(1, last + 1):
        reached[index] |= reached[index - 1] & passable[index]
    for index in range(last - 1, -1, -1):
        reached[index] |= reached[index + 1] & passable[index]


def _index_along(axis: int, selection: slice | int) -> Index:
    """Return the index that selects along one axis, and all of the axes before it."""
    before = (slice(None),) * axis
    return (*before, selection)
