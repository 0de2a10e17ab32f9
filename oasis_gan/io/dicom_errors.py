"""What can be wrong with a DICOM series: a class for each kind of fault.

Each class takes the facts and makes the sentence. The facts are names of files, numbers and sizes;
none of them is a field of a patient.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from .errors import UnusableFileError

_SHOWN = 4
_ONE_SERIES = "one series whose slices make a volume"
_SPLIT = "put the files of each series into a folder of their own, or convert it with dcm2niix"


class NoSeriesError(UnusableFileError):
    """No series in a folder makes a volume.

    Args:
        folder: The folder.
        found: What is there instead.
    """

    def __init__(self, folder: Path, found: str = "no DICOM image") -> None:
        super().__init__(
            folder,
            expected=_ONE_SERIES,
            found=found,
            remedy="check the folder, or name one file of the series",
        )


class SeveralSeriesError(UnusableFileError):
    """Several series in a folder make a volume each.

    Args:
        folder: The folder.
        series: A description of each of them.
    """

    def __init__(self, folder: Path, series: Sequence[str]) -> None:
        shown = "; ".join(series[:_SHOWN])
        further = len(series) - _SHOWN
        super().__init__(
            folder,
            expected=_ONE_SERIES,
            found=shown + (f"; and {further} more" if further > 0 else ""),
            remedy="give the path of one file of the series that you want",
        )


class UndecodableImageError(UnusableFileError):
    """GDCM cannot read the pixels of a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="pixels that GDCM can decode",
            found="an incomplete file, or a compression that it does not know",
            remedy="copy it again, or decompress it with gdcmconv",
        )


class NoPlaceError(UnusableFileError):
    """An image does not say where it lies in the patient."""

    def __init__(self, path: Path, found: str = "none, or an incomplete one") -> None:
        super().__init__(
            path,
            expected="ImagePositionPatient, ImageOrientationPatient and PixelSpacing",
            found=found,
            remedy="convert the original series with dcm2niix",
        )


class MixedImagesError(UnusableFileError):
    """The images of a series do not fit together.

    Args:
        path: The file of one of them.
        same: What should be the same in all.
    """

    def __init__(self, path: Path, same: str) -> None:
        super().__init__(
            path,
            expected=f"images of the same {same} in a series",
            found="another",
            remedy=_SPLIT,
        )


class RepeatedPositionError(UnusableFileError):
    """Two images of a series lie in the same place, as those of two echoes or times do."""

    def __init__(self, path: Path, other: Path) -> None:
        super().__init__(
            path,
            expected="one image at each position",
            found=f"the position of {other.name} again: two echoes, two times or a copy",
            remedy=_SPLIT,
        )


class MissingSlicesError(UnusableFileError):
    """There is a gap between two slices.

    Args:
        path: The file of the slice before the gap.
        spacing: The distance of the other slices, in mm.
        gap: The width of the gap, in mm.
    """

    def __init__(self, path: Path, spacing: float, gap: float) -> None:
        missing = round(gap / spacing) - 1
        lost = "1 slice is missing" if missing == 1 else f"{missing} slices are missing"
        super().__init__(
            path,
            expected=f"the next slice {spacing:.4g} mm further",
            found=f"{gap:.4g} mm: {lost}",
            remedy="copy the whole series again",
        )


class UnevenSlicesError(UnusableFileError):
    """The distances between slices differ.

    Args:
        path: The file of one of the slices.
        off: How far it lies from its place in an even stack, in mm.
    """

    def __init__(self, path: Path, off: float) -> None:
        super().__init__(
            path,
            expected="evenly spaced slices",
            found=f"one that is {off:.3g} mm off",
            remedy="resample the series onto an even grid with dcm2niix or 3D Slicer",
        )


class SingleImageError(UnusableFileError):
    """A series has a single image, which is no volume."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="two or more slices",
            found="one",
            remedy="give the folder of the whole series",
        )


class UnreadableFramesError(UnusableFileError):
    """The places of the frames of a multi-frame file cannot be read.

    Args:
        path: The file.
        found: What is in the way.
    """

    def __init__(self, path: Path, found: str) -> None:
        super().__init__(
            path,
            expected="a multi-frame file that says where each frame lies",
            found=found,
            remedy="convert it with dcm2niix",
        )
