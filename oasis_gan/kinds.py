"""Noticing that a folder holds several files of each subject of which only some can be meant: labels beside MRI."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from .datasets import Selection, Subject

_OF_LABELS = re.compile(r"(?:d|a|f|t|pve)?seg\d*|labels?|mask|segmentation|tissues?|aparc\S*|wmparc", re.IGNORECASE)


def hint_at_suffix(names: Iterable[str]) -> str | None:
    """Return what to say of subjects of which some are label maps, by their names, and others lie beside these.

    Args:
        names: Such as ``sub-01_seg`` and ``sub-01_t1``.
    """
    beginnings: dict[str, list[str]] = {}
    for name in names:
        beginning, _, kind = name.rpartition("_")
        beginnings.setdefault(beginning, []).append(kind)
    for beginning, kinds in beginnings.items():
        labels = next((kind for kind in kinds if _OF_LABELS.fullmatch(kind)), None)
        other = next((kind for kind in kinds if not _OF_LABELS.fullmatch(kind)), None)
        if labels is not None and other is not None:
            separator = "_" if beginning else ""
            both = f"{beginning}{separator}{labels} and {beginning}{separator}{other}"
            return (
                f"several files of a subject, such as {both}: --source-suffix {separator}{labels} takes one kind only"
            )
    return None


def with_hint(subjects: Iterable[Subject], selection: Selection, say: Callable[[str], None]) -> Iterator[Subject]:
    """Yield subjects, and say that a suffix would choose where all files of a folder were taken.

    Args:
        subjects: As a reader lists them.
        selection: What was asked for.
        say: Takes a line for the user.
    """
    names: list[str] = []
    for subject in subjects:
        names.append(subject.name)
        yield subject
    hint = None if selection.source_suffix or not selection.root.is_dir() else hint_at_suffix(names)
    if hint is not None:
        say(f"{selection.root}: {hint}")
