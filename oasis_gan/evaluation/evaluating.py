"""Evaluate one output: decide where it is compared, and collect what is found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import numpy as np

from ..errors import OasisGanError
from ..image.volume import Volume
from ..io.publishing import Identity
from .ceiling import find_typical_scores
from .comparison import (
    TOTAL,
    Bounds,
    Comparison,
    Regions,
    compare_matched,
    compare_raw,
    find_regions,
    plane_axes,
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
_NO_LABELS = "no label map: there are no figures by tissue, and contrasts are not matched"


@dataclass(frozen=True)
class Region:
    """A part of a head in which volumes are compared.

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
        files: Names and hashes of what was read: ``output``, ``real``, ``labels``, ``segmentation``
            and so on.
        mask: Where the volumes are compared.
        regions: The mask as ``total``, and each tissue in it.
        structures: Further regions that segmentations are compared in, as large as they are
            expected to be.
        bounds: The range of intensities, for raw and for matched contrasts.
        scores: What was measured, by section (`SECTIONS`) and region.
        curves: Values along an axis of the volume, by section and name; None where there is none.
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

    def scores_of(self, section: str) -> Mapping[str, Scores]:
        """Return the scores of a section by region; none if it was not measured."""
        return self.scores.get(section, {})


def evaluate(task: Task) -> Evaluation:
    """Evaluate an output.

    Raises:
        OasisGanError: If something cannot be read, does not lie on the grid of the output, or is
            not what the sidecar says that it is.
        OSError: If the file system fails.
    """
    return evaluate_volumes(task, read_volumes(task))


def evaluate_volumes(task: Task, volumes: Volumes) -> Evaluation:
    """Evaluate an output whose volumes have been read.

    Raises:
        OasisGanError: If there is no voxel to compare.
    """
    mask, regions = choose_mask(volumes, task)
    findings = _Findings(volumes, regions)
    comparisons = _compare_images(volumes, regions, findings.notes)
    for contrast, images in _score_all(comparisons).items():
        findings.add_images(contrast, comparisons[contrast], images)
    for section, slices in _judge_slices(volumes, comparisons, regions):
        findings.add_slices(section, slices)
    for section, compared in _compare_segmentations(volumes):
        findings.add_segmentation(section, compared)
    typical = _find_typical(volumes, task, regions)
    if typical:
        findings.scores["typical"] = typical
    return Evaluation(
        subject=task.subject,
        files=volumes.files,
        mask=mask,
        regions=findings.regions,
        structures=findings.structures,
        bounds=findings.bounds,
        scores=findings.scores,
        curves=findings.curves,
        notes=tuple(findings.notes),
    )


class _Findings:
    """Collects what is found about an output, section by section.

    Args:
        volumes: The volumes of the task.
        regions: The mask and its regions.
    """

    def __init__(self, volumes: Volumes, regions: Regions) -> None:
        spacing = volumes.output.geometry.spacing
        self._voxel_ml = float(np.prod(spacing)) / 1000
        self.regions: dict[str, Region] = {}
        for name, region in regions.items():
            voxels = int(np.count_nonzero(region))
            self.regions[name] = self._measure(voxels)
        self.structures: dict[str, Region] = {}
        self.bounds: dict[str, Bounds] = {}
        self.scores: dict[str, Mapping[str, Scores]] = {}
        self.curves: dict[str, Mapping[str, Curve]] = {}
        self.notes = list(volumes.notes)

    def add_images(self, contrast: str, comparison: Comparison, images: ImageScores) -> None:
        """Add how the output compares with the real scan, voxel by voxel."""
        self.bounds[contrast] = comparison.bounds
        self.scores[contrast] = images.regions
        slices = images.slices.items()
        self.curves[contrast] = {f"ssim_{plane}": curve for plane, curve in slices}

    def add_slices(self, section: str, slices: Discontinuity) -> None:
        """Add how well the slices of the output fit together."""
        self.scores[section] = slices.regions
        self.curves[section] = slices.curves

    def add_segmentation(self, section: str, compared: Faithfulness) -> None:
        """Add how a segmentation compares with what is expected of it."""
        self.scores[section] = compared.regions
        self.notes += [f"{section}: only the segmentation has {name}" for name in compared.extra]
        for name, voxels in compared.voxels.items():
            # A structure may have another size in another section; the first one counts.
            if name not in self.regions and name not in self.structures:
                self.structures[name] = self._measure(voxels)

    def _measure(self, voxels: int) -> Region:
        return Region(voxels, voxels * self._voxel_ml)


def _score_all(comparisons: Mapping[str, Comparison]) -> dict[str, ImageScores]:
    """Return by contrast how the output compares with the real scan."""
    # Both contrasts at once: NumPy and SciPy release the GIL.
    with ThreadPoolExecutor() as pool:
        scores = pool.map(score, comparisons.values())
        return dict(zip(comparisons, scores, strict=True))


def _judge_slices(
    volumes: Volumes,
    comparisons: Mapping[str, Comparison],
    regions: Regions,
) -> Iterator[tuple[str, Discontinuity]]:
    """Yield by section how well the slices fit together.

    They are compared with those of the real scan, or else with those of the label map.
    """
    if "raw" in comparisons:
        yield "discontinuity", measure_discontinuity(comparisons["raw"])
    elif volumes.labels is not None:
        yield "continuity", _compare_with_anatomy(volumes.output, volumes.labels, regions)


def _compare_images(
    volumes: Volumes,
    regions: Regions,
    notes: list[str],
) -> dict[str, Comparison]:
    """Return the comparisons with the real scan by contrast.

    Args:
        volumes: The volumes of the task.
        regions: Where to compare them.
        notes: Why a comparison is missing is added here.
    """
    if volumes.real is None:
        return {}
    axes = plane_axes(volumes.output.geometry)
    real = volumes.real.voxels
    output = volumes.output.voxels
    comparisons = {"raw": compare_raw(real, output, regions, axes)}
    if volumes.labels is None:
        notes.append(_NO_LABELS)
        return comparisons
    tissues = volumes.labels.tissues.voxels
    try:
        comparisons["matched"] = compare_matched(real, output, tissues, regions, axes)
    # The figures of the raw intensities are useful even then.
    except OasisGanError as error:
        notes.append(str(error))
    return comparisons


def _compare_with_anatomy(output: Volume, labels: LabelMap, regions: Regions) -> Discontinuity:
    """Compare the steps between slices with those of the label map, painted and smoothed."""
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


def _find_typical(
    volumes: Volumes,
    task: Task,
    regions: Regions,
) -> dict[str, Scores]:
    """Return what the segmenter reaches on real heads, where there is no real scan of this one."""
    if task.segmenter is None or volumes.labels is None:
        return {}
    # The ceiling of this very head tells more than the mean of others.
    if volumes.real_segmentation is not None:
        return {}
    typical = find_typical_scores(task.segmenter.name)
    return {name: scores for name, scores in typical.items() if name in regions}


def choose_mask(volumes: Volumes, task: Task) -> tuple[str, Regions]:
    """Return what the mask is, and its regions."""
    if volumes.labels is None or task.labels is None:
        # Nothing else says where the brain is.
        definition = NOT_ZERO
        regions = {TOTAL: np.asarray(volumes.output.voxels != 0)}
        where = task.output.path
    else:
        definition = LABELLED
        regions = find_regions(volumes.labels.tissues.voxels)
        where = task.labels.path
    if not regions[TOTAL].any():
        raise EmptyMaskError(where, has_labels=definition == LABELLED)
    return definition, regions
