"""JSON in which nothing is said twice: of two values for one key, some readers take the first and some the last."""

from __future__ import annotations

import json

from .errors import RepeatedKeyError


def require_unique_keys(data: bytes, where: object) -> None:
    """Raise `RepeatedKeyError` if an object in a JSON text has a key twice.

    Whoever reads the text finds out whether it is JSON at all.

    Args:
        data: The text.
        where: The file, for the error.
    """

    def require_unique(pairs: list[tuple[str, object]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                raise RepeatedKeyError(where, key)
            seen.add(key)

    try:
        json.loads(data, object_pairs_hook=require_unique)
    except (ValueError, RecursionError):
        return
