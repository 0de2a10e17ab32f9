"""Find the pixels of a slice that a generator has to compute.

A head fills a third of its canvas and is surrounded by background. There the output of the encoder
is the same for every slice, and the output of the decoder is not used. So only a rectangular crop
of each level is computed. The crop of level 0, the slice itself, contains all pixels that are not
background and all that are requested. The crop of each further level contains the pixels that the
crop before it reaches through a 4x4 convolution with a stride of 2. The decoder needs the same
pixels to compute the crop before.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blueprint import Blueprint

Crops = NDArray[np.int32]
"""The box of each level, (levels + 1, 2, 2)."""
Box = NDArray[np.integer[Any]]
"""The first row and the row after the last, then the same of columns, (2, 2)."""
OUTWARD = np.array([-1, 1], np.int32)
"""A step that widens a crop by one pixel on all sides."""


def find_box(mask: NDArray[np.bool_]) -> Box:
    """Return the smallest box around a mask (n, rows, columns); one pixel if it is empty."""
    box = []
    for other_axes in ((0, 2), (0, 1)):
        indices = np.flatnonzero(mask.any(other_axes))
        if indices.size:
            box.append((indices[0], indices[-1] + 1))
        else:
            box.append((0, 1))
    return np.array(box)


def find_crops(plan: Blueprint, box: Box, size: list[int]) -> Crops:
    """Return the crop of each level.

    Args:
        plan: The blueprint of the generator.
        box: The box around all pixels of level 0 that are not background or are requested.
        size: The rows and columns of the slice.
    """
    margins = _find_margins(plan)
    crops = [box + margins[0] * OUTWARD]
    for margin in margins[1:]:
        reached = (crops[-1] + np.array([-1, 2])) // 2
        crops.append(reached + margin * OUTWARD)
    sizes = []
    for level in range(len(crops)):
        rows, columns = size
        sizes.append([[rows >> level], [columns >> level]])
    within_slice = np.clip(crops, 0, sizes)
    return np.asarray(within_slice, np.int32)


def _find_margins(plan: Blueprint) -> list[int]:
    """Return by how many pixels the crop of each level is widened.

    A convolution that keeps the size reads pixels beyond the crop, so its output at the very edge
    is wrong.
    """
    margins = [0] * (plan.depth + 1)
    for block in plan.blocks:
        if block.convolution.halvings == 0:
            margins[plan.levels[block.name]] += block.convolution.padding
    return margins
