"""Draw the charts of a page as SVG, in greys and hues that read on white and on black."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..evaluation.comparison import TOTAL, find_regions
from ..evaluation.evaluating import Evaluation
from ..evaluation.image_scores import BINS
from ..evaluation.measures import Curve
from ..evaluation.reading import Volumes
from ..image.volume import Voxels

_SIZE = (7.6, 2.2)  # inches
_GREY = "#868e99"
_OUTPUT = "#2f80c9"
_REAL = "#d98324"
_STYLE: Any = {
    "svg.hashsalt": "oasis-gan",
    "font.size": 9,
    "axes.edgecolor": _GREY,
    "axes.labelcolor": _GREY,
    "axes.titlecolor": _GREY,
    "xtick.color": _GREY,
    "ytick.color": _GREY,
    "text.color": _GREY,
    "axes.spines.top": False,
    "axes.spines.right": False,
}


def draw_histograms(volumes: Volumes, evaluation: Evaluation) -> bytes | None:
    """Return the intensities of each tissue in the output, and in the real scan, if there is one.

    Without a label map there is nothing to draw, and None is returned.
    """
    if volumes.labels is None:
        return None
    regions = find_regions(volumes.labels.tissues.voxels)
    mask = regions.pop(TOTAL)
    if not mask.any():
        return None
    bounds = evaluation.bounds.get("raw") or _find_range(volumes.output.voxels)
    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        charts = figure.subplots(1, len(regions), squeeze=False, sharey=True)[0]
        for chart, (name, region) in zip(charts, regions.items(), strict=True):
            _draw_histogram(chart, volumes.output.voxels[region], bounds, _OUTPUT, "output")
            if volumes.real is not None:
                _draw_histogram(chart, volumes.real.voxels[region], bounds, _REAL, "real scan")
            chart.set_title(name, fontsize=9)
            chart.set_yticks([])
        charts[0].legend(frameon=False, fontsize=8)
        return _as_svg(figure)


def draw_curves(curves: Mapping[str, Curve], reference: str) -> bytes | None:
    """Return a chart of the steps from slice to slice along each axis; None if there are none.

    Args:
        curves: A value for each slice, by the direction across the slices.
        reference: What a value of 1 is like.
    """
    known = {name: curve for name, curve in curves.items() if set(curve) - {None}}
    if not known:
        return None
    with rc_context(_STYLE):
        figure = Figure(figsize=_SIZE, layout="constrained")
        charts = figure.subplots(1, len(known), squeeze=False, sharey=True)[0]
        for chart, (name, curve) in zip(charts, known.items(), strict=True):
            _draw_curve(chart, curve, name.replace("_", "-"))
        charts[0].set_ylabel(f"1: as {reference}")
        return _as_svg(figure)


def _draw_curve(chart: Axes, curve: Curve, title: str) -> None:
    # matplotlib leaves a gap where a value is not a number.
    values = [np.nan if value is None else value for value in curve]
    chart.axhline(1, color=_GREY, linewidth=0.8, linestyle=":")
    chart.plot(values, color=_OUTPUT, linewidth=1.2)
    chart.set_title(title, fontsize=9)
    chart.set_xlabel("slice")


def _draw_histogram(
    chart: Axes, values: Voxels, bounds: Sequence[float], colour: str, label: str
) -> None:
    low, high = bounds
    if high <= low:
        high = low + 1
    # Values beyond the bounds count in the bins at the ends.
    clipped = np.clip(values, low, high)
    counts, edges = np.histogram(clipped, BINS, (low, high))
    shares = counts / max(1, values.size)
    chart.stairs(shares, edges, color=colour, label=label)


def _find_range(voxels: Voxels) -> tuple[float, float]:
    return float(voxels.min()), float(voxels.max())


def _as_svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    FigureCanvasSVG(figure)
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return stream.getvalue()
