"""Read what an output is compared with, on the grid of the output, and hash the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ..image.volume import Volume
from ..io.publishing import Identity
from ..pipeline.provenance import read_with_identity
from ..plugin.datasets import Scan
from .errors import (
    IntensityTooLargeError,
    LabelMapMissingError,
    OutputChangedError,
    OutputIsLabelMapError,
)
from .label_maps import LabelMap, describe_notes, place_on_grid, read_label_map
from .segmenting import ModelSegmenter
from .sidecars import Sidecar

_LARGEST = 1e15  # intensity: squares of larger ones overflow in 32 bits
_NO_SIDECAR = "no sidecar of oasis-gan lies beside the output: nothing says what it was made from"
_OTHER_LABELS = "by its SHA-256, the label map is not the file that the output was made from"


@dataclass(frozen=True)
class Task:
    """What an evaluation compares.

    Args:
        subject: How to call it.
        output: The volume.
        sidecar: What its sidecar says, if there is one.
        real: The real scan to compare it with, if there is one.
        labels: The label map that it was made from, if it is known.
        segmentation: A segmentation of the output, if there is one.
        real_segmentation: The real scan segmented in the same way, if it is.
        segmenter: A model that segments the output and the real scan, instead of both files.
    """

    subject: str
    output: Scan
    sidecar: Sidecar | None
    real: Scan | None
    labels: Scan | None
    segmentation: Scan | None = None
    real_segmentation: Scan | None = None
    segmenter: ModelSegmenter | None = None


@dataclass(frozen=True, eq=False)
class Volumes:
    """The volumes of a task on the grid of the output, and the files that hold them.

    Args:
        output: The output.
        real: The real scan, if there is one.
        labels: The label map that the output was made from, if it is known.
        segmentation: The output segmented, if it is.
        real_segmentation: The real scan segmented in the same way, if it is.
        files: Names and hashes of what was read.
        notes: What a reader of the figures should know, a sentence each.
    """

    output: Volume
    real: Volume | None
    labels: LabelMap | None
    segmentation: LabelMap | None
    real_segmentation: LabelMap | None
    files: Mapping[str, Identity]
    notes: tuple[str, ...]


def read_volumes(task: Task) -> Volumes:
    """Read the volumes of a task, and segment those that are to be segmented.

    Raises:
        OasisGanError: If something cannot be read, does not lie on the grid of the output, or is
            not what the sidecar says that it is.
        OSError: If the file system fails.
    """
    return segment_volumes(task, read_files(task))


def read_files(task: Task) -> Volumes:
    """Read the volumes of a task that are in files.

    Raises:
        OasisGanError: If something cannot be read, does not lie on the grid of the output, or is
            not what the sidecar says that it is.
        OSError: As the file system says.
    """
    reader = _Reader(task)
    return Volumes(
        output=reader.output,
        real=reader.read_real_scan(),
        labels=reader.read_labels(),
        segmentation=reader.read_segmentation(task.segmentation, "segmentation"),
        real_segmentation=reader.read_segmentation(task.real_segmentation, "real_segmentation"),
        files=reader.files,
        notes=tuple(reader.notes),
    )


def segment_volumes(task: Task, volumes: Volumes) -> Volumes:
    """Add the segmentations by the model of a task, if it has one.

    Raises:
        OasisGanError: If a volume cannot be segmented, or a segmentation has no counterpart.
    """
    if task.segmenter is not None:
        volumes = _segment(volumes, task, task.segmenter)
    # A segmentation is compared with the label map, or with that of the real scan.
    has_counterpart = volumes.labels is not None or volumes.real_segmentation is not None
    if volumes.segmentation is not None and not has_counterpart:
        raise LabelMapMissingError(task.output.path)
    return volumes


class _Reader:
    """Reads the volumes of one task, and collects the hashes of their files, and notes.

    Args:
        task: The task; its output is read at once, because the others are put on its grid.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self.files: dict[str, Identity] = {}
        """Names and hashes of what was read."""
        self.notes: list[str] = []
        """What a reader of the figures should know."""
        self.output = self._read_image(task.output, "output")
        self.notes += describe_notes("output", self.output)
        self.notes += _check_output(task, self.files["output"])

    def read_real_scan(self) -> Volume | None:
        """Read the real scan; None if there is none."""
        scan = self._task.real
        if scan is None:
            return None
        volume = self._read_image(scan, "real")
        real = place_on_grid(self.output, volume, scan.path)
        self.notes += describe_notes("real scan", real)
        return real

    def read_labels(self) -> LabelMap | None:
        """Read the label map that the output was made from; None if there is none."""
        scan = self._task.labels
        if scan is None:
            return None
        labels = self._read_label_map(scan, "labels", role="label map")
        self.notes += _check_labels(self._task, self.files["labels"])
        return labels

    def read_segmentation(self, scan: Scan | None, name: str) -> LabelMap | None:
        """Read a segmentation; None if there is none.

        Args:
            scan: The segmentation, if there is one.
            name: What to call it among the files.
        """
        if scan is None:
            return None
        return self._read_label_map(scan, name, role=name.replace("_", " "))

    def _read_image(self, scan: Scan, name: str) -> Volume:
        volume, self.files[name] = read_with_identity(scan, _read_intensities)
        return volume

    def _read_label_map(self, scan: Scan, name: str, role: str) -> LabelMap:
        label_map, self.files[name] = read_label_map(scan, self.output)
        self.notes += describe_notes(role, label_map.tissues)
        return label_map


def _read_intensities(scan: Scan) -> Volume:
    """Read an MRI, whose intensities must not be too large to compute with."""
    volume = scan.read()
    highest = float(volume.voxels.max())
    lowest = float(volume.voxels.min())
    largest = max(-lowest, highest)
    if largest > _LARGEST:
        raise IntensityTooLargeError(scan.path, largest, _LARGEST)
    return volume


def _segment(volumes: Volumes, task: Task, segmenter: ModelSegmenter) -> Volumes:
    """Return the volumes with the segmentations of the output and of the real scan by a model."""
    brain = volumes.labels.tissues if volumes.labels else None
    segmentation = segmenter.segment(volumes.output, brain, task.output.path)
    real_segmentation = volumes.real_segmentation
    if volumes.real is not None and task.real is not None:
        real_segmentation = segmenter.segment(volumes.real, brain, task.real.path)
    return replace(
        volumes,
        segmentation=segmentation,
        real_segmentation=real_segmentation,
    )


def _check_output(task: Task, identity: Identity) -> list[str]:
    """Return what to say of the provenance of an output.

    Raises:
        OasisGanError: If it is not the volume that its sidecar describes, or no image.
    """
    sidecar = task.sidecar
    if sidecar is None:
        return [_NO_SIDECAR]
    if sidecar.target_encoding.kind == "labels":
        raise OutputIsLabelMapError(task.output.path)
    if identity["sha256"] != sidecar.volume.sha256:
        raise OutputChangedError(task.output.path)
    return []


def _check_labels(task: Task, identity: Identity) -> list[str]:
    if task.sidecar is None or identity["sha256"] == task.sidecar.source.sha256:
        return []
    return [_OTHER_LABELS]
