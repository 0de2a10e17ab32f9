"""Write lists of numbers in notes and errors."""

from __future__ import annotations

from collections.abc import Sequence

_LISTED = 8
"""How many numbers are listed."""


def list_numbers(numbers: Sequence[int]) -> str:
    """Return the first few numbers, with dots if there are more."""
    listed = ", ".join(map(str, numbers[:_LISTED]))
    return f"{listed}, ..." if len(numbers) > _LISTED else listed
