"""What can be wrong with a volume: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from itertools import starmap

from ..errors import OasisGanError

_MAX_SHOWN = 8  # values or labels that an error lists


def abbreviate(items: Sequence[str]) -> str:
    """Return the first few items, separated by commas, and dots if there are more."""
    shown = ", ".join(items[:_MAX_SHOWN])
    return f"{shown}, ..." if len(items) > _MAX_SHOWN else shown


class UnusableVolumeError(OasisGanError):
    """A volume is not what is needed.

    Args:
        where: The file or the subject.
        expected: What the volume should be.
        found: What it is.
        remedy: What to do about it.
    """

    def __init__(self, where: object, expected: str, found: str, remedy: str) -> None:
        super().__init__(where, expected=expected, found=found, remedy=remedy)


class EmptyVolumeError(UnusableVolumeError):
    """All voxels of an image are 0."""

    def __init__(self, where: object) -> None:
        super().__init__(where, "some non-zero voxels", "none", "leave this volume out")


class OtherGridError(UnusableVolumeError):
    """Two volumes that should share a grid do not."""

    def __init__(self, where: object, expected: str, found: str) -> None:
        remedy = "resample one of the two onto the grid of the other"
        super().__init__(where, expected, found, remedy)


class NoVolumeError(UnusableVolumeError):
    """The reader of a plugin returns something that is not a volume."""

    def __init__(self, where: object, found: str, plugin: str) -> None:
        expected = "a 3-D volume of numbers from the reader"
        remedy = f"fix the dataset plugin {plugin}".rstrip()
        super().__init__(where, expected, found, remedy)


class NotFiniteError(UnusableVolumeError):
    """No voxel of a volume is finite."""

    def __init__(self, where: object) -> None:
        super().__init__(where, "finite voxels", "none", "export it again")


class LabelsNotFiniteError(UnusableVolumeError):
    """Some voxels within a label map are NaN or Inf.

    Args:
        where: The label map.
        value: One of these voxels.
        count: How many there are.
    """

    def __init__(self, where: object, value: float, count: int) -> None:
        expected = "a whole number in each voxel of a label map"
        found = f"{value:g} in {count} voxels"
        remedy = "export the label map again, with 0 for background"
        super().__init__(where, expected, found, remedy)


class SlicesTooLargeError(UnusableVolumeError):
    """Slices are larger than any canvas.

    Args:
        where: The volume.
        max_pixels: The most pixels that a canvas may have.
        spacing: The size of a pixel, mm.
        millimetres: The size of the slices, along rows and along columns.
        voxels: The same in voxels.
    """

    def __init__(
        self,
        where: object,
        max_pixels: int,
        spacing: float,
        millimetres: tuple[float, float],
        voxels: tuple[int, int],
    ) -> None:
        expected = f"slices that fit into {max_pixels} pixels of {spacing:g} mm"
        size = f"{millimetres[0]:.4g} x {millimetres[1]:.4g} mm"
        found = f"{size}, {voxels[0]} x {voxels[1]} voxels"
        remedy = "check the voxel size and correct it, or crop"
        super().__init__(where, expected, found, remedy)


class NoPictureError(UnusableVolumeError):
    """A thin volume has slices of one row or column in all planes of a model.

    Args:
        where: The volume.
        planes: The planes that were asked for.
        found: What the volume is, such as ``a single sagittal slice``.
        remedy: What to do about it.
    """

    def __init__(
        self,
        where: object,
        planes: Sequence[str],
        found: str,
        remedy: str,
    ) -> None:
        names = " and ".join(planes)
        expected = f"{names} slices of more than one row of pixels"
        super().__init__(where, expected, found, remedy)


class ContrastError(UnusableVolumeError):
    """The mean intensities of the tissues do not rise as in a T1w.

    Args:
        where: The scan.
        means: The mean of each tissue; NaN where there is none of it.
        remedy: What to do about it.
    """

    def __init__(self, where: object, means: Mapping[str, float], remedy: str) -> None:
        expected = "a T1w contrast, mean intensities rising from CSF to GM to WM"
        found = ", ".join(starmap(_describe_mean, means.items()))
        super().__init__(where, expected, found, remedy)


class LabelMissingError(UnusableVolumeError):
    """A label set has no label of a name."""

    def __init__(self, label_set: str, name: str, known: Iterable[str]) -> None:
        where = f"label set {label_set}"
        remedy = "use a label set that has it"
        super().__init__(where, f"a label {name}", ", ".join(known), remedy)


class UnknownLabelsError(UnusableVolumeError):
    """A label map has values that its label set lacks.

    Args:
        where: The label map.
        expected: Which labels it should have.
        unknown: The values that are none of them.
        remedy: What to do about them.
    """

    def __init__(
        self,
        where: object,
        expected: str,
        unknown: Sequence[float],
        remedy: str,
    ) -> None:
        found = abbreviate([f"{value:g}" for value in unknown])
        super().__init__(where, expected, found, remedy)


class NoCounterpartError(UnusableVolumeError):
    """A label map has labels that have no counterpart in another label set.

    Args:
        where: The label map.
        source: The name of its label set.
        target: The name of the label set that it should become one of.
        labels: The labels, each with its value.
        remedy: What to do about them.
    """

    def __init__(
        self,
        where: object,
        source: str,
        target: str,
        labels: Sequence[str],
        remedy: str,
    ) -> None:
        expected = f"labels of {source} that have a counterpart in {target}"
        super().__init__(where, expected, abbreviate(labels), remedy)


def _describe_mean(name: str, mean: float) -> str:
    return f"no {name}" if math.isnan(mean) else f"{name} {mean:.4g}"
