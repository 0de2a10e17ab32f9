"""Write evaluations as rows of a table of tab-separated values, and as JSON."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..errors import printable
from ..image.intensity import ANCHORS
from .ceiling import describe_ceiling
from .cohort import CONFIDENCE, RESAMPLES, SEED, Cohort, Estimate
from .comparison import RANGE_PERCENTILES
from .discontinuity import ENOUGH, SMOOTHING
from .distance import DISTANCE_PERCENTILE
from .evaluating import Evaluation, Region
from .image_scores import BINS
from .libraries import list_versions
from .measures import (
    NOTED,
    SECTIONS,
    Scores,
    Section,
    Undefined,
    Value,
    json_value,
    tsv_value,
)
from .similarity import SCALE_WEIGHTS, WINDOW

SCHEMA = "oasis-gan/evaluation/1"
"""What the JSON says of its form; it changes when a field changes its meaning."""
_DIGITS = 7  # significant ones, as many as a float of 32 bits has
Record = dict[str, Any]


def make_tsv_header() -> str:
    """Return the names of the columns."""
    columns = ["subject", "tissue", "voxels", "volume_ml"]
    for section in SECTIONS:
        columns += section.columns
    return "\t".join(columns)


def make_tsv_rows(evaluation: Evaluation) -> Iterator[str]:
    """Yield a row for the whole mask, for each tissue and for each structure."""
    regions = {**evaluation.regions, **evaluation.structures}
    for name, region in regions.items():
        cells = [
            printable(evaluation.subject),
            name,
            str(region.voxels),
            f"{region.volume_ml:.{_DIGITS}g}",
        ]
        for section in SECTIONS:
            scores = evaluation.scores_of(section.key).get(name)
            cells += [_format_cell(scores, key) for key in section.keys]
        yield "\t".join(cells)


def _format_cell(scores: Scores | None, key: str) -> str:
    return tsv_value(scores[key]) if scores else "n/a"


def describe_undefined(evaluation: Evaluation) -> Iterator[str]:
    """Yield a sentence for each reason why figures are missing or infinite."""
    for section in SECTIONS:
        regions = evaluation.scores_of(section.key)
        for reason, gap in _find_gaps(section, regions).items():
            # In a dict, names that come again keep the place of the first.
            names = " and ".join(dict.fromkeys(gap.regions))
            titles = ", ".join(dict.fromkeys(gap.titles))
            yield f"{section.key}, {names}: {reason} ({titles})"


@dataclass(frozen=True)
class _Gap:
    """The regions and the measures that have no figure for one reason."""

    regions: list[str] = field(default_factory=list)
    titles: list[str] = field(default_factory=list)


def _find_gaps(
    section: Section,
    regions: Mapping[str, Scores],
) -> dict[str, _Gap]:
    """Return by reason which figures of a section are missing or infinite."""
    gaps: dict[str, _Gap] = defaultdict(_Gap)
    for region, scores in regions.items():
        for measure in section.measures:
            reason = _reason(scores[measure.key])
            if reason:
                gaps[reason].regions.append(region)
                gaps[reason].titles.append(measure.title)
    return gaps


def _reason(value: Value) -> str:
    """Return why a figure is missing or infinite; empty if it is neither, or a note says it."""
    if value is NOTED:
        return ""
    if isinstance(value, Undefined):
        return f"not defined, {value}"
    return "infinite, the two volumes are equal there" if math.isinf(value) else ""


def make_json_document(
    subjects: Iterable[Record],
    cohort: Cohort | None,
    segmenter: str | None = None,
) -> Record:
    """Return the records of subjects, and what a reader has to know to read them.

    Args:
        subjects: The record of each.
        cohort: The figures of all of them; None of a single subject.
        segmenter: The command or the model that segments, if there is one.
    """
    return {
        "schema": SCHEMA,
        "versions": list_versions(),
        "settings": {
            **describe_settings(),
            "segmenter": printable(segmenter) if segmenter is not None else None,
            "bootstrap": {"confidence": CONFIDENCE, "resamples": RESAMPLES, "seed": SEED},
        },
        "subjects": list(subjects),
        "cohort": _make_cohort_record(cohort) if cohort is not None else None,
    }


def describe_settings() -> Record:
    """Return the settings that decide the figures of an output."""
    return {
        "ssim_window": WINDOW,
        "ms_ssim_weights": list(SCALE_WEIGHTS),
        "histogram_bins": BINS,
        "raw_range_percentiles": list(RANGE_PERCENTILES),
        "matched_anchors": list(ANCHORS.values()),
        "worst_step_least_share": ENOUGH,
        "smooth_anatomy_voxels": SMOOTHING,
        "hausdorff_percentile": DISTANCE_PERCENTILE,
        "typical_ceiling": describe_ceiling(),
    }


def make_json_record(evaluation: Evaluation) -> Record:
    """Return all that was found about an output."""
    notes = [*evaluation.notes, *describe_undefined(evaluation)]
    ranges = evaluation.bounds.items()
    return {
        "subject": printable(evaluation.subject),
        "status": "done",
        "files": evaluation.files,
        "mask": evaluation.mask,
        "range": {contrast: _round_all(bounds) for contrast, bounds in ranges},
        "tissues": _make_region_records(evaluation, evaluation.regions),
        "structures": _make_region_records(evaluation, evaluation.structures),
        "slices": {
            section: {name: _round_all(curve) for name, curve in curves.items()}
            for section, curves in evaluation.curves.items()
        },
        "notes": [printable(note) for note in notes],
    }


def make_json_failure(subject: str, message: str) -> Record:
    """Return the record of an output that could not be evaluated."""
    return {
        "subject": printable(subject),
        "status": "failed",
        "message": printable(message),
    }


def _make_region_records(
    evaluation: Evaluation,
    regions: Mapping[str, Region],
) -> dict[str, Record]:
    records = {}
    for name, region in regions.items():
        records[name] = _make_region_record(evaluation, name, region)
    return records


def _make_region_record(evaluation: Evaluation, name: str, region: Region) -> Record:
    record: Record = {
        "voxels": region.voxels,
        "volume_ml": _round(region.volume_ml),
    }
    for section, regions in evaluation.scores.items():
        if name in regions:
            record[section] = _make_scores_record(regions[name])
    return record


def _make_scores_record(scores: Scores) -> Record:
    record = {}
    for key, value in scores.items():
        record[key] = _round(json_value(value))
    return record


def _make_cohort_record(cohort: Cohort) -> Record:
    tissues: dict[str, Record] = {}
    structures: dict[str, Record] = {}
    for section, regions in cohort.estimate_means().items():
        for region, estimates in regions.items():
            records = structures if region in cohort.structures else tissues
            record = records.setdefault(region, {})
            record[section] = {
                key: _make_estimate_record(found) for key, found in estimates.items()
            }
    return {"tissues": tissues, "structures": structures}


def _make_estimate_record(estimate: Estimate) -> Record:
    return {
        "subjects": estimate.subjects,
        "mean": _round(estimate.mean),
        "low": _round(estimate.low),
        "high": _round(estimate.high),
    }


def _round_all(values: Iterable[float | None]) -> list[float | None]:
    return [_round(value) for value in values]


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
