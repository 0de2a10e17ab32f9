"""How large a model may claim to be: what it would make others allocate is refused before it is allocated."""

from __future__ import annotations

import math

from oasis_gan import MAX_PIXELS

MAX_NAME = 100
"""Characters of a model's name, and of its version."""
MAX_OUTPUT = 32
"""Characters that the names of outputs end in: a file's name has 255 at most."""
MAX_CONTEXT = 16
"""Neighbouring slices on each side that a model may see."""
_MAX_BATCH = 2**31  # bytes of a batch on the canvas, in all layers of full size
_SLICES = 8  # in a batch
_BYTES = 4  # of a number


def largest_canvas(channels: int) -> int:
    """Return how many rows and columns a canvas may have.

    Args:
        channels: Of source, target and the generator's layer at full size together.
    """
    return math.isqrt(min(MAX_PIXELS, _MAX_BATCH // (_SLICES * _BYTES * channels)))
