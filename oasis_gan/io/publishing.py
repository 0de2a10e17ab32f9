"""Give finished files their final names; nothing is replaced unless the user asks for it."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import printable
from .errors import OutputIsFolderError, OutputTakenError
from .files import hash_file, sync_all, sync_folder

Identity = dict[str, Any]


def publish(work: Path, folder: Path, last: Sequence[str], *, replace: bool) -> None:
    """Move everything in a work folder into another folder on the same disk.

    Args:
        work: The folder with the finished files.
        folder: The folder that they are moved to.
        last: The names of the files that are moved last, in this order. The very last file
            describes the others. If it is replaced, the old one is removed before anything else, so
            that it never describes files other than its own.
        replace: Whether to replace existing files.

    Raises:
        OasisGanError: If a name is taken and ``replace`` is false, or a folder has the name of a
            file.
        OSError: If the file system refuses.
    """
    sync_all(work)
    names = [*list_companions(work, last), *last]
    for name in names:
        if not replace:
            _refuse_existing(folder / name)
        _refuse_folder(folder / name, work / name)
    if replace:
        _set_aside(folder / last[-1], work)
    move = _replace if replace else _take_free_name
    for name in names:
        move(work / name, folder / name)
    sync_folder(folder)


def list_companions(work: Path, known: Sequence[str]) -> list[str]:
    """Return the names of the other files in a work folder, without hidden ones."""
    names = [path.name for path in work.iterdir() if not path.name.startswith(".")]
    return sorted(name for name in names if name not in known)


def identify(path: Path) -> Identity:
    """Return the name and the SHA-256 of a file or folder.

    The hash of a folder is that of the names and hashes of all files in it. The name is without its
    parent folders, which may contain the name of a person.
    """
    return {
        "file": printable(path.name),
        "sha256": _hash_folder(path) if path.is_dir() else hash_file(path),
    }


def _hash_folder(folder: Path) -> str:
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.is_file():
            name = os.fsencode(path.relative_to(folder))
            digest.update(name + b"\0" + hash_file(path).encode())
    return digest.hexdigest()


def _refuse_existing(target: Path) -> None:
    if os.path.lexists(target):
        raise OutputTakenError(target)


def _take_free_name(source: Path, target: Path) -> None:
    """Move a file to a name, or raise `OutputTakenError` if the name is taken at that moment."""
    try:
        os.link(source, target, follow_symlinks=False)
    except FileExistsError:
        raise OutputTakenError(target) from None
    except OSError:
        # Folders cannot have a second name, and on some disks files cannot either.
        _refuse_existing(target)
        source.rename(target)


def _replace(source: Path, target: Path) -> None:
    if source.is_dir() or target.is_dir():
        _set_aside(target, source.parent)
    source.replace(target)


def _set_aside(path: Path, work: Path) -> None:
    """Move an existing file or folder into a work folder, which is removed in the end."""
    if os.path.lexists(path):
        path.rename(work / f".old-{path.name}")


def _refuse_folder(target: Path, source: Path) -> None:
    """Raise `OutputIsFolderError` if a file would replace a folder, which no output can be."""
    if target.is_dir() and not target.is_symlink() and not source.is_dir():
        remedy = "move it away, or use another `out`"
        raise OutputIsFolderError(target, remedy)
