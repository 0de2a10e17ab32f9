"""Report an output: make its page, and its row in the index of a cohort."""

from __future__ import annotations

import base64
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any
from urllib.parse import quote

from ..errors import printable
from ..evaluation.comparison import TOTAL
from ..evaluation.evaluating import Evaluation
from ..evaluation.measures import SECTIONS, Measure, Section, Undefined
from ..evaluation.reading import Volumes
from ..evaluation.records import describe_undefined
from ..image.volume import Voxels
from ..io.endings import sidecar_of
from ..io.files import read_small, write_atomically
from .figures import draw_curves, draw_histograms
from .layers import Layer, find_shown_box, make_layers
from .mosaic import TISSUE_COLOURS, Row, as_webp, draw_mosaic, make_image_row, make_label_row
from .rendering import render_index, render_subject

INDEX = "index.html"
ARTEFACTS = (
    "slices stand out",
    "checkerboard",
    "blurred",
    "wrong anatomy",
    "wrong contrast",
    "lesion lost or invented",
    "edge of the brain",
)
"""What a rater may tick."""
_HEADLINE = (
    ("matched", "psnr", "PSNR (dB), contrasts matched"),
    ("matched", "ssim", "SSIM, contrasts matched"),
    ("faithfulness", "dice", "Dice, segmented again"),
    ("faithfulness", "volume_bias_percent", "volume bias (%)"),
    ("discontinuity", "worst_inferior_superior", "worst step, inferior-superior"),
    ("continuity", "worst_inferior_superior", "worst step, inferior-superior"),
)
_CURVES = {"discontinuity": "in the real scan", "continuity": "in the smoothed label map"}
_DIFFERENCE_COLORMAP = {
    "R": [90, 30, 15, 0, 0, 70, 200, 255],
    "G": [190, 80, 40, 0, 0, 20, 60, 200],
    "B": [255, 190, 95, 0, 0, 14, 40, 110],
    "A": [255, 255, 255, 0, 0, 255, 255, 255],
    "I": [0, 64, 112, 113, 142, 143, 191, 255],
}
"""Blue where an output is darker than the real scan, red where brighter, clear where they agree.

They agree up to the smallest step around zero: an opaque background would hide the head in 3-D.
"""
_MOST_PROVENANCE = 2**20


@dataclass(frozen=True)
class IndexRow:
    """An output that has a row in the index of a cohort.

    Args:
        subject: How it is called.
        link: Its page, relative to the index; empty if there is none.
        figures: The most telling figures by title.
        notes: How many warnings its page has.
        message: Why it has no page.
    """

    subject: str
    link: str = ""
    figures: Mapping[str, str] = field(default_factory=dict)
    notes: int = 0
    message: str = ""


def page_of(output: Path) -> Path:
    """Return the name of the page of an output, beside it."""
    return sidecar_of(output).with_suffix(".html")


def write_page(
    output: Path, volumes: Volumes, evaluation: Evaluation, uncertainty: Voxels | None = None
) -> Path:
    """Write the page of an output beside it, and return its path.

    Args:
        output: The file of the output.
        volumes: What was evaluated.
        evaluation: What was found.
        uncertainty: The map beside the output, on its grid.

    Raises:
        OSError: If the page cannot be written; nothing is left under its name.
    """
    box = find_shown_box(volumes)
    subject = printable(evaluation.subject)
    mosaic = draw_mosaic(make_mosaic_rows(volumes), volumes.output.geometry, box, subject)
    layers = make_layers(volumes, box, uncertainty)
    page = render_subject(
        subject=subject,
        file=printable(output.name),
        headline=[
            {"title": title, "value": value} for title, value in choose_headline(evaluation).items()
        ],
        notes=_list_notes(evaluation),
        mosaic=_encode_base64(as_webp(mosaic)),
        mosaic_size=mosaic.size,
        layers=layers,
        charts=list(_draw_charts(volumes, evaluation)),
        tables=list(_make_tables(evaluation)),
        artefacts=ARTEFACTS,
        provenance={"tool": version("oasis-gan"), "text": _read_provenance(output, evaluation)},
        facts=_collect_page_data(output, evaluation, layers),
    )
    path = page_of(output)
    write_atomically(path, page.encode("utf-8"))
    return path


def write_index(folder: Path, rows: Sequence[IndexRow]) -> Path:
    """Write the index of a cohort, and return its path.

    Raises:
        OSError: If it cannot be written; nothing is left under its name.
    """
    titles = list(dict.fromkeys(title for row in rows for title in row.figures))
    path = folder / INDEX
    write_atomically(path, render_index(rows=rows, titles=titles).encode("utf-8"))
    return path


def make_index_row(folder: Path, page: Path, evaluation: Evaluation) -> IndexRow:
    """Return the row of an output in the index that lies in a folder."""
    relative = os.path.relpath(page, folder)
    return IndexRow(
        subject=printable(evaluation.subject),
        link=quote(os.fsencode(relative)),
        figures=choose_headline(evaluation),
        notes=len(_list_notes(evaluation)),
    )


def choose_headline(evaluation: Evaluation) -> dict[str, str]:
    """Return the most telling figures of a whole head by title, as far as they are known."""
    found: dict[str, str] = {}
    for key, measure, title in _HEADLINE:
        scores = evaluation.scores.get(key, {}).get(TOTAL)
        if scores is None or isinstance(scores[measure], Undefined):
            continue
        found[title] = _find_measure(key, measure).format(scores[measure])
    return found


def _find_measure(section: str, key: str) -> Measure:
    """Return a measure of a section."""
    return next(
        measure
        for found in SECTIONS
        for measure in found.measures
        if (found.key, measure.key) == (section, key)
    )


def make_mosaic_rows(volumes: Volumes) -> list[Row]:
    """Return the rows of a mosaic: the label map, the output and the real scan, where present."""
    rows = []
    if volumes.labels is not None:
        rows.append(make_label_row("label map", volumes.labels.tissues.voxels))
    rows.append(make_image_row("output (synthetic)", volumes.output.voxels))
    if volumes.real is not None:
        rows.append(make_image_row("real scan", volumes.real.voxels))
    return rows


def _list_notes(evaluation: Evaluation) -> list[str]:
    notes = (*evaluation.notes, *describe_undefined(evaluation))
    return list(map(printable, notes))


def _draw_charts(volumes: Volumes, evaluation: Evaluation) -> Iterator[dict[str, str]]:
    histograms = draw_histograms(volumes, evaluation)
    if histograms is not None:
        yield {
            "title": "Intensities by tissue",
            "help": "How intensities are distributed in each tissue of the label map, "
            "as they are stored.",
            "svg": _encode_base64(histograms),
        }
    for section, reference in _CURVES.items():
        curves = draw_curves(evaluation.curves.get(section, {}), reference)
        if curves is not None:
            yield {
                "title": "Slices that stand out",
                "help": f"Steps from each slice to the next, where 1 is as {reference}. "
                "A peak is a slice that stands out.",
                "svg": _encode_base64(curves),
            }


def _make_tables(evaluation: Evaluation) -> Iterator[dict[str, Any]]:
    for section in SECTIONS:
        regions = evaluation.scores.get(section.key)
        if regions:
            yield {
                "title": f"{section.title[0].upper()}{section.title[1:]}",
                "columns": list(regions),
                "rows": _make_table_rows(section, regions),
            }


def _make_table_rows(
    section: Section, regions: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    return [
        {
            "title": measure.title,
            "cells": [measure.format(scores[measure.key]) for scores in regions.values()],
        }
        for measure in section.measures
    ]


def _read_provenance(output: Path, evaluation: Evaluation) -> str:
    """Return the sidecar as it is, or the hashes of the files where there is none."""
    try:
        content = json.loads(read_small(sidecar_of(output), _MOST_PROVENANCE))
    except (OSError, ValueError):
        content = {"files": dict(evaluation.files)}
    # In ASCII, so that no control character of a name is left.
    return json.dumps(content, indent=1)


def _collect_page_data(
    output: Path, evaluation: Evaluation, layers: Sequence[Layer]
) -> dict[str, Any]:
    """Return what the script of a page has to know."""
    return {
        "subject": printable(evaluation.subject),
        "file": printable(sidecar_of(output).stem),
        "sha256": evaluation.files["output"]["sha256"],
        "tool": f"oasis-gan {version('oasis-gan')}",
        "layers": [{"key": layer.key, "low": layer.low, "high": layer.high} for layer in layers],
        "tissues": _make_tissue_colormap(),
        "difference": _DIFFERENCE_COLORMAP,
    }


def _make_tissue_colormap() -> dict[str, list[Any]]:
    """Return the colours of tissues as NiiVue takes them."""
    red, green, blue = (list(channel) for channel in zip(*TISSUE_COLOURS, strict=True))
    return {
        "R": red,
        "G": green,
        "B": blue,
        "A": [0, 255, 255, 255],
        "I": [0, 1, 2, 3],
        "labels": ["background", "CSF", "GM", "WM"],
    }


def _encode_base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
