"""The packages of the extra ``evaluation``, and what to install where they are missing."""

from __future__ import annotations

from importlib.metadata import version
from importlib.util import find_spec

from .errors import PackagesMissingError

_PACKAGES = {"scipy": "scipy"}
_USED = ("oasis-gan", "numpy", "scipy", "SimpleITK")


def require_libraries() -> None:
    """Raise `PackagesMissingError` with the command that installs what is missing."""
    missing = [package for module, package in _PACKAGES.items() if not _is_there(module)]
    if missing:
        raise PackagesMissingError(missing)


def list_versions() -> dict[str, str]:
    """Return the versions of what computes the figures, by distribution."""
    return {name: version(name) for name in _USED}


def _is_there(module: str) -> bool:
    try:
        return find_spec(module) is not None
    except ValueError:
        return False
