"""Recognise volumes by the ends of their names, and compare names.

Names match as they would on a file system that ignores case, or that decomposes accented letters:
composed and decomposed letters are equal, and so are upper and lower case (Unicode's canonical
caseless matching, https://www.unicode.org/versions/latest/core-spec/chapter-3/#G53513).
"""

from __future__ import annotations

import os
import unicodedata
from collections import defaultdict
from collections.abc import Iterable, Mapping
from pathlib import Path

from .errors import AmbiguousNameError

NIFTI_ENDINGS = (".nii.gz", ".nii")
MGH_ENDINGS = (".mgz", ".mgh.gz", ".mgh")
HEADER_ENDINGS = (".hdr", ".hdr.gz")
VOXEL_ENDINGS = (".img", ".img.gz")
NRRD_ENDINGS = (".nrrd", ".seg.nrrd", ".nhdr")
METAIMAGE_ENDINGS = (".mha", ".mhd")
MINC_ENDINGS = (".mnc",)
VOLUME_ENDINGS = (
    *NIFTI_ENDINGS,
    *MGH_ENDINGS,
    *HEADER_ENDINGS,
    *VOXEL_ENDINGS,
    *NRRD_ENDINGS,
    *METAIMAGE_ENDINGS,
    *MINC_ENDINGS,
)
"""The endings of the volumes that can be read, the most common first."""


def fold_case(name: str) -> str:
    """Return a form of a name that is equal for all names that a file system could confuse."""
    decomposed = unicodedata.normalize("NFD", name)
    return unicodedata.normalize("NFD", decomposed.casefold())


def compose_accents(name: str) -> str:
    """Return a name with each accented letter as one character, as keyboards type it."""
    return unicodedata.normalize("NFC", name)


def ending_of(name: str) -> str:
    """Return the ending of a volume's name as it is written, such as ``.NII.gz``, or ""."""
    lower = name.lower()
    endings = [ending for ending in VOLUME_ENDINGS if lower.endswith(ending)]
    longest = max(map(len, endings), default=0)
    return name[len(name) - longest :]


def stem_of(name: str) -> str:
    """Return the name of a volume without its ending: ``sub-01_seg`` for ``sub-01_seg.nii.gz``."""
    return name.removesuffix(ending_of(name))


def sidecar_of(volume: Path) -> Path:
    """Return the path of the JSON file that says how an output, in any format, was made."""
    stem = stem_of(volume.name)
    if stem == volume.name:
        return volume.with_suffix(".json")
    return volume.with_name(f"{stem}.json")


def is_volume_name(path: Path) -> bool:
    """Tell whether a file has the name of a volume in one of the formats that are read."""
    return bool(ending_of(path.name))


def has_suffix(name: str, suffix: str) -> bool:
    """Tell whether the name of a volume ends in a suffix: ``_seg.nii.gz``, or ``_seg`` alone.

    A suffix without an ending matches any ending. The two halves of a pair count as one:
    ``_seg.img`` matches ``a_seg.hdr`` too.
    """
    return strip_suffix(name, suffix) is not None


def strip_suffix(name: str, suffix: str) -> str | None:
    """Return a volume's name without a suffix and its ending, or None if it has another suffix.

    Args:
        name: The name of a file.
        suffix: A suffix with an ending, ``_seg.nii.gz``, or without one, ``_seg``. If it is empty,
            only the ending is removed.
    """
    if not suffix:
        return stem_of(name)
    stripped = _strip_end(_header_name(name), _header_name(suffix))
    if stripped is None and not ending_of(suffix):
        return _strip_end(stem_of(name), suffix)
    return stripped


def _strip_end(name: str, end: str) -> str | None:
    """Return ``name`` without ``end``, whatever its case and accents; None if it ends otherwise."""
    if name.endswith(end):
        return name.removesuffix(end)
    folded = fold_case(end)
    if not fold_case(name).endswith(folded):
        return None
    # Folding can change the number of characters, so that the place of the cut is searched.
    for place in range(len(name), -1, -1):
        if fold_case(name[place:]) == folded:
            return name[:place]
    return None


def _header_name(name: str) -> str:
    """Return the name of the header for the voxels of a pair, and any other name unchanged."""
    ending = ending_of(name).lower()
    if ending not in VOXEL_ENDINGS:
        return name
    header_ending = HEADER_ENDINGS[VOXEL_ENDINGS.index(ending)]
    return f"{stem_of(name)}{header_ending}"


def _begins_with_word(folded: str, beginning: str) -> bool:
    """Tell whether a name begins with another and continues with neither a letter nor a digit.

    So ``sub-1`` does not begin ``sub-10_T1w``.
    """
    if not folded.startswith(beginning):
        return False
    rest = folded[len(beginning) :]
    return not rest[:1].isalnum()


class NameLookup:
    """Finds files whose names are written with other case or other forms of accented letters.

    Each folder is listed once, so that thousands of lookups are quick; make a new object for each
    search.
    """

    def __init__(self) -> None:
        self._folders: dict[Path, Mapping[str, list[str]]] = {}

    def find(self, path: Path) -> Path | None:
        """Return the file or folder at a path, or the only one that differs in case and accents.

        Raises:
            AmbiguousNameError: If there are several that differ in case and accents.
        """
        if os.path.lexists(path):
            return path
        if path.parent == path:
            return None
        parent = self.find(path.parent)
        if parent is None:
            return None
        names = self._list(parent).get(fold_case(path.name), [])
        if len(names) > 1:
            raise AmbiguousNameError(path, names)
        return parent / names[0] if names else None

    def find_first(self, candidates: Iterable[Path]) -> Path | None:
        """Return the first of several files that exists; see `find`."""
        for candidate in candidates:
            found = self.find(candidate)
            if found is not None:
                return found
        return None

    def list_similar_names(self, path: Path) -> list[str]:
        """Return the names in a folder that begin with the name of ``path`` as a whole word."""
        parent = self.find(path.parent)
        beginning = fold_case(path.name)
        if parent is None or not beginning:
            return []
        alike = []
        for folded, names in self._list(parent).items():
            if _begins_with_word(folded, beginning):
                alike.extend(names)
        return sorted(alike)

    def find_longest_beginning(self, path: Path) -> str:
        """Return the volume in the same folder with the longest stem that begins a name, or "".

        The stem must be a whole word of the name: ``sub-1`` does not begin ``sub-10_T1w``.
        """
        parent = self.find(path.parent)
        if parent is None:
            return ""
        folded = fold_case(path.name)
        lengths = {}
        for names in self._list(parent).values():
            for name in filter(ending_of, names):
                stem = fold_case(stem_of(name))
                if _begins_with_word(folded, stem):
                    lengths[name] = len(stem)
        return max(lengths, key=lengths.__getitem__, default="")

    def _list(self, folder: Path) -> Mapping[str, list[str]]:
        """Return the names in a folder by their folded form; none if it cannot be listed."""
        if folder not in self._folders:
            self._folders[folder] = _list_folded(folder)
        return self._folders[folder]


def _list_folded(folder: Path) -> Mapping[str, list[str]]:
    names = defaultdict(list)
    try:
        for path in sorted(folder.iterdir()):
            names[fold_case(path.name)].append(path.name)
    # The reader of the file reports what is wrong with the folder.
    except OSError:
        return {}
    return dict(names)
