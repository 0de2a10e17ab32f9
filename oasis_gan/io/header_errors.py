"""What can be wrong with the header of a volume that is not NIfTI: a class for each kind of fault.

Each class takes the facts and makes the sentence. None of them quotes a value that a user typed
into a header, which can be the name of a patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .errors import UnusableFileError


class HeaderFieldError(UnusableFileError):
    """A field of a header is missing, or holds something else than it should.

    Args:
        path: The file.
        field: The name of the field.
        expected: What it should hold.
        found: What is there; its value is not quoted.
    """

    def __init__(self, path: Path, field: str, expected: str, found: str = "another value") -> None:
        super().__init__(
            path,
            expected=f"{field} with {expected}",
            found=found,
            remedy="save it again with SimpleITK or 3D Slicer",
        )


class LongHeaderError(UnusableFileError):
    """A header in text has no end within the size that a header can have."""

    def __init__(self, path: Path, kind: str, most: int) -> None:
        super().__init__(
            path,
            expected=f"{kind} that ends within {most} bytes",
            found="no end",
            remedy="copy it again, it is damaged or incomplete",
        )


class OutsideDataFileError(UnusableFileError):
    """A header says that its voxels are in a file outside its folder."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="voxels in a file in the same folder, or below it",
            found="a path that leads out of it",
            remedy="put both files into one folder, and correct the name in the header",
        )


class SeveralDataFilesError(UnusableFileError):
    """A header says that its voxels are spread over several files."""

    def __init__(self, path: Path, remedy: str = "save it as one file, .nrrd or .mha") -> None:
        super().__init__(
            path,
            expected="the voxels in one file",
            found="a list or a pattern of files",
            remedy=remedy,
        )


class EncodingError(UnusableFileError):
    """Voxels are stored in a way that is not read.

    Args:
        path: The file.
        found: How they are stored.
        known: The ways that are read.
    """

    def __init__(self, path: Path, found: str, known: Sequence[str]) -> None:
        super().__init__(
            path,
            expected=f"voxels stored as {' or '.join(known)}",
            found=found,
            remedy="save it again with SimpleITK or 3D Slicer",
        )


class DamagedVoxelsError(UnusableFileError):
    """Compressed voxels are damaged or incomplete."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="compressed voxels",
            found="a damaged or incomplete stream",
            remedy="copy it again",
        )


class DamagedFileError(UnusableFileError):
    """A library cannot make sense of a file."""

    def __init__(self, path: Path, kind: str) -> None:
        super().__init__(
            path,
            expected=kind,
            found="a damaged or incomplete one",
            remedy="copy it again",
        )


class UnusablePositionError(UnusableFileError):
    """Directions, voxel sizes or origin are none that a head can have."""

    def __init__(
        self, path: Path, remedy: str = "export it again from the tool it came from"
    ) -> None:
        super().__init__(
            path,
            expected="a usable position",
            found="unusable directions, voxel sizes or origin",
            remedy=remedy,
        )
