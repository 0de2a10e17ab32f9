"""What can be wrong with a BIDS dataset: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from pathlib import Path

from oasis_gan import OasisGanError

from .bids_file import LABELS, BidsFile

_LISTED_LABELS = 8
"""How many participants or sessions an error lists."""
_EXAMPLES = 3
"""How many files an error names."""
_COUNTERPARTS = 8
"""How many possible counterparts an error names."""


class NoSuchDatasetError(OasisGanError):
    """The dataset is no folder."""

    def __init__(self, root: Path) -> None:
        super().__init__(
            root,
            expected="a BIDS dataset",
            found="no such folder",
            remedy="name the folder of a dataset",
        )


class NoSourcesError(OasisGanError):
    """A dataset holds no file that was requested.

    Args:
        root: The dataset.
        suffix: How the names of the requested files end; empty for label maps.
        others: The images that are there.
    """

    def __init__(self, root: Path, suffix: str, others: Sequence[BidsFile]) -> None:
        ending = suffix or f"_{LABELS}.nii or .nii.gz"
        super().__init__(
            root,
            expected=f"files named *{ending}",
            found=_describe_others(others),
            remedy="choose others with `source_suffix`, or other participants or sessions",
        )


class NoAnatomyError(OasisGanError):
    """All label maps of a dataset lie with functional or other data.

    Args:
        root: The dataset.
        files: The label maps.
    """

    def __init__(self, root: Path, files: Sequence[BidsFile]) -> None:
        example = files[0].path.relative_to(root)
        super().__init__(
            root,
            expected="dseg of the anatomy",
            found=f"{len(files)} with other data, such as {example}",
            remedy="name that folder, or choose with `source_suffix`",
        )


class UnknownLabelError(OasisGanError):
    """A dataset has no such participant or session, or several that differ only in case.

    Args:
        option: The option that names it.
        label: What the user wrote.
        choices: What the dataset has.
    """

    def __init__(self, option: str, label: str, choices: Sequence[str]) -> None:
        listed = ", ".join(choices[:_LISTED_LABELS]) or "none"
        if len(choices) > _LISTED_LABELS:
            listed += ", ..."
        super().__init__(
            option,
            expected=f"one of {listed}",
            found=label,
            remedy="use the names in the dataset",
        )


class SeveralDerivativesError(OasisGanError):
    """Several derivatives hold the requested files of a participant.

    Args:
        root: The dataset.
        participant: The participant, without ``sub-``.
        homes: The derivatives.
    """

    def __init__(self, root: Path, participant: str, homes: Collection[Path]) -> None:
        names = sorted(str(home.relative_to(root)) for home in homes)
        super().__init__(
            root,
            expected=f"one derivative with such files of sub-{participant}",
            found=" and ".join(names),
            remedy="name one of them as the SOURCE",
        )


class AmbiguousCounterpartError(OasisGanError):
    """Several volumes match a label map equally well.

    Args:
        path: The label map.
        files: The volumes.
    """

    def __init__(self, path: Path, files: Sequence[BidsFile]) -> None:
        super().__init__(
            path,
            expected="one volume that matches it",
            found=_list_with_homes(files),
            remedy="choose with `target_suffix`",
        )


class NoCounterpartError(OasisGanError):
    """All volumes of a visit lie in another space than the label map, or belong to another scan.

    Args:
        path: The label map.
        space: Its space; empty for that of the scan.
        files: The volumes.
    """

    def __init__(self, path: Path, space: str, files: Sequence[BidsFile]) -> None:
        super().__init__(
            path,
            expected=f"a volume of the same scan in {space or 'the space of the scan'}",
            found=_list_with_homes(files),
            remedy="resample one of the two, or leave it out",
        )


def _describe_others(files: Sequence[BidsFile]) -> str:
    """Return what a dataset holds instead of the requested files."""
    if not files:
        return "none"
    examples = [file.name for file in files[:_EXAMPLES]]
    found = f"none, but {', '.join(examples)}"
    more = len(files) - len(examples)
    return f"{found} and {more} more" if more else found


def _list_with_homes(files: Sequence[BidsFile]) -> str:
    return " and ".join(f"{file.home.name}: {file.name}" for file in files[:_COUNTERPARTS])
