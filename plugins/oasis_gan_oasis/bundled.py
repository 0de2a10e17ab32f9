"""What the layouts share that keep the source and the target of a subject together."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from oasis_gan import Selection, Subject, unreadable

from .errors import NothingFoundError, OtherFolderError

Report = Callable[[OSError], None]
"""Called with the error of each folder that cannot be listed."""
Find = Callable[[Selection, Report], Iterator[Subject]]
"""Finds the subjects of a selection."""


def ignore_error(_: OSError) -> None:
    """Do nothing about a folder that cannot be listed."""


def require_one_root(selection: Selection, expected: str, suffix: str) -> None:
    """Raise `OtherFolderError` if a selection takes its targets from another folder."""
    if selection.target_root is not None:
        raise OtherFolderError(expected, suffix)


def list_found(
    selection: Selection, find: Find, *, expected: str, remedy: str
) -> Iterator[Subject]:
    """Yield the subjects that ``find`` finds, then one for each folder that cannot be listed.

    Args:
        selection: What the user asks for.
        find: Finds its subjects.
        expected: What the folder should hold, for the error if there is no subject.
        remedy: What to do then.

    Raises:
        NothingFoundError: If there is no subject.
    """
    errors: list[OSError] = []
    is_empty = True
    for subject in find(selection, errors.append):
        is_empty = False
        yield subject
    if is_empty:
        raise NothingFoundError(selection.root, expected, remedy)
    # They come last: a folder that cannot be listed does not stop the subjects in the others.
    for error in errors:
        yield unreadable(selection.root, error)
