"""Name what can be wrong with the values of a label map: a class for each kind of fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..image.errors import abbreviate
from ..image.labels import LabelSet
from .errors import UnusableFileError


class PartialVolumesError(UnusableFileError):
    """A file holds fractions of tissues, which are neither labels nor an MRI."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(
            path,
            expected="a label map or an MRI",
            found=found,
            remedy=remedy,
        )


class LabelTableError(UnusableFileError):
    """A table of labels cannot be used."""

    def __init__(self, path: Path, found: str, remedy: str = "fix the table") -> None:
        super().__init__(
            path,
            expected="a table of labels with the columns index and name, or index and tissue",
            found=found,
            remedy=remedy,
        )


class TissueAtZeroError(UnusableFileError):
    """A table of labels gives a tissue the index 0, which is background."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="background at index 0",
            found="a tissue",
            remedy="give the background 0, and the tissue another value",
        )


class RepeatedLabelError(UnusableFileError):
    """A table of labels has an index twice."""

    def __init__(self, path: Path, reason: ValueError) -> None:
        super().__init__(
            path,
            expected="a table of labels with the columns index and name, each index once",
            found=f"ValueError: {reason}",
            remedy="fix the table",
        )


class UnknownLabelsError(UnusableFileError):
    """A label map has values that its label set lacks.

    Args:
        path: The label map.
        label_set: The label set.
        unknown: The values that are not in it.
        remedy: What to do about them.
    """

    def __init__(
        self, path: Path, label_set: LabelSet, unknown: Sequence[float], remedy: str
    ) -> None:
        labels = [f"{label.value} {label.name}" for label in label_set.labels]
        known = abbreviate(["0 background", *labels])
        found = abbreviate([f"{value:g}" for value in unknown])
        super().__init__(
            path,
            expected=f"labels {known} ({label_set.name})",
            found=found,
            remedy=remedy,
        )


class AmbiguousLabelsError(UnusableFileError):
    """The values of a label map could be those of BIDS or of the expected label set, which differ.

    Args:
        path: The label map.
        found: The two meanings.
        remedy: How to say which of them is right.
    """

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(
            path,
            expected="a *_dseg.tsv or a BIDS dataset that says what its values mean",
            found=found,
            remedy=remedy,
        )


class MaskError(UnusableFileError):
    """A label map has a single label that covers as much as a brain.

    Args:
        path: The label map.
        value: The value of the label.
        option: The option that says what the values mean.
    """

    def __init__(self, path: Path, value: int, option: str) -> None:
        say = f"say with {option} what {value} means"
        super().__init__(
            path,
            expected="a label map of several tissues",
            found=f"nothing but {value}: a mask?",
            remedy=f"give a map of the tissues; if this is one, {say}",
        )


class ImplausibleAnatomyError(UnusableFileError):
    """The tissues of a label map would be arranged as in no head.

    Args:
        path: The label map.
        reading: What the values seem to mean, such as ``1 CSF, 2 GM, 3 WM``.
        name: The name of the label set in which they mean that.
        found: How the tissues lie.
        remedy: How to say what the values mean.
    """

    def __init__(self, path: Path, reading: str, name: str, found: str, remedy: str) -> None:
        super().__init__(
            path,
            expected=f"white matter within grey matter, if the values are {reading} ({name})",
            found=found,
            remedy=remedy,
        )
