"""A class for each kind of fault that an output or its counterpart can have."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
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
        super().__init__(
            path,
            expected="some voxels to compare",
            found="an empty mask",
            remedy=remedy,
        )


class IntensityTooLargeError(OasisGanError):
    """The intensities of a volume are too large for computing."""

    def __init__(
        self,
        path: Path,
        largest: float,
        limit: float,
    ) -> None:
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
    """An output is not the volume that its sidecar describes."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="the volume that its sidecar describes",
            found="another one, by its SHA-256",
            remedy="make it again with `overwrite`, or move the sidecar away",
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
            f"model {name}",
            expected="a model that takes one MRI and makes labels",
            found=found,
            remedy="choose another model; see oasis-gan models",
        )


class WrongSourcesError(NoSegmenterError):
    """A model takes other sources than one MRI, and possibly one label map.

    Args:
        name: The name of the model.
        sources: The names of its sources that are in question.
    """

    def __init__(self, name: str, sources: Iterable[str]) -> None:
        super().__init__(name, f"one that takes {' and '.join(sources)}")


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


class NoOutputsError(OasisGanError):
    """A folder holds no output."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            expected="outputs of oasis-gan, such as sub-01_synthT1w.nii.gz with its JSON",
            found="none",
            remedy="name the folder that run wrote to",
        )


class SidecarMissingError(OasisGanError):
    """A file in a folder is named like an output, but has no sidecar."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a sidecar of oasis-gan, the JSON file beside it",
            found="none",
            remedy="make it again with `overwrite`, or name the file itself to evaluate it without",
        )


class DamagedSidecarError(OasisGanError):
    """The sidecar of an output is not what this tool has written.

    Args:
        path: The sidecar.
        expected: What it should hold.
        found: What it holds.
    """

    def __init__(
        self,
        path: Path,
        expected: str,
        found: str,
    ) -> None:
        super().__init__(
            path,
            expected=expected,
            found=found,
            remedy="make the output again with `overwrite`, or move this file away",
        )


class AmbiguousSourceError(OasisGanError):
    """An output may have been made from any of several files with the same content."""

    def __init__(self, output: Path, files: Iterable[Path]) -> None:
        super().__init__(
            output,
            expected="one file that it was made from",
            found=" and ".join(map(str, files)),
            remedy="name it with `labels`",
        )


class RealScanNotFoundError(OasisGanError):
    """A folder does not hold exactly one real scan with the name of an output's subject.

    Args:
        output: The output.
        name: The name of its subject.
        folder: The folder.
        candidates: The scans with that name.
    """

    def __init__(
        self,
        output: Path,
        name: str,
        folder: Path,
        candidates: Iterable[Path],
    ) -> None:
        super().__init__(
            output,
            expected=f"the real scan of {name} in {folder}",
            found=" and ".join(map(str, candidates)) or "none",
            remedy="say how names end (`target_suffix`, and `source_suffix` for label maps), "
            "or list the pairs in a table",
        )


class SourceUnknownError(OasisGanError):
    """Nothing names the label map that belongs to an output."""

    def __init__(self, output: Path) -> None:
        super().__init__(
            output,
            expected="a sidecar of oasis-gan, the JSON file that names its label map",
            found="none",
            remedy="name one label map with `labels`",
        )


class SourceMissingError(OasisGanError):
    """The file that an output was made from is not in a folder.

    Args:
        output: The output.
        file: The name of the file.
        folder: The folder.
    """

    def __init__(
        self,
        output: Path,
        file: str,
        folder: Path,
    ) -> None:
        super().__init__(
            output,
            expected=f"{file}, which it was made from, in {folder}",
            found="none",
            remedy="name the folder that the outputs were made from",
        )


class SourceChangedError(OasisGanError):
    """The file that an output was made from has changed since.

    Args:
        output: The output.
        file: The name of the file.
        folder: The folder that it lies in.
    """

    def __init__(
        self,
        output: Path,
        file: str,
        folder: Path,
    ) -> None:
        super().__init__(
            output,
            expected=f"{file}, which it was made from, in {folder}",
            found="one with another SHA-256",
            remedy="make the output again",
        )


class PackagesMissingError(OasisGanError):
    """Packages that compute the figures are not installed."""

    def __init__(self, packages: Iterable[str]) -> None:
        super().__init__(
            "evaluate",
            expected="the packages of the extra evaluation",
            found=f"no {' and no '.join(packages)}",
            remedy="pip install 'oasis-gan[evaluation]'",
        )


class ContrastsDifferError(OasisGanError):
    """The contrasts of two volumes cannot be matched by the means of their tissues."""

    def __init__(self, found: str) -> None:
        super().__init__(
            "matching contrasts",
            expected="three tissues whose means come in one order in both volumes",
            found=found,
            remedy="see the raw figures",
        )


class TissueMissingError(ContrastsDifferError):
    """A label map does not have all tissues."""

    def __init__(self, missing: Iterable[str]) -> None:
        super().__init__(f"no {' and no '.join(missing)} in the label map")


class TissueOrderError(ContrastsDifferError):
    """The tissues of a volume do not have the order of brightness of the real scan.

    Args:
        which: The volume, such as ``the output``.
        means: The mean intensity of each tissue by its name.
    """

    def __init__(self, which: str, means: Mapping[str, float]) -> None:
        shown = ", ".join(f"{name} {mean:.4g}" for name, mean in means.items())
        super().__init__(f"means of {shown} in {which}")
