"""Search folders: follow links but not circles of links, and look into each folder once.

Datasets that are managed by DataLad or git-annex, and participants that are stored on several
disks, are folders of links. A folder that is reached by its own name and by a link is listed under
its own name.
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
    """Yield a folder and each folder below it with its file names, in the same order everywhere.

    Links to folders are followed wherever they lead, except to a folder that contains the one being
    searched. Hidden files and folders are skipped: version control keeps copies in them, and macOS
    leaves ``._name`` beside what it copies.

    Args:
        root: The folder.
        enter: Tells whether to look into a folder, given its path relative to ``root``.
        report: Called with the error of each folder that cannot be listed; the walk continues.
    """
    links = _Links(root, enter)
    # A stack, so that a deep tree does not exhaust the recursion limit.
    folders = [PurePath()]
    while folders:
        relative = folders.pop()
        try:
            if not links.is_new(relative):
                continue
            names, subfolders = _list_folder(root / relative)
            yield root / relative, names
            for name in names:
                _report_lost_folder(root / relative / name, report)
            below = [relative / name for name in subfolders if enter(relative / name)]
            folders += reversed([folder for folder in below if not links.is_circle(folder)])
        except OSError as error:
            report(error)


def walk_files(
    root: Path, enter: Enter = lambda folder: True, report: Report = lambda error: None
) -> Iterator[Path]:
    """Yield the files in a folder and below it; see `walk_folders`."""
    for folder, names in walk_folders(root, enter, report):
        for name in names:
            yield folder / name


def list_files(folder: Path) -> list[Path]:
    """Return the files of a folder in the order of their names, without hidden ones."""
    names, _ = _list_folder(folder)
    return [folder / name for name in names]


def _list_folder(folder: Path) -> tuple[list[str], list[str]]:
    """Return the sorted names of the files and of the folders in a folder, without hidden ones."""
    names: list[str] = []
    folders: list[str] = []
    with os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            if _is_folder(entry):
                folders.append(entry.name)
            else:
                names.append(entry.name)
    return sorted(names), sorted(folders)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:
        # It is a link to itself: listed as a file, and refused when it is read.
        return False


def _is_link(path: Path) -> bool:
    # Path.is_symlink raises if a path is too long; here, looking into the folder raises instead.
    return os.path.islink(path)  # noqa: PTH114


def _report_lost_folder(path: Path, report: Report) -> None:
    """Report a dangling link with the name of a folder, as to a disk that is not mounted.

    Content that git-annex has not fetched consists of files, so its links are not reported.
    """
    if path.suffix or not _is_link(path) or path.exists():
        return
    target = os.readlink(path)  # noqa: PTH115
    if "annex/objects" not in target:
        report(FileNotFoundError(errno.ENOENT, "a link that leads nowhere", str(path)))


class _Links:
    """Remembers which folders have been visited, and which links lead back to them."""

    def __init__(self, root: Path, enter: Enter) -> None:
        real_root = os.path.realpath(root)
        self._root = root
        self._enter = enter
        self._visited: set[tuple[int, int] | str] = set()
        # The real path of each folder that is searched with everything below it, both ways round.
        self._relative_of = {real_root: PurePath()}
        self._real_of = {PurePath(): real_root}

    def is_new(self, relative: PurePath) -> bool:
        """Tell whether a folder has not been visited; bind mounts and links may lead back to it."""
        key = self._identify(self._root / relative)
        if key in self._visited:
            return False
        self._visited.add(key)
        return True

    @staticmethod
    def _identify(folder: Path) -> tuple[int, int] | str:
        status = folder.stat()
        if status.st_ino:
            return status.st_dev, status.st_ino
        # Some network file systems have no inodes.
        return os.path.realpath(folder)

    def is_circle(self, relative: PurePath) -> bool:
        """Tell whether a folder is a link to one that is searched anyway, or to one above it."""
        path = self._root / relative
        if not _is_link(path):
            return False
        target = os.path.realpath(path)
        if self._is_above(target, relative) or self._is_searched(target):
            return True
        self._relative_of[target] = relative
        self._real_of[relative] = target
        return False

    def _is_above(self, target: str, relative: PurePath) -> bool:
        """Tell whether ``target`` contains a folder through which ``relative`` was reached."""
        for folder in relative.parents:
            real = self._real_of.get(folder)
            if real is not None and PurePath(real).is_relative_to(target):
                return True
        return False

    def _is_searched(self, target: str) -> bool:
        """Tell whether ``target`` lies below a searched folder, and the search will reach it."""
        path = PurePath(target)
        for folder in (path, *path.parents):
            relative = self._relative_of.get(str(folder))
            if relative is not None and self._is_entered(relative, path.relative_to(folder)):
                return True
        return False

    def _is_entered(self, folder: PurePath, below: PurePath) -> bool:
        """Tell whether the search goes from a folder down to one below it."""
        step = folder
        for name in below.parts:
            step /= name
            if name.startswith(".") or not self._enter(step):
                return False
        return True
