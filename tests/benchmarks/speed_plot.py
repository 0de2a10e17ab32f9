"""Cost against size as a picture: a panel for each of batch, width, volumes and cores."""

from __future__ import annotations

from io import BytesIO

from matplotlib.figure import Figure
from speed_page import Results

_PANELS = (
    ("batch", "slices at once", "ms a slice", 1000),
    ("width", "filters", "ms a slice", 1000),
    ("volumes", "volumes in a run", "s", 1),
    ("cores", "cores", "ms a slice", 1000),
)


def plot(results: Results) -> bytes:
    """Return a PNG: medians, with bars from the fastest to the slowest round."""
    figure = Figure((12, 3.2), dpi=100, layout="tight")
    for place, (question, across, up, scale) in enumerate(_PANELS, 1):
        axes = figure.add_subplot(1, len(_PANELS), place)
        sizes = [int(name) for name in results[question]]
        measured = list(results[question].values())
        bars = [
            [scale * (of.median - of.low) for of in measured],
            [scale * (of.high - of.median) for of in measured],
        ]
        axes.errorbar(sizes, [scale * of.median for of in measured], bars, marker="o", capsize=3)
        axes.set_xscale("log", base=2)
        axes.set_xticks(sizes, [str(size) for size in sizes])
        axes.set_ylim(bottom=0)
        axes.set_xlabel(across)
        axes.set_ylabel(up)
    packed = BytesIO()
    figure.savefig(packed, format="png")
    return packed.getvalue()
