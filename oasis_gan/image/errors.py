"""What can be wrong with a volume: a class for each kind of fault, which makes the sentence."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from ..errors import OasisGanError


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
    """A reader of a plugin returns something that is no volume."""

    def __init__(self, where: object, found: str, plugin: str) -> None:
        expected = "a 3-D volume of numbers from the reader"
        super().__init__(where, expected, found, f"fix the dataset plugin {plugin}".rstrip())


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
        remedy = "export the label map again, with 0 for background"
        super().__init__(where, expected, f"{value:g} in {count} voxels", remedy)


class SlicesTooLargeError(UnusableVolumeError):
    """Slices are larger than any canvas.

    Args:
        where: The volume.
        most: How many pixels a canvas has at most.
        spacing: The size of a pixel, mm.
        found: The size of the slices.
    """

    def __init__(self, where: object, most: int, spacing: float, found: str) -> None:
        expected = f"slices that fit into {most} pixels of {spacing:g} mm"
        remedy = "is the voxel size right? correct it, or crop"
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
        shown = [
            f"no {name}" if math.isnan(mean) else f"{name} {mean:.4g}"
            for name, mean in means.items()
        ]
        super().__init__(where, expected, ", ".join(shown), remedy)


class LabelMissingError(UnusableVolumeError):
    """A label set has no label of a name."""

    def __init__(self, label_set: str, name: str, known: Sequence[str]) -> None:
        where = f"label set {label_set}"
        remedy = "use a label set that has it"
        super().__init__(where, f"a label {name}", ", ".join(known), remedy)
