"""Write lines to standard error."""

from __future__ import annotations

import sys

from ..errors import printable
from .flags import with_flags


def log(line: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(printable(with_flags(line)) + "\n")
    sys.stderr.flush()
