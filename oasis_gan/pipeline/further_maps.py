"""Write the sidecar of a further map of an output, such as that of the uncertainty."""

from __future__ import annotations

import json
from pathlib import Path

from ..errors import OasisGanError, printable
from ..io.files import read_small
from ..io.publishing import identify

_MAX_BYTES = 2**24


def describe_map(kind: str, path: Path, output: Path, details: object) -> bytes:
    """Return the sidecar of a further map, so that nobody takes the map for a scan.

    Args:
        kind: What the model calls the map, such as ``uncertainty``.
        path: The map, complete.
        output: The volume that it belongs to, whose sidecar says what made both.
        details: What the model says about how the map was computed; JSON, or None.
    """
    content = {
        "synthetic": True,
        "map": kind,
        "of": printable(output.name),
        "volume": identify(path),
        "details": details,
    }
    text = json.dumps(content, indent=2, ensure_ascii=False)
    return f"{text}\n".encode()


def is_map_of(path: Path, output: Path) -> bool:
    """Tell whether a JSON file is the sidecar of a further map of ``output``."""
    try:
        content = json.loads(read_small(path, _MAX_BYTES))
    except (OasisGanError, OSError, ValueError, RecursionError):
        return False
    if not isinstance(content, dict) or content.get("synthetic") is not True:
        return False
    return content.get("of") == printable(output.name)
