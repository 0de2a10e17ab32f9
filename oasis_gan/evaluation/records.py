"""Evaluations as rows of a table of tab-separated values, and as JSON."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from ..errors import printable
from ..image.intensity import ANCHORS
from .comparison import RANGE_PERCENTILES
from .evaluating import Evaluation
from .image_scores import BINS, ImageScores
from .libraries import versions
from .measures import IMAGE_MEASURES, Scores, Undefined, Value, json_value, tsv_value
from .similarity import SCALE_WEIGHTS, WINDOW

SCHEMA = "oasis-gan/evaluation/1"
"""What the JSON says of its form; it changes when a field changes its meaning."""
CONTRASTS = ("raw", "matched")
"""As intensities are stored, and with the contrasts of the two volumes matched."""
_DIGITS = 7


def tsv_header() -> str:
    """Return the names of the columns."""
    measures = [f"{contrast}_{measure.key}" for contrast in CONTRASTS for measure in IMAGE_MEASURES]
    return "\t".join(["subject", "tissue", "voxels", "volume_ml", *measures])


def tsv_rows(evaluation: Evaluation) -> Iterator[str]:
    """Yield a row for the whole mask and for each tissue."""
    for name, region in evaluation.regions.items():
        cells = [
            printable(evaluation.subject),
            name,
            str(region.voxels),
            f"{region.volume_ml:.{_DIGITS}g}",
        ]
        for contrast in CONTRASTS:
            images = evaluation.images.get(contrast)
            scores: Scores = images.regions[name] if images else {}
            cells += [
                tsv_value(scores[measure.key]) if scores else "n/a" for measure in IMAGE_MEASURES
            ]
        yield "\t".join(cells)


def describe_undefined(evaluation: Evaluation) -> Iterator[str]:
    """Yield a sentence for each reason why figures are missing or infinite."""
    for contrast, images in evaluation.images.items():
        found: dict[str, tuple[list[str], list[str]]] = {}
        for region, scores in images.regions.items():
            for measure in IMAGE_MEASURES:
                reason = _reason(scores[measure.key])
                if reason:
                    regions, titles = found.setdefault(reason, ([], []))
                    regions.append(region)
                    titles.append(measure.title)
        for reason, (regions, titles) in found.items():
            named = " and ".join(dict.fromkeys(regions))
            yield f"{contrast}, {named}: {reason} ({', '.join(dict.fromkeys(titles))})"


def _reason(value: Value) -> str:
    """Return why a figure is missing or infinite; empty if it is neither."""
    if isinstance(value, Undefined):
        return f"not defined, {value}"
    return "infinite, the two volumes are equal there" if math.isinf(value) else ""


def json_document(subjects: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the records of subjects with what a reader has to know of all of them."""
    return {
        "schema": SCHEMA,
        "versions": versions(),
        "settings": {
            "ssim_window": WINDOW,
            "ms_ssim_weights": SCALE_WEIGHTS,
            "histogram_bins": BINS,
            "raw_range_percentiles": RANGE_PERCENTILES,
            "matched_anchors": list(ANCHORS.values()),
        },
        "subjects": list(subjects),
    }


def json_record(evaluation: Evaluation) -> dict[str, Any]:
    """Return all that was found about an output."""
    return {
        "subject": printable(evaluation.subject),
        "status": "done",
        "files": evaluation.files,
        "mask": evaluation.mask,
        "range": {contrast: _rounded(bounds) for contrast, bounds in evaluation.bounds.items()},
        "tissues": {name: _region_record(evaluation, name) for name in evaluation.regions},
        "slices": {
            contrast: _slices_record(images) for contrast, images in evaluation.images.items()
        },
        "notes": [printable(note) for note in (*evaluation.notes, *describe_undefined(evaluation))],
    }


def json_failure(subject: str, message: str) -> dict[str, Any]:
    """Return the record of an output that could not be evaluated."""
    return {"subject": printable(subject), "status": "failed", "message": printable(message)}


def _region_record(evaluation: Evaluation, name: str) -> dict[str, Any]:
    region = evaluation.regions[name]
    record: dict[str, Any] = {"voxels": region.voxels, "volume_ml": _round(region.volume_ml)}
    for contrast, images in evaluation.images.items():
        scores = images.regions[name]
        record[contrast] = {key: _round(json_value(value)) for key, value in scores.items()}
    return record


def _slices_record(images: ImageScores) -> dict[str, Any]:
    return {f"ssim_{plane}": _rounded(curve) for plane, curve in images.slices.items()}


def _rounded(values: Iterable[float | None]) -> list[float | None]:
    return [_round(value) for value in values]


def _round(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.{_DIGITS}g}")
