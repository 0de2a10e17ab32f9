"""Finding the file that goes with a source: in a folder of its own under the same name, or beside it under a suffix."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from oasis_gan import (
    VOLUME_ENDINGS,
    NameLookup,
    OasisGanError,
    Scan,
    Selection,
    is_volume_name,
    stem_of,
    volume_scan,
    without_suffix,
)

_ENDINGS = tuple(
    ending for ending in VOLUME_ENDINGS if not ending.startswith(".img")
)  # a pair is its header
_SHOWN = 3


def key_of(path: Path, suffix: str) -> str:
    """Return what source and target of a subject have in common: the path below the root without its ending."""
    name = without_suffix(path.name, suffix)
    stem = stem_of(path.name if name is None else name)
    return str(path.parent / stem) if stem else f"{path.parent}{os.sep}"


class TargetFinder:
    """Finds the targets of the sources of one selection.

    Args:
        selection: What is asked for.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._lookup = NameLookup()

    def scan(self, source: Path, relative: Path, key: str) -> Scan:
        """Return the scan that goes with a source; reading it says what is wrong with it, or that it is missing.

        Args:
            source: The file.
            relative: Its path below the root.
            key: See `key_of`.

        Raises:
            OasisGanError: If it would be the source itself.
        """
        root = self._root(source)
        candidates = (
            [root] if root.is_file() else list(self._candidates(root, source, relative, key))
        )
        try:
            found = self._lookup.first(candidates)
            self._require_one(found, candidates)
        except OasisGanError as error:
            return Scan.refused(candidates[0], error)
        if found == source:
            raise OasisGanError(
                source, expected="a target beside it", found="itself", remedy="name another suffix"
            )
        if found is None:
            return self._missing(source, root / key, candidates[0])
        return volume_scan(found, self._selection.max_voxels)

    def _root(self, source: Path) -> Path:
        selection = self._selection
        if selection.target_root is not None:
            return selection.target_root
        return selection.root if selection.root.is_dir() else source.parent

    def _candidates(self, root: Path, source: Path, relative: Path, key: str) -> Iterator[Path]:
        """Yield where the target may be, the likeliest first.

        In a folder of its own it has the same path below the root, at least up to the suffix.
        """
        suffix = self._selection.target_suffix
        if suffix:
            yield root / f"{key}{suffix}"
            if not is_volume_name(Path(f"x{suffix}")):
                yield from (root / f"{key}{suffix}{ending}" for ending in _ENDINGS)
            return
        names = str(relative), *(f"{key}{ending}" for ending in _ENDINGS)
        yield from (path for name in names if (path := root / name) != source)

    def _require_one(self, found: Path | None, candidates: list[Path]) -> None:
        """Raise `OasisGanError` if a suffix without an ending names several files."""
        if found is None or not self._selection.target_suffix:
            return
        there = {
            path for candidate in candidates if (path := self._lookup.find(candidate)) is not None
        }
        if len(there) > 1:
            shown = " and ".join(sorted(path.name for path in there))
            remedy = "give `target_suffix` with its ending"
            raise OasisGanError(found, expected="one target", found=shown, remedy=remedy)

    def _missing(self, source: Path, beginning: Path, expected: Path) -> Scan:
        """Return the scan of a target that is not there; of files whose names begin alike it says how to choose."""
        alike = [name for name in self._lookup.names_like(beginning) if is_volume_name(Path(name))]
        others = [name for name in alike if beginning.parent / name != source]
        if not others:
            return self._missing_of_long_name(source, beginning, expected)
        shown = ", ".join(others[:_SHOWN])
        remedy = "say with `target_suffix` how the names of targets end"
        error = OasisGanError(
            expected, expected=f"the target of {source.name}", found=shown, remedy=remedy
        )
        return Scan.refused(expected, error)

    def _missing_of_long_name(self, source: Path, beginning: Path, expected: Path) -> Scan:
        """Return the scan of a target that is not there; if one has the source's name without its end, it says so."""
        other = self._lookup.longest_beginning(beginning)
        is_suffix_given = bool(self._selection.source_suffix or self._selection.target_suffix)
        if is_suffix_given or not other or beginning.parent / other == source:
            return volume_scan(expected, self._selection.max_voxels)
        remedy = "say with `source_suffix` how the names of sources end"
        error = OasisGanError(
            expected, expected=f"the target of {source.name}", found=other, remedy=remedy
        )
        return Scan.refused(expected, error)
