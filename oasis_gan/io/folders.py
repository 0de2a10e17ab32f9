"""Searching folders: links to folders are followed, circles of links are not, and each folder is looked at once.

Data sets that are managed by DataLad or git-annex, and participants that are kept on several disks, are folders of
links. A folder that is reached by its own name and by a link is listed under its own name.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterator
from pathlib import Path, PurePath

Enter = Callable[[PurePath], bool]
Report = Callable[[OSError], None]


def walk_folders(
    root: Path, enter: Enter = lambda folder: True, report: Report = lambda error: None
) -> Iterator[tuple[Path, list[str]]]:
    """Yield a folder and each folder below it, with the names of the files in it, in one order on every machine.

    Links to folders are followed wherever they lead, but not to a folder that holds the one searched. Hidden files and
    folders are left out: version control keeps copies in them, and macOS leaves ``._name`` beside what it copies.

    Args:
        root: The folder.
        enter: Whether to look into a folder below, given its path relative to ``root``.
        report: Told about each folder that cannot be listed; the others are listed all the same.
    """
    links = _Links(root, enter)
    folders = [PurePath()]
    while folders:
        relative = folders.pop()
        try:
            if links.is_new(relative):
                names, below = _listed(root / relative)
                yield root / relative, names
                for name in names:
                    _report_lost_folder(root / relative / name, report)
                entered = [relative / name for name in below if enter(relative / name)]
                folders += reversed([folder for folder in entered if not links.is_circle(folder)])
        except OSError as error:
            report(error)


def walk_files(
    root: Path, enter: Enter = lambda folder: True, report: Report = lambda error: None
) -> Iterator[Path]:
    """Yield the files in a folder and below it; see `walk_folders`."""
    for folder, names in walk_folders(root, enter, report):
        for name in names:
            yield folder / name


def _listed(folder: Path) -> tuple[list[str], list[str]]:
    """Return the names of the files and of the folders in a folder, sorted, without those that are hidden."""
    names: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            (folders if _is_folder(entry) else names).append(entry.name)
    return sorted(names), sorted(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # A link to itself; it is listed as a file, and refused when it is read.
        return False


def _report_lost_folder(path: Path, report: Report) -> None:
    """Report a link that leads nowhere and is called like a folder, as that of a disk which is not mounted.

    What git-annex has not fetched are files.
    """
    if path.suffix or not os.path.islink(path) or path.exists():  # noqa: PTH114
        return
    target = os.readlink(path)  # noqa: PTH115
    if "annex/objects" not in target:
        report(FileNotFoundError(errno.ENOENT, "a link that leads nowhere", str(path)))


class _Links:
    """Which folders have been looked at, and which links lead to them again."""

    def __init__(self, root: Path, enter: Enter) -> None:
        self._root = root
        self._enter = enter
        self._seen: set[tuple[int, int] | str] = set()
        # Where a folder that is searched with all below it really lies, and how it was reached.
        self._tops = {os.path.realpath(root): PurePath()}
        self._real = {PurePath(): os.path.realpath(root)}

    def is_new(self, relative: PurePath) -> bool:
        """Whether a folder has not been looked at; bind mounts and links may lead to one again."""
        status = (self._root / relative).stat()
        # Some network file systems have no inodes.
        key = (
            (status.st_dev, status.st_ino)
            if status.st_ino
            else os.path.realpath(self._root / relative)
        )
        if key in self._seen:
            return False
        self._seen.add(key)
        return True

    def is_circle(self, relative: PurePath) -> bool:
        """Whether a folder is a link to one that is searched anyway, or to one that holds it."""
        path = self._root / relative
        # Unlike Path.is_symlink it does not raise where a path is too long: looking into the folder does.
        if not os.path.islink(path):  # noqa: PTH114
            return False
        target = os.path.realpath(path)
        if self._holds(target, relative) or self._is_searched(target):
            return True
        self._tops[target] = relative
        self._real[relative] = target
        return False

    def _holds(self, target: str, relative: PurePath) -> bool:
        """Whether one of the folders by which ``relative`` was reached lies in ``target``."""
        reached = (self._real[folder] for folder in relative.parents if folder in self._real)
        return any(PurePath(real).is_relative_to(target) for real in reached)

    def _is_searched(self, target: str) -> bool:
        """Whether ``target`` lies below a folder that is searched, and nothing keeps it from being found there."""
        for above in (PurePath(target), *PurePath(target).parents):
            top = self._tops.get(str(above))
            if top is not None and self._is_entered(top, PurePath(target).relative_to(above)):
                return True
        return False

    def _is_entered(self, top: PurePath, below: PurePath) -> bool:
        steps = [below, *below.parents][:-1] if below.parts else []
        return all(not step.name.startswith(".") and self._enter(top / step) for step in steps)
