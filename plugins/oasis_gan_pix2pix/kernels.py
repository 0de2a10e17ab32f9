"""The same convolution by another kernel, in NumPy: what is folded is folded by these."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
REPEAT = ((0.0, 0.0, 1.0), (0.0, 1.0, 1.0), (1.0, 1.0, 0.0), (1.0, 0.0, 0.0))
"""Doubling by repetition, then 3 taps (a, b, c): a transposed convolution by the taps (c, b+c, a+b, a)."""


def sub_pixel_kernel(kernel: Array) -> Array:
    """Return the kernel (2, 2, channels, 4 filters) that gives four output pixels from 2x2 input pixels around them.

    Shi et al. 2016, arXiv 1609.05158.

    Args:
        kernel: Of the transposed convolution by 4x4 with stride 2 that it stands for, (4, 4, filters, channels).
    """
    filters, channels = kernel.shape[2:]
    # A window's input pixel k reaches its output pixel a by the tap a + 2 (1 - k).
    taps = kernel.reshape(2, 2, 2, 2, filters, channels)[::-1, :, ::-1]
    return np.ascontiguousarray(taps.transpose(0, 2, 5, 1, 3, 4)).reshape(
        2, 2, channels, 4 * filters
    )
