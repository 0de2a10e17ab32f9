"""Which pixels of a slice a generator has to compute.

A head fills a third of its canvas, and around it there is nothing. What the encoder makes of nothing is the same for
every slice, and what the decoder makes there is not used. So each level is computed in a window. That of level 0, the
slice itself, holds all that is there and all that is asked for; that of each further level the pixels which the window
before it reaches through a convolution by 4x4 with a stride of 2. These are also the pixels that the decoder needs to
give the window before it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from .blueprint import Blueprint

Windows = NDArray[np.int32]
"""Of each level the first row and the one after the last, and so for columns: (levels + 1, 2, 2)."""
Box = NDArray[np.integer[Any]]
"""The first row and the one after the last, and so for columns: (2, 2)."""
OUTWARD = np.array([-1, 1], np.int32)
"""A pixel more at both ends of a window."""


def find_box(mask: NDArray[np.bool_]) -> Box:
    """Return the smallest box around all that is set in (n, rows, columns); a single pixel if nothing is."""
    box = []
    for axes in ((0, 2), (0, 1)):
        there = np.flatnonzero(mask.any(axes))
        first, last = (there[0], there[-1]) if there.size else (0, 0)
        box.append((first, last + 1))
    return np.array(box)


def find_windows(plan: Blueprint, box: Box, size: list[int]) -> Windows:
    """Return the window of each level.

    Args:
        plan: Of the generator.
        box: What is there, and what is asked for, at level 0.
        size: Rows and columns of the slice.
    """
    margins = _find_margins(plan)
    windows = [box + margins[0] * OUTWARD]
    for margin in margins[1:]:
        reached = (windows[-1] + np.array([-1, 2])) // 2
        windows.append(reached + margin * OUTWARD)
    ends = [[[pixels >> level] for pixels in size] for level in range(len(windows))]
    return np.asarray(np.clip(windows, 0, ends), np.int32)


def _find_margins(plan: Blueprint) -> list[int]:
    """Return how many pixels wider than needed the window of each level is.

    A convolution that keeps the size sees beyond the window: what it gives at the very edge is not sound.
    """
    margins = [0] * (plan.depth + 1)
    for block in plan.blocks:
        if block.convolution.halvings == 0:
            margins[plan.levels[block.name]] += block.convolution.padding
    return margins
