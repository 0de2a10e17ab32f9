"""Tell the anatomy of a participant from copies beside other data, in folders named as in BIDS.

fMRIPrep, for example, writes a coarse copy of FreeSurfer's label map for each functional run, under
the name of the map itself
(https://bids-specification.readthedocs.io/en/stable/common-principles.html#data-types).
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path

_OTHER_DATA = {
    "func",
    "dwi",
    "perf",
    "fmap",
    "pet",
    "eeg",
    "ieeg",
    "meg",
    "beh",
    "micr",
    "nirs",
    "motion",
    "mrs",
    "figures",
    "xfm",
}
# OASIS-3 names its sessions sess-d0129.
_PARTICIPANT_PREFIXES = ("sub-", "ses-", "sess-")


def lies_with_other_data(path: Path, root: Path) -> bool:
    """Tell whether a file lies in a participant's folder of functional, diffusion or other data.

    Only folders from ``root`` down count. If ``root`` itself is such a folder, its files are what
    the user asked for.
    """
    folders_below = path.relative_to(root).parts[:-1]
    folders = (root.absolute().name, *folders_below)
    for parent, folder in pairwise(folders):
        if parent.startswith(_PARTICIPANT_PREFIXES) and folder in _OTHER_DATA:
            return True
    return False


def prefer_anatomy(paths: Sequence[Path], root: Path) -> list[Path]:
    """Return the files that do not lie with other data, or all files if there are no such files.

    Args:
        paths: Files below ``root``.
        root: The folder that is searched.
    """
    anatomy = [path for path in paths if not lies_with_other_data(path, root)]
    return anatomy or list(paths)
