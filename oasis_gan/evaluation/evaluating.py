"""Evaluating one output: what is read, where it is compared, and what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import OasisGanError
from ..image.label_sets import OASIS
from ..image.volume import AssumptionNote, Mask, Volume
from ..io.publishing import Identity
from ..pipeline.provenance import read_with_identity
from ..plugin.datasets import Scan, Subject
from .comparison import (
    TOTAL,
    Bounds,
    Comparison,
    compare_matched,
    compare_raw,
    plane_axes,
    regions_of,
)
from .discontinuity import measure_discontinuity
from .faithfulness import compare_segmentation
from .image_scores import ImageScores, score
from .measures import Curve, Scores
from .sidecars import Sidecar

LABELLED = "where the label map has a tissue"
NOT_ZERO = "where the output is not 0"
_LARGEST = 1e15  # intensity: squares of larger ones overflow in 32 bits


@dataclass(frozen=True)
class Task:
    """What to evaluate.

    Args:
        subject: How to call it.
        output: The volume.
        sidecar: What the JSON beside it says, if there is one.
        real: The scan to compare it with, if there is one.
        labels: The label map that it was made from, if it is known.
        segmentation: A segmentation of the output, if there is one.
        real_segmentation: The real scan segmented in the same way, if it is.
    """

    subject: str
    output: Scan
    sidecar: Sidecar | None
    real: Scan | None
    labels: Scan | None
    segmentation: Scan | None = None
    real_segmentation: Scan | None = None


@dataclass(frozen=True)
class Region:
    """Part of the mask.

    Args:
        voxels: How many there are.
        volume_ml: Their volume.
    """

    voxels: int
    volume_ml: float


@dataclass(frozen=True)
class Evaluation:
    """What was found.

    Args:
        subject: How it is called.
        files: Names and hashes of what was read: ``output``, ``real``, ``labels``, ``segmentation`` and so on.
        mask: Where the volumes are compared.
        regions: The mask as ``total``, and each tissue in it.
        bounds: By contrast, the range of intensities.
        scores: By section (`SECTIONS`) and region, what was measured.
        curves: By section and name, values along an axis of the volume; None where there is none.
        notes: What a reader of the figures should know, a sentence each.
    """

    subject: str
    files: Mapping[str, Identity]
    mask: str
    regions: Mapping[str, Region]
    bounds: Mapping[str, Bounds]
    scores: Mapping[str, Mapping[str, Scores]]
    curves: Mapping[str, Mapping[str, Curve]]
    notes: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class _Volumes:
    """The volumes of a task on the grid of the output, and what they were read from."""

    output: Volume
    real: Volume | None
    tissues: Volume | None
    segmentations: Mapping[str, Volume]
    files: Mapping[str, Identity]
    notes: tuple[str, ...]


def evaluate(task: Task) -> Evaluation:
    """Evaluate an output.

    Raises:
        OasisGanError: If something cannot be read, does not lie on the grid of the output, or is not what the sidecar
            says that it is.
        OSError: As the file system says.
    """
    volumes = _read(task)
    mask, regions = _regions(volumes, task)
    notes = list(volumes.notes)
    comparisons = _compare(volumes, regions, notes)
    images = {contrast: score(comparison) for contrast, comparison in comparisons.items()}
    scores: dict[str, Mapping[str, Scores]] = {
        contrast: compared.regions for contrast, compared in images.items()
    }
    curves: dict[str, Mapping[str, Curve]] = {
        contrast: _slice_curves(compared) for contrast, compared in images.items()
    }
    if "raw" in comparisons:
        discontinuity = measure_discontinuity(comparisons["raw"])
        scores["discontinuity"] = discontinuity.regions
        curves["discontinuity"] = discontinuity.curves
    for section, segmentation in volumes.segmentations.items():
        assert volumes.tissues is not None  # noqa: S101 - without it no segmentation is read
        compared = compare_segmentation(volumes.tissues, segmentation)
        scores[section] = compared.regions
        notes += [f"{section}: {name} is not in the label map" for name in compared.extra]
    voxel_ml = float(np.prod(volumes.output.geometry.spacing)) / 1000
    return Evaluation(
        task.subject,
        volumes.files,
        mask,
        {name: _measured(region, voxel_ml) for name, region in regions.items()},
        {contrast: comparison.bounds for contrast, comparison in comparisons.items()},
        scores,
        curves,
        tuple(notes),
    )


def _compare(
    volumes: _Volumes, regions: Mapping[str, Mask], notes: list[str]
) -> dict[str, Comparison]:
    """Return the comparisons with the real scan by contrast; why one is missing is added to the notes."""
    if volumes.real is None:
        return {}
    axes = plane_axes(volumes.output.geometry)
    real = volumes.real.voxels
    output = volumes.output.voxels
    comparisons = {"raw": compare_raw(real, output, regions, axes)}
    if volumes.tissues is None:
        notes.append("no label map: there are no figures by tissue, and contrasts are not matched")
        return comparisons
    try:
        comparisons["matched"] = compare_matched(
            real, output, volumes.tissues.voxels, regions, axes
        )
    except OasisGanError as error:
        notes.append(str(error))
    return comparisons


def _slice_curves(compared: ImageScores) -> dict[str, Curve]:
    return {f"ssim_{plane}": curve for plane, curve in compared.slices.items()}


def _measured(region: Mask, voxel_ml: float) -> Region:
    voxels = int(np.count_nonzero(region))
    return Region(voxels, voxels * voxel_ml)


def _regions(volumes: _Volumes, task: Task) -> tuple[str, dict[str, Mask]]:
    """Return what the mask is, and its regions."""
    if volumes.tissues is None:
        definition = NOT_ZERO
        regions = {TOTAL: np.asarray(volumes.output.voxels != 0)}
        where = task.output.path
        remedy = "give another output, or its label map as `labels`"
    else:
        definition = LABELLED
        regions = regions_of(volumes.tissues.voxels)
        where = task.labels.path if task.labels else task.output.path
        remedy = "give another label map"
    if not regions[TOTAL].any():
        raise OasisGanError(
            where, expected="some voxels to compare", found="an empty mask", remedy=remedy
        )
    return definition, regions


def _read(task: Task) -> _Volumes:
    output, output_identity = read_with_identity(task.output, _read_image)
    files = {"output": output_identity}
    notes = [*_noted("output", output), *_check_output(task, output_identity)]
    real = None
    if task.real is not None:
        real, files["real"] = read_with_identity(task.real, _read_image)
        real = _on_grid(output, real, task.real)
        notes += _noted("real scan", real)
    tissues = None
    if task.labels is not None:
        tissues, files["labels"] = _read_tissues(task.labels, output)
        notes += [*_noted("label map", tissues), *_check_labels(task, files["labels"])]
    segmentations = {}
    for section, (role, scan) in _segmentations_of(task).items():
        if tissues is None:
            raise _nothing_to_compare_with(task)
        segmentations[section], files[role] = _read_tissues(scan, output)
        notes += _noted(role.replace("_", " "), segmentations[section])
    return _Volumes(output, real, tissues, segmentations, files, tuple(notes))


def _segmentations_of(task: Task) -> dict[str, tuple[str, Scan]]:
    """Return by section which segmentation is compared with the label map: what it is called, and where it is."""
    found = {}
    if task.segmentation is not None:
        found["faithfulness"] = ("segmentation", task.segmentation)
    if task.real_segmentation is not None:
        found["ceiling"] = ("real_segmentation", task.real_segmentation)
    return found


def _read_tissues(scan: Scan, output: Volume) -> tuple[Volume, Identity]:
    """Return the tissues of a label map on the grid of the output, and what was read."""
    volume, identity = read_with_identity(scan.in_labels(OASIS), Scan.read)
    return OASIS.clean(_on_grid(output, volume, scan), scan.path), identity


def _nothing_to_compare_with(task: Task) -> OasisGanError:
    return OasisGanError(
        task.output.path,
        expected="the label map that it was made from, to compare the segmentation with",
        found="none",
        remedy="name it with `labels`",
    )


def _read_image(scan: Scan) -> Volume:
    volume = scan.read()
    largest = max(-float(volume.voxels.min()), float(volume.voxels.max()))
    if largest > _LARGEST:
        expected = f"intensities up to {_LARGEST:g}"
        raise OasisGanError(
            scan.path, expected=expected, found=f"{largest:g}", remedy="rescale the volume"
        )
    return volume


def _on_grid(output: Volume, other: Volume, scan: Scan) -> Volume:
    """Return a volume on the grid of the output; none is resampled."""
    placed, other = Subject.aligned(output, other)
    placed.geometry.require_same_grid(other.geometry, scan.path)
    return other


def _noted(role: str, volume: Volume) -> list[str]:
    return [f"{role}: {note}" for note in volume.notes if not isinstance(note, AssumptionNote)]


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
        found = "a label map that a model made"
        remedy = "give the MRI that was made from a label map"
        raise OasisGanError(task.output.path, expected="an MRI", found=found, remedy=remedy)
    if identity["sha256"] != task.sidecar.volume.sha256:
        expected = "the volume that the JSON beside it describes"
        remedy = "make it again with `overwrite`, or move the JSON away"
        raise OasisGanError(
            task.output.path, expected=expected, found="another one, by its SHA-256", remedy=remedy
        )
    return []


def _check_labels(task: Task, identity: Identity) -> list[str]:
    if task.sidecar is None or identity["sha256"] == task.sidecar.source.sha256:
        return []
    return ["by its SHA-256, the label map is not the file that the output was made from"]
