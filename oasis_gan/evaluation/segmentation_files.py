"""Find the segmentations of outputs in a folder, by the names of the outputs."""

from __future__ import annotations

from pathlib import Path

from ..io.endings import fold_case, is_volume_name, stem_of, strip_suffix
from ..io.folders import walk_folders
from .errors import AmbiguousSegmentationError, SegmentationMissingError
from .outputs import Output


class SegmentationFolder:
    """A folder of segmentations, each of which has the name of its output with another end.

    Args:
        root: The folder.
        suffix: How the names of segmentations end, such as ``_seg.nii.gz``; empty for any.

    Raises:
        OSError: If a folder cannot be read.
    """

    def __init__(self, root: Path, suffix: str) -> None:
        self._root = root
        self._suffix = suffix
        self._stems = self._list_stems()

    def find(self, output: Output) -> Path:
        """Return the segmentation of an output.

        Raises:
            OasisGanError: If there is none, or several.
        """
        name = fold_case(stem_of(output.path.name))
        own = output.path.absolute()
        same = []
        longer = []
        for path, stem in self._stems.items():
            # Outputs and segmentations may lie in one folder.
            if path.absolute() == own:
                continue
            if stem == name:
                same.append(path)
            elif _begins_with(stem, name):
                longer.append(path)
        found = same or longer
        if not found:
            raise SegmentationMissingError(output.path, self._root)
        if len(found) > 1:
            raise AmbiguousSegmentationError(output.path, found)
        return found[0]

    def _list_stems(self) -> dict[Path, str]:
        """Return by path the name without the suffix of each volume that may be a segmentation."""
        stems = {}
        for folder, names in walk_folders(self._root):
            for name in names:
                path = folder / name
                stem = strip_suffix(name, self._suffix)
                if stem is not None and is_volume_name(path):
                    stems[path] = fold_case(stem)
        return stems


def _begins_with(stem: str, name: str) -> bool:
    """Whether a file has the name of an output and, after a mark such as ``_``, more."""
    rest = stem.removeprefix(name)
    return rest != stem and not rest[:1].isalnum()
