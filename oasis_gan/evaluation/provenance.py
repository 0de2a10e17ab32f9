"""Find the file that was the source of an output.

The sidecar has its name and its SHA-256, and does not say where it lies.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from ..errors import OasisGanError, printable
from ..io.files import hash_file
from .sidecars import FileIdentity


def find_source_file(source: FileIdentity, folders: Iterable[Path]) -> Path | None:
    """Return the file that an output was made from, if it lies in one of these folders.

    Args:
        source: Its name and hash, as the sidecar of the output has them.
        folders: Where to look, not below them; folders that cannot be read are skipped.
    """
    for folder in dict.fromkeys(folders):
        for path in _find_files_called(source.file, folder):
            if _has_hash(path, source.sha256):
                return path
    return None


def _find_files_called(name: str, folder: Path) -> list[Path]:
    """Return the files of a folder that a sidecar calls by this name."""
    try:
        paths = sorted(folder.iterdir())
    except OSError:
        return []
    # A sidecar holds no character that cannot be shown.
    return [path for path in paths if printable(path.name) == name]


def _has_hash(path: Path, expected: str) -> bool:
    try:
        return hash_file(path) == expected
    except (OasisGanError, OSError):
        return False
