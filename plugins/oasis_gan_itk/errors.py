"""What ITK cannot hold, and what can go wrong when it writes: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oasis_gan import OasisGanError


class ShearedGridError(OasisGanError):
    """The axes of a volume are not perpendicular, which images of ITK cannot hold.

    Args:
        path: The file to write.
        shear: The largest cosine between two axes.
    """

    def __init__(self, path: Path, shear: float) -> None:
        super().__init__(
            path,
            expected="perpendicular axes",
            found=f"shear {shear:.2g}",
            remedy="resample the source onto a grid with perpendicular axes",
        )


class VoxelTypeError(OasisGanError):
    """The voxels of a volume have a type that ITK lacks.

    Args:
        path: The file to write.
        found: The type of the voxels.
        types: The types that ITK has.
    """

    def __init__(self, path: Path, found: str, types: Sequence[str]) -> None:
        super().__init__(
            path,
            expected="integer or float voxels",
            found=found,
            remedy=f"convert them to one of {', '.join(types)}",
        )


class NotFiniteVoxelsError(OasisGanError):
    """A volume holds NaN or infinity."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="finite voxels",
            found="NaN or Inf",
            remedy="few filters of ITK can take them: set them to 0",
        )


class NotWrittenError(OasisGanError):
    """A file does not hold the volume that was written to it.

    Args:
        path: The file.
        found: What ITK says, or what the file holds.
    """

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            path,
            expected="the volume that was written",
            found=found,
            remedy="free some space, and check the disk",
        )
