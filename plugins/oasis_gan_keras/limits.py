"""Limits on settings, checked before any memory is allocated for a model."""

from __future__ import annotations

import math

from oasis_gan import MAX_PIXELS

MAX_NAME = 100
"""The most characters that a model's name or version may have."""
MAX_OUTPUT = 32
"""The most characters of the suffix of output names: a file name may have 255 in all."""
MAX_CONTEXT = 16
"""The most neighbouring slices on each side that a model may see."""
MAX_DISPLACEMENT = 8
"""The largest displacement of a deformed pixel, in pixels: up to this one, slices do not fold."""
_MAX_BATCH = 2**31  # bytes of a batch on the canvas, over all layers at full size
_SLICES = 8  # per batch
_BYTES = 4  # per number


def find_largest_canvas(channels: int) -> int:
    """Return how many rows and columns a canvas may have.

    Args:
        channels: The channels of the source, the target and the generator's layer at full size,
            added up.
    """
    pixels = _MAX_BATCH // (_SLICES * _BYTES * channels)
    return math.isqrt(min(MAX_PIXELS, pixels))
