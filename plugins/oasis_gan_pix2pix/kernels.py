"""Rewrite kernels in NumPy so that another convolution gives the same result."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
REPEAT = (
    (0.0, 0.0, 1.0),
    (0.0, 1.0, 1.0),
    (1.0, 1.0, 0.0),
    (1.0, 0.0, 0.0),
)
"""The taps of the transposed convolution that repeats pixels and convolves, along an axis.

Three taps (a, b, c) become (c, b+c, a+b, a).
"""


def make_sub_pixel_kernel(kernel: Array) -> Array:
    """Return the kernel (2, 2, channels, 4 filters) that computes four pixels at once.

    The four pixels lie in the middle of the 2x2 that are read (Shi et al. 2016, arXiv 1609.05158).

    Args:
        kernel: The kernel (4, 4, filters, channels) of a transposed convolution with a stride of 2.
    """
    filters, channels = kernel.shape[2:]
    # Input pixel k of the 2x2 reaches output pixel a through tap a + 2 (1 - k).
    split = kernel.reshape(2, 2, 2, 2, filters, channels)
    taps = split[::-1, :, ::-1]
    transposed = taps.transpose(0, 2, 5, 1, 3, 4)
    ordered = np.ascontiguousarray(transposed)
    return ordered.reshape(2, 2, channels, 4 * filters)
