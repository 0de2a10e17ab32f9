"""What goes for every layout that keeps all images of a subject together, source and target."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

from oasis_gan import OasisGanError, Selection, Subject


def require_one_root(selection: Selection, expected: str, suffix: str) -> None:
    """Raise `OasisGanError` if targets are asked for in another folder; ``suffix`` is one that would choose them."""
    if selection.target_root is not None:
        remedy = f"choose them with `target_suffix`, such as {suffix}"
        raise OasisGanError(
            "`target_root`", expected=expected, found="another folder", remedy=remedy
        )


def at_least_one(
    subjects: Iterable[Subject], root: Path, expected: str, remedy: str
) -> Iterator[Subject]:
    """Yield the subjects found below ``root``, or raise `OasisGanError` if there is none."""
    found = False
    for subject in subjects:
        found = True
        yield subject
    if not found:
        raise OasisGanError(root, expected=expected, found="none", remedy=remedy)
