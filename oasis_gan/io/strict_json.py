"""Check JSON strictly, and describe what is wrong with it.

Repeated keys are refused: some readers take the first value, and others the last.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from .errors import RepeatedKeyError

if TYPE_CHECKING:
    from pydantic import ValidationError


def describe_fault(error: ValidationError) -> str:
    """Return the first field of a file that is wrong, and why."""
    fault = error.errors()[0]
    field = ".".join(map(str, fault["loc"]))
    return f"{field or 'the file'}: {fault['msg']}"


def require_unique_keys(data: bytes, where: object) -> None:
    """Raise `RepeatedKeyError` if an object in a JSON text has the same key twice.

    Text that is not valid JSON passes: the function that parses it reports that.

    Args:
        data: The text.
        where: The file, for the error.
    """

    def require_unique(pairs: list[tuple[str, object]]) -> None:
        keys = set()
        for key, _ in pairs:
            if key in keys:
                raise RepeatedKeyError(where, key)
            keys.add(key)

    try:
        json.loads(data, object_pairs_hook=require_unique)
    except (ValueError, RecursionError):
        return
