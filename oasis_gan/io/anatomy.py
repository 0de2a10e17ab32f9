"""Telling the anatomy of a participant from copies that lie with other data, in folders that are named as in BIDS.

fMRIPrep, for example, writes a coarse copy of FreeSurfer's label map for each functional run, and calls it like the
map itself (https://bids-specification.readthedocs.io/en/stable/common-principles.html#data-types).
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
_OF_A_PARTICIPANT = ("sub-", "ses-", "sess-")


def lies_with_other_data(path: Path, root: Path) -> bool:
    """Whether a file lies below ``root`` in a participant's folder of functional, diffusion or other such data.

    If ``root`` is that folder itself, its files are what was asked for.
    """
    folders = (root.absolute().name, *path.relative_to(root).parts[:-1])
    return any(
        above.startswith(_OF_A_PARTICIPANT) and folder in _OTHER_DATA
        for above, folder in pairwise(folders)
    )


def prefer_anatomy(paths: Sequence[Path], root: Path) -> list[Path]:
    """Return the files that lie with no functional, diffusion or other such data; all of them if there are no others.

    Args:
        paths: Below ``root``.
        root: The folder that is searched.
    """
    anatomy = [path for path in paths if not lies_with_other_data(path, root)]
    return anatomy or list(paths)
