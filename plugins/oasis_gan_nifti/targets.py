"""Find the target of a source: by the same name in another folder, or by a suffix beside it."""

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
    holds_dicom,
    is_volume_name,
    stem_of,
    strip_suffix,
    volume_scan,
)

from .errors import NoTargetError, OwnTargetError, SeveralTargetsError

# A pair is named by its header.
_ENDINGS = tuple(ending for ending in VOLUME_ENDINGS if not ending.startswith(".img"))
_NAME_TARGETS = "say with `target_suffix` how the names of targets end"
_NAME_SOURCES = "say with `source_suffix` how the names of sources end"


def key_of(path: Path, suffix: str) -> str:
    """Return what source and target share: the path below the root without suffix or ending."""
    name = strip_suffix(path.name, suffix)
    stem = stem_of(path.name if name is None else name)
    if not stem:
        # The suffix is the whole name. With a separator, what follows the key lies in the folder.
        return f"{path.parent}{os.sep}"
    return str(path.parent / stem)


class TargetFinder:
    """Finds the targets of the sources of one selection.

    Args:
        selection: The selection.
    """

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._lookup = NameLookup()
        root = selection.target_root
        # A single target may be named by its file, or by the folder of its series.
        self._is_single = root is not None and (root.is_file() or holds_dicom(root))

    def scan(self, source: Path, relative: Path, key: str) -> Scan:
        """Return the target of a source; reading it raises an error if it is missing or ambiguous.

        Args:
            source: The file.
            relative: Its path below the root.
            key: See `key_of`.

        Raises:
            OwnTargetError: If the source would be its own target.
        """
        root = self._root_of(source)
        candidates = [root]
        if not self._is_single:
            candidates = list(self._list_candidates(root, source, relative, key))
        try:
            found = self._lookup.find_first(candidates)
            self._require_one(found, candidates)
        except OasisGanError as error:
            return Scan.from_error(candidates[0], error)
        if found == source:
            raise OwnTargetError(source)
        if found is None:
            return self._make_missing_scan(source, root / key, candidates[0])
        return volume_scan(found, self._selection.max_voxels)

    def _root_of(self, source: Path) -> Path:
        selection = self._selection
        if selection.target_root is not None:
            return selection.target_root
        return selection.root if selection.root.is_dir() else source.parent

    def _list_candidates(
        self, root: Path, source: Path, relative: Path, key: str
    ) -> Iterator[Path]:
        """Yield where the target may be, the likeliest first.

        In a folder of its own the target has the same path below the root, at least up to the
        suffix.
        """
        suffix = self._selection.target_suffix
        if suffix:
            yield root / f"{key}{suffix}"
            # What ends in the suffix may be a whole name, or a stem that lacks an ending.
            if not is_volume_name(Path(f"x{suffix}")):
                yield from (root / f"{key}{suffix}{ending}" for ending in _ENDINGS)
            return
        paths = [root / relative]
        paths += [root / f"{key}{ending}" for ending in _ENDINGS]
        yield from (path for path in paths if path != source)
        if holds_dicom(root / key):
            yield root / key

    def _require_one(self, found: Path | None, candidates: list[Path]) -> None:
        """Raise `SeveralTargetsError` if a suffix without an ending matches several files."""
        if found is None or not self._selection.target_suffix:
            return
        paths = {self._lookup.find(candidate) for candidate in candidates}
        names = sorted(path.name for path in paths if path is not None)
        if len(names) > 1:
            raise SeveralTargetsError(found, names)

    def _make_missing_scan(self, source: Path, beginning: Path, expected: Path) -> Scan:
        """Return the scan of a missing target; its error lists files whose names begin alike."""
        folder = beginning.parent
        names = self._lookup.list_similar_names(beginning)
        volumes = [name for name in names if is_volume_name(Path(name))]
        others = [name for name in volumes if folder / name != source]
        if others:
            error = NoTargetError(expected, source, others, _NAME_TARGETS)
            return Scan.from_error(expected, error)
        return self._make_missing_scan_for_long_name(source, beginning, expected)

    def _make_missing_scan_for_long_name(
        self, source: Path, beginning: Path, expected: Path
    ) -> Scan:
        """Return the scan of a missing target; its error names a file that begins like the source.

        Such a file is the target if the source has a suffix that nobody named.
        """
        selection = self._selection
        other = self._lookup.find_longest_beginning(beginning)
        has_suffix = bool(selection.source_suffix or selection.target_suffix)
        if has_suffix or not other or beginning.parent / other == source:
            return volume_scan(expected, selection.max_voxels)
        error = NoTargetError(expected, source, [other], _NAME_SOURCES)
        return Scan.from_error(expected, error)
