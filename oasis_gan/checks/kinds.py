"""Suggest a suffix if all files of a folder were used, although it holds label maps and MRIs."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..io.endings import stem_of
from ..plugin.datasets import Selection, Subject

_LABEL_NAME = re.compile(
    r"(?:d|a|f|t|pve)?seg\d*|labels?|mask|segmentation|tissues?|aparc\S*|wmparc", re.IGNORECASE
)
_Kinds = dict[tuple[Path, str], list[str]]
"""The last words of file names, by folder and by the beginning of the name."""


def suggest_suffix(
    subjects: Iterable[Subject],
    selection: Selection,
    report: Callable[[str], None],
) -> Iterator[Subject]:
    """Yield subjects, and suggest a suffix if all files of a folder were taken.

    Args:
        subjects: The subjects that a reader found.
        selection: What the user asked for.
        report: Called with each line for the user.
    """
    paths: list[Path] = []
    for subject in subjects:
        paths.append(subject.source.path)
        yield subject
    if selection.source_suffix or not selection.root.is_dir():
        return
    hint = hint_at_suffix(paths)
    if hint is not None:
        report(f"{selection.root}: {hint}")


def hint_at_suffix(paths: Iterable[Path]) -> str | None:
    """Return a hint if the file names show label maps beside other files of the same subject.

    Args:
        paths: Such as ``sub-01_seg.nii.gz`` and ``sub-01_t1.nii.gz``, or ``seg.nii.gz`` and
            ``t1.nii.gz`` in a folder.
    """
    for (_, beginning), kinds in _group_kinds(paths).items():
        labels = [kind for kind in kinds if _LABEL_NAME.fullmatch(kind)]
        others = [kind for kind in kinds if kind not in labels]
        # One group is enough: all subjects of a folder are named alike.
        if labels and others:
            return _describe_choice(beginning, labels[0], others[0])
    return None


def _group_kinds(paths: Iterable[Path]) -> _Kinds:
    """Return the last words of the file names, by folder and by the beginning of the name."""
    groups: _Kinds = defaultdict(list)
    for path in paths:
        beginning, separator, kind = stem_of(path.name).rpartition("_")
        groups[path.parent, beginning + separator].append(kind)
    return groups


def _describe_choice(beginning: str, labels: str, other: str) -> str:
    """Return a sentence on a label map and another file whose names begin alike."""
    files = f"{beginning}{labels} and {beginning}{other}"
    suffix = f"`source_suffix` {beginning[-1:]}{labels}"
    return f"several files of a subject, such as {files}: {suffix} takes one kind only"
