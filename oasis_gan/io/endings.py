"""What the names of volumes end in, and how names are compared.

Names match as a file system without case, or one that takes apart accented letters, would match them: composed and
decomposed letters, upper and lower case are one (Unicode's canonical caseless matching,
https://www.unicode.org/versions/latest/core-spec/chapter-3/#G53513).
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from .errors import AmbiguousNameError

NIFTI_ENDINGS = (".nii.gz", ".nii")
MGH_ENDINGS = (".mgz", ".mgh.gz", ".mgh")
HEADER_ENDINGS = (".hdr", ".hdr.gz")
VOXEL_ENDINGS = (".img", ".img.gz")
VOLUME_ENDINGS = (*NIFTI_ENDINGS, *MGH_ENDINGS, *HEADER_ENDINGS, *VOXEL_ENDINGS)
"""What the name of a volume that can be read ends in, the usual first."""


def caseless(name: str) -> str:
    """Return what is equal for names that a file system could take for one."""
    return unicodedata.normalize("NFD", unicodedata.normalize("NFD", name).casefold())


def composed(name: str) -> str:
    """Return a name with its accented letters as one character each, as keyboards give them."""
    return unicodedata.normalize("NFC", name)


def ending_of(name: str) -> str:
    """Return the ending of a volume's name as it is written there, such as ``.NII.gz``; empty if it has none."""
    lower = name.lower()
    endings = [ending for ending in VOLUME_ENDINGS if lower.endswith(ending)]
    return name[-len(max(endings, key=len)) :] if endings else ""


def stem_of(name: str) -> str:
    """Return the name of a volume without its ending: ``sub-01_seg`` for ``sub-01_seg.nii.gz``."""
    return name.removesuffix(ending_of(name))


def sidecar_of(volume: Path) -> Path:
    """Return the JSON file that says what made a volume, if it is an output of this tool, in whatever format."""
    stem = stem_of(volume.name)
    known = stem != volume.name
    return volume.with_name(f"{stem if known else volume.stem}.json")


def is_volume_name(path: Path) -> bool:
    """Whether a file is called like a volume that can be read: NIfTI, MGH, or a half of a pair."""
    return bool(ending_of(path.name))


def has_suffix(name: str, suffix: str) -> bool:
    """Whether a volume is named by a suffix: ``_seg.nii.gz``, or ``_seg`` whatever the ending behind it.

    The two halves of a pair are one: ``_seg.img`` names ``a_seg.hdr`` too.
    """
    return without_suffix(name, suffix) is not None


def without_suffix(name: str, suffix: str) -> str | None:
    """Return a volume's name without a suffix and without its ending, or None if it does not have that suffix.

    Args:
        name: Of a file.
        suffix: With an ending, as ``_seg.nii.gz``, or without one, as ``_seg``; empty takes off the ending alone.
    """
    if not suffix:
        return stem_of(name)
    kept = _cut(_as_header(name), _as_header(suffix))
    if kept is None and not ending_of(suffix):
        kept = _cut(stem_of(name), suffix)
    return kept


def _cut(name: str, end: str) -> str | None:
    """Return ``name`` without ``end``, in whatever case and form it is written there; None if it ends otherwise."""
    if name.endswith(end):
        return name.removesuffix(end)
    folded = caseless(end)
    if not caseless(name).endswith(folded):
        return None
    places = range(len(name), -1, -1)
    return next((name[:place] for place in places if caseless(name[place:]) == folded), None)


def _as_header(name: str) -> str:
    """Return a name; that of the voxels of a pair becomes that of their header."""
    ending = ending_of(name)
    if ending.lower() not in VOXEL_ENDINGS:
        return name
    return f"{stem_of(name)}{HEADER_ENDINGS[VOXEL_ENDINGS.index(ending.lower())]}"


class NameLookup:
    """Finds files whose names are written in another case, or with accents composed otherwise.

    Each folder is listed once, so that thousands of names are looked up at once; make a new one for a new search.
    """

    def __init__(self) -> None:
        self._listed: dict[Path, dict[str, list[str]]] = {}

    def find(self, path: Path) -> Path | None:
        """Return the file or folder of this name, or the only one that is called so but for case and accents.

        Raises:
            AmbiguousNameError: If there are several of these.
        """
        if os.path.lexists(path):
            return path
        if path.parent == path:
            return None
        parent = self.find(path.parent)
        if parent is None:
            return None
        names = self._names(parent).get(caseless(path.name), [])
        if len(names) > 1:
            raise AmbiguousNameError(path, names)
        return parent / names[0] if names else None

    def first(self, candidates: Iterable[Path]) -> Path | None:
        """Return the first of several files that is there, see `find`."""
        found = (self.find(path) for path in candidates)
        return next((path for path in found if path is not None), None)

    def names_like(self, path: Path) -> list[str]:
        """Return the names in the folder of ``path`` that begin with its name, and go on with no letter or digit."""
        parent = self.find(path.parent)
        beginning = caseless(path.name)
        if parent is None or not beginning:
            return []
        listed = self._names(parent).items()
        alike = (names for folded, names in listed if folded.startswith(beginning))
        return sorted(
            name
            for names in alike
            for name in names
            if not caseless(name)[len(beginning) :][:1].isalnum()
        )

    def longest_beginning(self, path: Path) -> str:
        """Return the volume in the folder of ``path`` whose stem begins its name, the longest; empty if there is none.

        The stem is followed by no letter or digit: ``sub-1`` does not begin ``sub-10_T1w``.
        """
        parent = self.find(path.parent)
        name = caseless(path.name)
        if parent is None:
            return ""
        listed = (
            name for names in self._names(parent).values() for name in names if ending_of(name)
        )
        stems = {other: caseless(stem_of(other)) for other in listed}
        fitting = [
            other
            for other, stem in stems.items()
            if name.startswith(stem) and not name[len(stem) :][:1].isalnum()
        ]
        return max(fitting, key=lambda other: len(stems[other]), default="")

    def _names(self, folder: Path) -> dict[str, list[str]]:
        if folder not in self._listed:
            names: dict[str, list[str]] = defaultdict(list)
            try:
                for path in sorted(folder.iterdir()):
                    names[caseless(path.name)].append(path.name)
            except OSError:
                # Whoever reads the file says what is wrong with its folder.
                names = defaultdict(list)
            self._listed[folder] = dict(names)
        return self._listed[folder]
