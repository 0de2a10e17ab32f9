"""A class for each kind of fault that an output or its counterpart can have."""

from __future__ import annotations

from pathlib import Path

from ..errors import OasisGanError


class EmptyMaskError(OasisGanError):
    """There is no voxel in which to compare.

    Args:
        path: The file that the mask is taken from.
        has_labels: Whether that is a label map, or else the output itself.
    """

    def __init__(self, path: Path, *, has_labels: bool) -> None:
        remedy = "give another output, or its label map as `labels`"
        if has_labels:
            remedy = "give another label map"
        expected = "some voxels to compare"
        super().__init__(path, expected=expected, found="an empty mask", remedy=remedy)


class IntensityTooLargeError(OasisGanError):
    """The intensities of a volume are too large for computing."""

    def __init__(self, path: Path, largest: float, limit: float) -> None:
        super().__init__(
            path,
            expected=f"intensities up to {limit:g}",
            found=f"{largest:g}",
            remedy="rescale the volume",
        )


class OutputIsLabelMapError(OasisGanError):
    """An output is a label map, which has no intensities to compare."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="an MRI",
            found="a label map that a model made",
            remedy="give the MRI that was made from a label map",
        )


class OutputChangedError(OasisGanError):
    """An output is not the volume that the JSON beside it describes."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="the volume that the JSON beside it describes",
            found="another one, by its SHA-256",
            remedy="make it again with `overwrite`, or move the JSON away",
        )


class LabelMapMissingError(OasisGanError):
    """No label map is there to compare with a segmentation."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="the label map that it was made from, to compare the segmentation with",
            found="none",
            remedy="name it with `labels`",
        )


class BrainMaskMissingError(OasisGanError):
    """A segmenter needs to know where the brain is, and no label map tells it."""

    def __init__(self, where: object, segmenter: str) -> None:
        super().__init__(
            where,
            expected=f"a label map that says where the brain is, which {segmenter} needs",
            found="none",
            remedy="name it with `labels`",
        )


class NoSegmenterError(OasisGanError):
    """A model cannot segment an MRI.

    Args:
        name: The name of the model.
        found: What it takes or makes instead.
    """

    def __init__(self, name: str, found: str) -> None:
        super().__init__(
            name,
            expected="a model that takes one MRI and makes labels",
            found=found,
            remedy="choose another model; see oasis-gan models",
        )


class SegmentationMissingError(OasisGanError):
    """A folder does not hold the segmentation of an output."""

    def __init__(self, output: Path, folder: Path) -> None:
        super().__init__(
            output,
            expected=f"a segmentation in {folder} whose name begins like that of the output",
            found="none",
            remedy="rename it, or say with `segmentation_suffix` how names end",
        )


class AmbiguousSegmentationError(OasisGanError):
    """A folder holds several files that may be the segmentation of an output."""

    def __init__(self, output: Path, candidates: list[Path]) -> None:
        super().__init__(
            output,
            expected="one segmentation",
            found=" and ".join(path.name for path in candidates),
            remedy="say with `segmentation_suffix` how the names of segmentations end",
        )
