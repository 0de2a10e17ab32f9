"""Reading what an output is compared with: everything on its grid, with the hashes of the files."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

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


@dataclass(frozen=True)
class Task:
    """What an evaluation compares.

    Args:
        subject: How to call it.
        output: The volume.
        sidecar: What the JSON beside it says, if there is one.
        real: The scan to compare it with, if there is one.
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
        OSError: As the file system says.
    """
    output, output_identity = read_with_identity(task.output, _read_image)
    files = {"output": output_identity}
    notes = [*describe_notes("output", output), *_check_output(task, output_identity)]
    real = None
    if task.real is not None:
        real, files["real"] = read_with_identity(task.real, _read_image)
        real = place_on_grid(output, real, task.real.path)
        notes += describe_notes("real scan", real)
    labels = None
    if task.labels is not None:
        labels, files["labels"] = read_label_map(task.labels, output)
        notes += describe_notes("label map", labels.tissues)
        notes += _check_labels(task, files["labels"])
    segmentation = _read_segmentation(task.segmentation, "segmentation", output, files, notes)
    real_segmentation = _read_segmentation(
        task.real_segmentation, "real_segmentation", output, files, notes
    )
    if task.segmenter is not None:
        brain = labels.tissues if labels else None
        segmentation = task.segmenter.segment(output, brain, task.output.path)
        if real is not None and task.real is not None:
            real_segmentation = task.segmenter.segment(real, brain, task.real.path)
    if segmentation is not None and labels is None and real_segmentation is None:
        raise LabelMapMissingError(task.output.path)
    return Volumes(
        output,
        real,
        labels,
        segmentation,
        real_segmentation,
        files,
        tuple(notes),
    )


def _read_segmentation(
    scan: Scan | None,
    name: str,
    output: Volume,
    files: dict[str, Identity],
    notes: list[str],
) -> LabelMap | None:
    """Read a segmentation onto the grid of the output, and record its file; None if there is none.

    Args:
        scan: The segmentation, if there is one.
        name: What to call it among the files.
        output: The output.
        files: Names and hashes of what was read; the segmentation is added.
        notes: What a reader of the figures should know; more may be added.
    """
    if scan is None:
        return None
    segmentation, files[name] = read_label_map(scan, output)
    notes += describe_notes(name.replace("_", " "), segmentation.tissues)
    return segmentation


def _read_image(scan: Scan) -> Volume:
    volume = scan.read()
    largest = max(-float(volume.voxels.min()), float(volume.voxels.max()))
    if largest > _LARGEST:
        raise IntensityTooLargeError(scan.path, largest, _LARGEST)
    return volume


def _check_output(task: Task, identity: Identity) -> list[str]:
    """Return what to say of the provenance of an output.

    Raises:
        OasisGanError: If it is not the volume that its sidecar describes, or no image.
    """
    if task.sidecar is None:
        return [
            "no sidecar of oasis-gan lies beside the output: nothing says what it was made from"
        ]
    if task.sidecar.target_encoding.kind == "labels":
        raise OutputIsLabelMapError(task.output.path)
    if identity["sha256"] != task.sidecar.volume.sha256:
        raise OutputChangedError(task.output.path)
    return []


def _check_labels(task: Task, identity: Identity) -> list[str]:
    if task.sidecar is None or identity["sha256"] == task.sidecar.source.sha256:
        return []
    return ["by its SHA-256, the label map is not the file that the output was made from"]
