"""What can be wrong with a MeshNet model, or with a volume it is to segment.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oasis_gan import VOLUME, OasisGanError


class UnusableModelError(OasisGanError):
    """A file of a model folder is missing, damaged, or not what its model describes.

    Args:
        path: The file.
        expected: What it should hold.
        found: What it holds.
    """

    def __init__(self, path: Path, expected: str, found: str) -> None:
        super().__init__(
            path,
            expected=expected,
            found=found,
            remedy="copy the whole model folder again",
        )


class ChecksumError(UnusableModelError):
    """A file of weights differs from the one that belongs to its model.

    Args:
        path: The file.
        size: How many bytes it should have.
        sha256: The checksum that it should have.
    """

    def __init__(self, path: Path, size: int, sha256: str) -> None:
        super().__init__(path, f"{size} bytes with SHA-256 {sha256[:12]}...", "others")


class LabelCountError(UnusableModelError):
    """A model does not have one label for each filter of its last layer.

    Args:
        path: The file that describes the model.
        filters: How many filters the last layer has.
        labels: How many labels the model has.
    """

    def __init__(self, path: Path, filters: int, labels: int) -> None:
        super().__init__(path, f"{filters} labels, as the last layer has filters", str(labels))


class EmptyVolumeError(OasisGanError):
    """All voxels of a volume are 0."""

    def __init__(self) -> None:
        super().__init__(
            VOLUME,
            expected="some non-zero voxels",
            found="none",
            remedy="leave this volume out",
        )


class VoxelSizeError(OasisGanError):
    """The voxels of a volume have a size that no scan has.

    Args:
        spacings: The size of the voxels, mm.
        smallest: The smallest size that a scan can have, mm.
        largest: The largest size that a scan can have, mm.
    """

    def __init__(
        self,
        spacings: Sequence[float],
        smallest: float,
        largest: float,
    ) -> None:
        super().__init__(
            VOLUME,
            expected=f"voxels of {smallest:g} to {largest:g} mm",
            found=_join(spacings),
            remedy="check the voxel size and correct it",
        )


class HeadSizeError(OasisGanError):
    """A volume holds something larger than any head.

    Args:
        sizes: Its size along each axis, mm.
        limit: The largest volume that a head can have, in mm³.
    """

    def __init__(self, sizes: Sequence[int], limit: int) -> None:
        super().__init__(
            VOLUME,
            expected=f"a head of at most {limit / 1e6:.1f} litres",
            found=f"{_join(sizes)} mm",
            remedy="check the voxel size and correct it, or crop",
        )


def _join(lengths: Sequence[float]) -> str:
    return " x ".join(f"{length:.4g}" for length in lengths)
