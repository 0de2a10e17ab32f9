"""Noticing that a folder holds several files of each subject of which only some can be meant: labels beside MRI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from ..io.endings import stem_of
from ..plugin.datasets import Selection, Subject

_OF_LABELS = re.compile(
    r"(?:d|a|f|t|pve)?seg\d*|labels?|mask|segmentation|tissues?|aparc\S*|wmparc", re.IGNORECASE
)


def hint_at_suffix(paths: Iterable[Path]) -> str | None:
    """Return what to say of files of which some are label maps, by their names, and others lie beside these.

    Args:
        paths: Such as ``sub-01_seg.nii.gz`` and ``sub-01_t1.nii.gz``, or ``seg.nii.gz`` and ``t1.nii.gz`` in a folder.
    """
    beginnings: dict[tuple[Path, str], list[str]] = {}
    for path in paths:
        beginning, separator, kind = stem_of(path.name).rpartition("_")
        beginnings.setdefault((path.parent, beginning + separator), []).append(kind)
    for (_, beginning), kinds in beginnings.items():
        labels = next((kind for kind in kinds if _OF_LABELS.fullmatch(kind)), None)
        other = next((kind for kind in kinds if not _OF_LABELS.fullmatch(kind)), None)
        if labels is not None and other is not None:
            both = f"{beginning}{labels} and {beginning}{other}"
            suffix = f"{beginning[-1:]}{labels}"
            return f"several files of a subject, such as {both}: `source_suffix` {suffix} takes one kind only"
    return None


def with_hint(
    subjects: Iterable[Subject], selection: Selection, say: Callable[[str], None]
) -> Iterator[Subject]:
    """Yield subjects, and say that a suffix would choose where all files of a folder were taken.

    Args:
        subjects: As a reader lists them.
        selection: What was asked for.
        say: Takes a line for the user.
    """
    paths: list[Path] = []
    for subject in subjects:
        paths.append(subject.source.path)
        yield subject
    hint = None if selection.source_suffix or not selection.root.is_dir() else hint_at_suffix(paths)
    if hint is not None:
        say(f"{selection.root}: {hint}")
