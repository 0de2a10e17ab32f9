"""What is wrong with subjects as a whole: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import OasisGanError

_ONE_SIDE = "each person on one side"
_MOST_NAMES = 5  # in a message


class UnusableVolumeError(OasisGanError):
    """A volume cannot be translated.

    Args:
        where: The volume.
        found: The reason.
    """

    def __init__(self, where: object, found: str) -> None:
        super().__init__(
            where,
            expected="a volume to translate",
            found=found,
            remedy="leave it out",
        )


class OnlyOutputsError(OasisGanError):
    """A folder holds only outputs of this tool.

    Args:
        folder: The folder.
        outputs: The number of outputs, such as ``3 outputs``.
    """

    def __init__(self, folder: Path, outputs: str) -> None:
        super().__init__(
            folder,
            expected="volumes that are not outputs",
            found=f"{outputs} of oasis-gan and nothing else",
            remedy="name the files themselves to use them, or choose them with `source_suffix`",
        )


class NobodyToLearnFromError(OasisGanError):
    """All subjects of a training are held out."""

    def __init__(self, held_out: int) -> None:
        super().__init__(
            "training data",
            expected="a subject to train on",
            found=f"{held_out} held out and no other subjects",
            remedy="hold out fewer, or see the lines above",
        )


class PersonOnBothSidesError(OasisGanError):
    """A person has subjects on both sides of a split."""

    def __init__(self, person: str) -> None:
        super().__init__(
            "`validate`",
            expected=_ONE_SIDE,
            found=f"{person} on both",
            remedy="name all subjects of that person, or none",
        )


class FileOnBothSidesError(OasisGanError):
    """Two subjects on different sides of a split have the same file."""

    def __init__(self, subject: str, other: str) -> None:
        super().__init__(
            "`validate`",
            expected=_ONE_SIDE,
            found=f"{subject} and {other}, which hold the same file",
            remedy="leave one of them out",
        )


class SplitTableError(OasisGanError):
    """The table of the split of a training is missing or damaged.

    Args:
        path: The table.
        columns: The columns that it should have.
        reason: What went wrong when it was read.
    """

    def __init__(self, path: Path, columns: Sequence[str], reason: Exception) -> None:
        super().__init__(
            path,
            expected=f"a table of {', '.join(columns)}",
            found="no such file" if isinstance(reason, FileNotFoundError) else str(reason),
            remedy="restore it, or train into another folder",
        )


class OtherSubjectsError(OasisGanError):
    """The subjects of a training have changed since it began.

    Args:
        table: The table of the subjects that it began with.
        names: The names of the subjects by how they differ, such as ``missing``.
    """

    def __init__(self, table: Path, names: Mapping[str, Sequence[str]]) -> None:
        differences = [f"{_enumerate(some)} {what}" for what, some in names.items() if some]
        super().__init__(
            table,
            expected="the subjects that this training began with",
            found="; ".join(differences),
            remedy=(
                "put them back as they were, name their new place with `moved_to` and"
                " `target_root`, or train into another folder"
            ),
        )


def _enumerate(names: Sequence[str]) -> str:
    """Join names for a message, and count those that there is no room for."""
    shown = ", ".join(names[:_MOST_NAMES])
    hidden = len(names) - _MOST_NAMES
    return f"{shown} and {hidden} more" if hidden > 0 else shown
