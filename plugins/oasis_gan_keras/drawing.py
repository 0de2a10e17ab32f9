"""Pictures of a training: its losses as curves, and slices side by side as in TensorFlow's pix2pix tutorial.

https://www.tensorflow.org/tutorials/generative/pix2pix
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from io import BytesIO

import numpy as np
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import LogLocator, MaxNLocator, NullFormatter, StrMethodFormatter
from numpy.typing import NDArray

Values = NDArray[np.float64]
Slices = NDArray[np.float32]
Curves = Mapping[str, tuple[Values, Values]]
"""Steps and values of the curves of a panel, ``training`` or ``validation`` or both, all of them finite."""

TISSUES = ((64, 104, 160), (142, 148, 156), (240, 234, 222))
"""Colours of CSF, GM and WM, the three labels of a tissue map."""
_DPI = 100
_PANEL, _MARGIN, _PANELS_A_ROW = (
    (600, 340),
    (70, 15, 50, 35),
    2,
)  # pixels; margins left, right, below, above
_TILE, _BAND, _GAP = 400, 40, 8  # pixels; of a slice its longer side
_SMOOTHED, _SHARE = (
    100,
    0.03,
)  # a curve of more points is shown with its mean over this share of them
_LOGARITHMIC, _DECADES = 10.0, 1000.0  # how many times the smallest value the largest is, at least
_COLOURS = {"training": "tab:blue", "validation": "tab:red"}

# Its remarks on font caches and folders of its own are not for the user of a training.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def curves(panels: Mapping[str, Curves], marks: Sequence[int] = ()) -> bytes:
    """Return a PNG 1200 pixels wide with a panel for each loss.

    Args:
        panels: By the name of the loss.
        marks: Steps at which a dotted line is drawn.
    """
    width, height = _PANEL
    left, right, below, above = _MARGIN
    figure = _Sheet(width * _PANELS_A_ROW, height * -(-len(panels) // _PANELS_A_ROW))
    for place, (title, panel) in enumerate(panels.items()):
        row, column = divmod(place, _PANELS_A_ROW)
        axes = figure.axes(
            width * column + left,
            height * row + above,
            width - left - right,
            height - below - above,
        )
        _draw_panel(axes, title, panel)
        for mark in marks:
            axes.axvline(mark, color="grey", linestyle=":", linewidth=1)
    return figure.png()


def sheet(columns: Sequence[tuple[str, Slices]]) -> bytes:
    """Return a PNG with a row for each slice, captions above the columns, anterior or superior up.

    Args:
        columns: Captions, and slices (n, rows, columns, channels) in [0, 1], rows and columns along the in-plane axes
            in the order R, A, S. One channel is shown in greys; several are the labels of a label map, and are shown
            in colours.
    """
    pictures = [(caption, _upright(_coloured(slices))) for caption, slices in columns]
    _, first = pictures[0]
    count, height, width = first.shape[:3]
    scale = max(1, _TILE // max(width, height))
    width, height = width * scale, height * scale
    figure = _Sheet(_GAP + (width + _GAP) * len(pictures), _BAND + (height + _GAP) * count)
    for column, (caption, images) in enumerate(pictures):
        left = _GAP + (width + _GAP) * column
        figure.text(left + width / 2, _BAND / 2, caption)
        for row, image in enumerate(images):
            axes = figure.axes(left, _BAND + (height + _GAP) * row, width, height)
            axes.set_axis_off()
            axes.imshow(image, aspect="auto", interpolation="nearest")
    return figure.png()


class _Sheet:
    """An empty figure, measured in pixels from its upper left corner; pyplot does not know of it."""

    def __init__(self, width: float, height: float) -> None:
        self._size = width, height
        self._figure = Figure((width / _DPI, height / _DPI), dpi=_DPI)

    def axes(self, left: float, top: float, width: float, height: float) -> Axes:
        """Return axes that fill a rectangle."""
        across, down = self._size
        return self._figure.add_axes(
            (left / across, 1 - (top + height) / down, width / across, height / down)
        )

    def text(self, x: float, y: float, text: str) -> None:
        """Write a caption around a point."""
        across, down = self._size
        self._figure.text(x / across, 1 - y / down, text, ha="center", va="center", size=14)

    def png(self) -> bytes:
        """Return it as a file."""
        packed = BytesIO()
        self._figure.savefig(packed, format="png", dpi=_DPI)
        return packed.getvalue()


def _draw_panel(axes: Axes, title: str, panel: Curves) -> None:
    smooth: list[Values] = []
    for name, (steps, values) in panel.items():
        many = len(steps) > _SMOOTHED
        if many:
            axes.plot(steps, values, color=_COLOURS[name], alpha=0.25, linewidth=0.8)
        smooth.append(_running_mean(values) if many else values)
        axes.plot(steps, smooth[-1], color=_COLOURS[name], marker="" if many else ".", label=name)
    if all((values > 0).all() for _, values in panel.values()):
        _scale(axes, float(max(map(np.max, smooth)) / min(map(np.min, smooth))))
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _scale(axes: Axes, ratio: float) -> None:
    """Choose a logarithmic scale where the largest value is many times the smallest."""
    if ratio < _LOGARITHMIC:
        return
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5) if ratio < _DECADES else (1,)))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def _running_mean(values: Values) -> Values:
    """Return the mean of each value and its neighbours, of fewer neighbours at the ends."""
    reach = max(1, round(len(values) * _SHARE / 2))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    at = np.arange(len(values))
    before, behind = np.maximum(at - reach, 0), np.minimum(at + reach + 1, len(values))
    return np.asarray((sums[behind] - sums[before]) / (behind - before))


def _coloured(slices: Slices) -> Slices:
    """Return (n, rows, columns, channels) as RGB in [0, 1]; background is black, a mixture of labels a mixed colour."""
    channels = slices.shape[-1]
    colours = np.ones((1, 3)) if channels == 1 else _palette(channels)
    return np.clip(slices @ colours.astype(np.float32), 0, 1)


def _palette(labels: int) -> Values:
    if labels == len(TISSUES):
        return np.array(TISSUES) / 255
    return np.asarray(colormaps["turbo"](np.linspace(0.08, 0.92, labels))[:, :3])


def _upright(slices: Slices) -> Slices:
    """Return slices as pictures: rows run to the right or to the front, columns upwards, a picture's rows downwards."""
    return slices.swapaxes(1, 2)[:, ::-1]
