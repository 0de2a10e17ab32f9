"""JSON in which nothing is said twice: of two values for one key, some readers take the first and some the last."""

from __future__ import annotations

import json

from ..errors import OasisGanError


def require_unique_keys(data: bytes, where: object) -> None:
    """Raise `OasisGanError` if an object in a JSON text has a key twice; what is no JSON is left to whoever reads it.

    Args:
        data: The text.
        where: The file, for the error.
    """

    def require_unique(pairs: list[tuple[str, object]]) -> None:
        seen = set()
        for key, _ in pairs:
            if key in seen:
                remedy = "take a whole copy of it, or remove one of the two"
                raise OasisGanError(
                    where, expected="each key once", found=f"{key} twice", remedy=remedy
                )
            seen.add(key)

    try:
        json.loads(data, object_pairs_hook=require_unique)
    except (ValueError, RecursionError):
        return
