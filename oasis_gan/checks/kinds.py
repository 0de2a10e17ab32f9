"""Suggest a suffix where a folder holds label maps beside MRIs and all files were taken."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..io.endings import stem_of
from ..plugin.datasets import Selection, Subject

_LABEL_NAME = re.compile(
    r"(?:d|a|f|t|pve)?seg\d*|labels?|mask|segmentation|tissues?|aparc\S*|wmparc", re.IGNORECASE
)


def hint_at_suffix(paths: Iterable[Path]) -> str | None:
    """Return a hint if the file names show label maps beside other files of the same subject.

    Args:
        paths: Such as ``sub-01_seg.nii.gz`` and ``sub-01_t1.nii.gz``, or ``seg.nii.gz`` and
            ``t1.nii.gz`` in a folder.
    """
    for (_, beginning), kinds in _group_kinds(paths).items():
        labels = [kind for kind in kinds if _LABEL_NAME.fullmatch(kind)]
        others = [kind for kind in kinds if not _LABEL_NAME.fullmatch(kind)]
        if labels and others:
            both = f"{beginning}{labels[0]} and {beginning}{others[0]}"
            suffix = f"`source_suffix` {beginning[-1:]}{labels[0]}"
            return f"several files of a subject, such as {both}: {suffix} takes one kind only"
    return None


def _group_kinds(paths: Iterable[Path]) -> dict[tuple[Path, str], list[str]]:
    """Return the last words of the file names, by folder and by the beginning of the name."""
    groups: dict[tuple[Path, str], list[str]] = {}
    for path in paths:
        beginning, separator, kind = stem_of(path.name).rpartition("_")
        key = (path.parent, beginning + separator)
        groups.setdefault(key, []).append(kind)
    return groups


def with_hint(
    subjects: Iterable[Subject], selection: Selection, say: Callable[[str], None]
) -> Iterator[Subject]:
    """Yield subjects, and suggest a suffix if all files of a folder were taken.

    Args:
        subjects: The subjects that a reader found.
        selection: What the user asked for.
        say: Called with each line for the user.
    """
    paths: list[Path] = []
    for subject in subjects:
        paths.append(subject.source.path)
        yield subject
    if selection.source_suffix or not selection.root.is_dir():
        return
    hint = hint_at_suffix(paths)
    if hint is not None:
        say(f"{selection.root}: {hint}")
