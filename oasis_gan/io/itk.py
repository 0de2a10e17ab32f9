"""Import SimpleITK late, and without its warnings."""

from __future__ import annotations

import warnings
from typing import Any


def import_simpleitk() -> Any:  # noqa: ANN401 - SimpleITK has no types
    """Return the module SimpleITK, which is slow to import: call this where it is needed first."""
    with warnings.catch_warnings():
        # SWIG warns about the way it builds its own types.
        warnings.simplefilter("ignore", DeprecationWarning)
        import SimpleITK
    return SimpleITK
