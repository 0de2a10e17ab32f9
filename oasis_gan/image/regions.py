"""Regions of a volume: its faces, what is connected with them, and who lies beside whom."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from .volume import Mask

Index = tuple[slice | int, ...]


def outer_faces(shape: tuple[int, ...]) -> list[Index]:
    """Return where the faces of a grid are. Axes of one or two voxels have none: everything would lie on them."""
    thick = [axis for axis in range(3) if shape[axis] > 2] or range(3)
    return [(*(slice(None),) * axis, end) for axis in thick for end in (0, -1)]


def iter_neighbours(
    shape: tuple[int, ...], axes: tuple[int, ...] = (0, 1, 2)
) -> Iterator[tuple[Index, Index]]:
    """Yield, for each axis, where all voxels but the last are, and where all but the first."""
    for axis in axes:
        if shape[axis] > 1:
            before = (slice(None),) * axis
            yield (*before, slice(None, -1)), (*before, slice(1, None))


def contacts(one: Mask, other: Mask) -> int:
    """Return how many pairs of neighbouring voxels have one in each mask."""
    count = 0
    for here, there in iter_neighbours(one.shape):
        count += int(np.count_nonzero(one[here] & other[there]))
        count += int(np.count_nonzero(one[there] & other[here]))
    return count


def grown(mask: Mask) -> Mask:
    """Return a mask together with the neighbours of its voxels."""
    result = mask.copy()
    for here, there in iter_neighbours(mask.shape):
        result[here] |= mask[there]
        result[there] |= mask[here]
    return result


def reached_from_the_faces(passable: Mask) -> Mask:
    """Return the voxels that are connected with a face of the volume through passable ones."""
    reached = np.zeros_like(passable)
    for face in outer_faces(passable.shape):
        reached[face] = passable[face]
    before = -1
    while (count := int(np.count_nonzero(reached))) != before:
        before = count
        for axis in range(3):
            _sweep(np.moveaxis(reached, axis, 0), np.moveaxis(passable, axis, 0))
    return reached


def _sweep(reached: Mask, passable: Mask) -> None:
    """Carry what is reached along the first axis and back, in place."""
    for index in range(1, len(reached)):
        reached[index] |= reached[index - 1] & passable[index]
    for index in range(len(reached) - 2, -1, -1):
        reached[index] |= reached[index + 1] & passable[index]
