"""Evaluating one output: where it is compared, and what is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from ..errors import OasisGanError
from ..image.volume import Mask, Volume
from ..io.publishing import Identity
from .comparison import (
    TOTAL,
    Bounds,
    Comparison,
    compare_matched,
    compare_raw,
    plane_axes,
    regions_of,
)
from .discontinuity import Discontinuity, measure_discontinuity, paint_smooth_anatomy
from .errors import EmptyMaskError
from .faithfulness import Faithfulness, compare_label_maps
from .image_scores import ImageScores, score
from .label_maps import LabelMap
from .measures import Curve, Scores
from .reading import Task, Volumes, read_volumes

LABELLED = "where the label map has a tissue"
NOT_ZERO = "where the output is not 0"


@dataclass(frozen=True)
class Region:
    """Part of a head.

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
        structures: Further regions that segmentations are compared in, as large as they are expected to be.
        bounds: By contrast, the range of intensities.
        scores: By section (`SECTIONS`) and region, what was measured.
        curves: By section and name, values along an axis of the volume; None where there is none.
        notes: What a reader of the figures should know, a sentence each.
    """

    subject: str
    files: Mapping[str, Identity]
    mask: str
    regions: Mapping[str, Region]
    structures: Mapping[str, Region]
    bounds: Mapping[str, Bounds]
    scores: Mapping[str, Mapping[str, Scores]]
    curves: Mapping[str, Mapping[str, Curve]]
    notes: tuple[str, ...]


def evaluate(task: Task) -> Evaluation:
    """Evaluate an output.

    Raises:
        OasisGanError: If something cannot be read, does not lie on the grid of the output, or is not what the sidecar
            says that it is.
        OSError: As the file system says.
    """
    volumes = read_volumes(task)
    mask, regions = _find_regions(volumes, task)
    notes = list(volumes.notes)
    comparisons = _compare_images(volumes, regions, notes)
    scores: dict[str, Mapping[str, Scores]] = {}
    curves: dict[str, Mapping[str, Curve]] = {}
    for contrast, comparison in comparisons.items():
        images = score(comparison)
        scores[contrast] = images.regions
        curves[contrast] = _name_curves(images)
    if "raw" in comparisons:
        discontinuity = measure_discontinuity(comparisons["raw"])
        scores["discontinuity"] = discontinuity.regions
        curves["discontinuity"] = discontinuity.curves
    elif volumes.labels is not None:
        continuity = _compare_with_smooth_anatomy(volumes.output, volumes.labels, regions)
        scores["continuity"] = continuity.regions
        curves["continuity"] = continuity.curves
    voxel_ml = float(np.prod(volumes.output.geometry.spacing)) / 1000
    measured = {name: _measure_region(region, voxel_ml) for name, region in regions.items()}
    structures: dict[str, Region] = {}
    for section, compared in _compare_segmentations(volumes):
        scores[section] = compared.regions
        notes += [f"{section}: only the segmentation has {name}" for name in compared.extra]
        for name, voxels in compared.voxels.items():
            if name not in measured:
                structures.setdefault(name, Region(voxels, voxels * voxel_ml))
    return Evaluation(
        subject=task.subject,
        files=volumes.files,
        mask=mask,
        regions=measured,
        structures=structures,
        bounds={contrast: comparison.bounds for contrast, comparison in comparisons.items()},
        scores=scores,
        curves=curves,
        notes=tuple(notes),
    )


def _compare_images(
    volumes: Volumes, regions: Mapping[str, Mask], notes: list[str]
) -> dict[str, Comparison]:
    """Return the comparisons with the real scan by contrast; why one is missing is added to the notes."""
    if volumes.real is None:
        return {}
    axes = plane_axes(volumes.output.geometry)
    real = volumes.real.voxels
    output = volumes.output.voxels
    comparisons = {"raw": compare_raw(real, output, regions, axes)}
    if volumes.labels is None:
        notes.append("no label map: there are no figures by tissue, and contrasts are not matched")
        return comparisons
    tissues = volumes.labels.tissues.voxels
    try:
        comparisons["matched"] = compare_matched(real, output, tissues, regions, axes)
    except OasisGanError as error:
        notes.append(str(error))
    return comparisons


def _compare_with_smooth_anatomy(
    output: Volume, labels: LabelMap, regions: Mapping[str, Mask]
) -> Discontinuity:
    """Compare the steps between the slices of an output with those of its label map, painted and smoothed."""
    anatomy = paint_smooth_anatomy(output.voxels, labels.tissues.voxels)
    axes = plane_axes(output.geometry)
    comparison = compare_raw(anatomy, output.voxels, regions, axes)
    return measure_discontinuity(comparison, "the smoothed label map")


def _compare_segmentations(volumes: Volumes) -> Iterator[tuple[str, Faithfulness]]:
    """Yield by section how a segmentation compares with what is expected of it."""
    labels = volumes.labels
    output = volumes.segmentation
    real = volumes.real_segmentation
    if labels is not None and output is not None:
        yield "faithfulness", compare_label_maps(labels, output)
    if labels is not None and real is not None:
        yield "ceiling", compare_label_maps(labels, real)
    if real is not None and output is not None:
        yield "agreement", compare_label_maps(real, output)


def _name_curves(images: ImageScores) -> dict[str, Curve]:
    return {f"ssim_{plane}": curve for plane, curve in images.slices.items()}


def _measure_region(region: Mask, voxel_ml: float) -> Region:
    voxels = int(np.count_nonzero(region))
    return Region(voxels, voxels * voxel_ml)


def _find_regions(volumes: Volumes, task: Task) -> tuple[str, dict[str, Mask]]:
    """Return what the mask is, and its regions."""
    if volumes.labels is None or task.labels is None:
        definition = NOT_ZERO
        regions = {TOTAL: np.asarray(volumes.output.voxels != 0)}
        where = task.output.path
    else:
        definition = LABELLED
        regions = regions_of(volumes.labels.tissues.voxels)
        where = task.labels.path
    if not regions[TOTAL].any():
        raise EmptyMaskError(where, has_labels=definition == LABELLED)
    return definition, regions
