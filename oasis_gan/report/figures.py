"""Draws the charts of a page as SVG, in greys and hues that read on white and on black."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib import rc_context
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

from ..evaluation.comparison import regions_of
from ..evaluation.evaluating import Evaluation
from ..evaluation.image_scores import BINS
from ..evaluation.measures import Curve
from ..evaluation.reading import Volumes
from ..image.volume import Voxels

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
    """Return the intensities of each tissue, output and real scan; None without a label map."""
    if volumes.labels is None:
        return None
    regions = regions_of(volumes.labels.tissues.voxels)
    if not regions["total"].any():
        return None
    names = [name for name in regions if name != "total"]
    bounds = evaluation.bounds.get("raw") or _range_of(volumes.output.voxels)
    with rc_context(_STYLE):
        figure = Figure(figsize=(7.6, 2.2), layout="constrained")
        axes = figure.subplots(1, len(names), squeeze=False, sharey=True)[0]
        for chart, name in zip(axes, names, strict=True):
            mask = regions[name]
            _draw_histogram(chart, volumes.output.voxels[mask], bounds, _OUTPUT, "output")
            if volumes.real is not None:
                _draw_histogram(chart, volumes.real.voxels[mask], bounds, _REAL, "real scan")
            chart.set_title(name, fontsize=9)
            chart.set_yticks([])
        axes[0].legend(frameon=False, fontsize=8)
        return _as_svg(figure)


def draw_curves(curves: Mapping[str, Curve], reference: str) -> bytes | None:
    """Return a chart of the steps from slice to slice along each axis; None if there are none.

    Args:
        curves: A value for each slice, by the direction across the slices.
        reference: What a value of 1 is like.
    """
    drawn = {name: curve for name, curve in curves.items() if any(v is not None for v in curve)}
    if not drawn:
        return None
    with rc_context(_STYLE):
        figure = Figure(figsize=(7.6, 2.2), layout="constrained")
        axes = figure.subplots(1, len(drawn), squeeze=False, sharey=True)[0]
        for chart, (name, curve) in zip(axes, drawn.items(), strict=True):
            values = [np.nan if value is None else value for value in curve]
            chart.axhline(1, color=_GREY, linewidth=0.8, linestyle=":")
            chart.plot(values, color=_OUTPUT, linewidth=1.2)
            chart.set_title(name.replace("_", "-"), fontsize=9)
            chart.set_xlabel("slice")
        axes[0].set_ylabel(f"1: as {reference}")
        return _as_svg(figure)


def _draw_histogram(
    chart: Axes, values: Voxels, bounds: Sequence[float], colour: str, label: str
) -> None:
    low, high = bounds
    if high <= low:
        high = low + 1
    counts, edges = np.histogram(np.clip(values, low, high), BINS, (low, high))
    chart.stairs(counts / max(1, values.size), edges, color=colour, label=label)


def _range_of(voxels: Voxels) -> tuple[float, float]:
    return float(voxels.min()), float(voxels.max())


def _as_svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    FigureCanvasSVG(figure)
    figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None})
    return stream.getvalue()
