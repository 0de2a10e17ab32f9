"""Checks shared by the layouts that keep the source and the target of a subject together."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from oasis_gan import OasisGanError, Selection, Subject

Report = Callable[[OSError], None]
"""Called with the error of each folder that cannot be listed."""


class OtherFolderError(OasisGanError):
    """Targets were requested from another folder, but this layout keeps them with the sources.

    Args:
        expected: Where the targets are.
        suffix: An example of a suffix that selects targets.
    """

    def __init__(self, expected: str, suffix: str) -> None:
        super().__init__(
            "`target_root`",
            expected=expected,
            found="another folder",
            remedy=f"choose them with `target_suffix`, such as {suffix}",
        )


def ignore_error(_: OSError) -> None:
    """Do nothing about a folder that cannot be listed."""


def require_one_root(selection: Selection, expected: str, suffix: str) -> None:
    """Raise `OtherFolderError` if a selection takes its targets from another folder."""
    if selection.target_root is not None:
        raise OtherFolderError(expected, suffix)


def require_subjects(
    subjects: Iterable[Subject], root: Path, expected: str, remedy: str
) -> Iterator[Subject]:
    """Yield the subjects found below ``root``, or raise `OasisGanError` if there are none."""
    is_empty = True
    for subject in subjects:
        is_empty = False
        yield subject
    if is_empty:
        raise OasisGanError(root, expected=expected, found="none", remedy=remedy)
