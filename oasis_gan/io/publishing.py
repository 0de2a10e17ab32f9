"""Giving finished files their names: nothing that exists is replaced unless somebody asked for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import printable
from .errors import OutputIsFolderError, OutputTakenError
from .files import sha256, sync_all, sync_folder

Identity = dict[str, Any]


def publish(work: Path, folder: Path, last: Sequence[str], *, replace: bool) -> None:
    """Move everything in a work folder into the folder beside it.

    Args:
        work: The folder with the finished files, on the same disk.
        folder: Where they go.
        last: The names that are given last, in this order. The last of all says what the others are: where they are
            replaced it is removed first, so that it never vouches for other files than its own.
        replace: Whether files that exist give way.

    Raises:
        OasisGanError: If a name is taken and nothing is to be replaced, or a folder has the name of a file.
        OSError: As the file system says.
    """
    sync_all(work)
    names = [*companions(work, last), *last]
    for name in names:
        if not replace and os.path.lexists(folder / name):
            raise OutputTakenError(folder / name)
        _refuse_folder(folder / name, work / name)
    if replace:
        _set_aside(folder / last[-1], work)
    for name in names:
        if replace:
            _replace(work / name, folder / name)
        else:
            _take_free_name(work / name, folder / name)
    sync_folder(folder)


def companions(work: Path, known: Sequence[str]) -> list[str]:
    """Return what lies in a work folder beside the files that are known; hidden files are passed over."""
    return sorted(
        path.name
        for path in work.iterdir()
        if path.name not in known and not path.name.startswith(".")
    )


def identify(path: Path) -> Identity:
    """Return name and SHA-256 of a file, or of a folder: of the names and hashes of all files in it.

    The name is without the folders above, which can say whose head it is.
    """
    return {
        "file": printable(path.name),
        "sha256": _hash_folder(path) if path.is_dir() else sha256(path),
    }


def _hash_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            digest.update(os.fsencode(path.relative_to(folder)) + b"\0" + sha256(path).encode())
    return digest.hexdigest()


def _take_free_name(source: Path, target: Path) -> None:
    """Move a file to a name, which must be free at that moment."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise OutputTakenError(target) from None
    except OSError:
        # A folder has no second name, nor have files on some disks.
        if os.path.lexists(target):
            raise OutputTakenError(target) from None
        source.rename(target)


def _replace(source: Path, target: Path) -> None:
    if source.is_dir() or target.is_dir():
        _set_aside(target, source.parent)
    source.replace(target)


def _set_aside(path: Path, work: Path) -> None:
    """Move what is there into a work folder, which is thrown away."""
    if os.path.lexists(path):
        path.rename(work / f".old-{path.name}")


def _refuse_folder(target: Path, source: Path) -> None:
    """Raise if a folder would give way to a file: it is nothing that was made here, whatever is in it."""
    if target.is_dir() and not target.is_symlink() and not source.is_dir():
        remedy = "move it away, or use another `out`"
        raise OutputIsFolderError(target, remedy)
