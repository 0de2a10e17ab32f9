"""Draw a training: losses as curves, and slices side by side.

The layout is that of TensorFlow's pix2pix tutorial.

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
"""The curves of one panel, ``training`` and ``validation``: the steps and the finite values."""

TISSUES = (
    (64, 104, 160),
    (142, 148, 156),
    (240, 234, 222),
)
"""The colours of CSF, GM and WM, the three labels of a tissue map."""
_DPI = 100

# The panels of curves, in pixels.
_PANELS_PER_ROW = 2
_PANEL_WIDTH = 600
_PANEL_HEIGHT = 340
_MARGIN_LEFT = 70
_MARGIN_RIGHT = 15
_MARGIN_BELOW = 50
_MARGIN_ABOVE = 35

# The grid of slices, in pixels.
_TILE = 400  # the longer side of a slice
CAPTION_HEIGHT = 40
"""The height of the captions above the columns of slices, in pixels."""
_GAP = 8

_MOST_POINTS = 100  # a longer curve is smoothed
_SMOOTHED_SHARE = 0.03  # of its points
_LOGARITHMIC_RATIO = 10.0  # of the largest to the smallest value, from which a scale is logarithmic
_DECADES_RATIO = 1000.0  # from which only powers of ten are labelled
_COLOURS = {"training": "tab:blue", "validation": "tab:red"}

# Its messages about font caches and its own folders do not concern the user of a training.
logging.getLogger("matplotlib").setLevel(logging.ERROR)


def draw_curves(panels: Mapping[str, Curves], marks: Sequence[int] = ()) -> bytes:
    """Return a PNG, 1200 pixels wide, with one panel for each loss.

    Args:
        panels: The curves of each loss by name.
        marks: Steps to mark with a dotted line.
    """
    rows = -(-len(panels) // _PANELS_PER_ROW)
    figure = _PixelFigure(_PANEL_WIDTH * _PANELS_PER_ROW, _PANEL_HEIGHT * rows)
    for place, (title, panel) in enumerate(panels.items()):
        axes = figure.add_panel(place)
        draw_panel(axes, title, panel)
        for mark in marks:
            axes.axvline(mark, color="grey", linestyle=":", linewidth=1)
    return figure.to_png()


def draw_comparison_grid(columns: Sequence[tuple[str, Slices]]) -> bytes:
    """Return a PNG with one row for each slice and a caption above each column.

    Slices are drawn with anterior or superior up.

    Args:
        columns: The caption and the slices of each column. Slices are (n, rows, columns, channels)
            in [0, 1], with rows and columns along the in-plane axes in the order R, A, S. A single
            channel is drawn in greys. Several channels are the labels of a label map and are drawn
            in colours.
    """
    pictures = []
    for caption, slices in columns:
        coloured = colour_channels(slices)
        pictures.append((caption, _turn_upright(coloured)))
    _, first_column = pictures[0]
    count, rows, row_length, _ = first_column.shape
    scale = max(1, _TILE // max(rows, row_length))
    height = rows * scale
    width = row_length * scale
    figure = _PixelFigure(
        width=_GAP + (width + _GAP) * len(pictures),
        height=CAPTION_HEIGHT + (height + _GAP) * count,
    )
    for column, (caption, images) in enumerate(pictures):
        left = _GAP + (width + _GAP) * column
        figure.add_text(left + width / 2, CAPTION_HEIGHT / 2, caption)
        for row, image in enumerate(images):
            top = CAPTION_HEIGHT + (height + _GAP) * row
            figure.add_picture(image, left, top, width, height)
    return figure.to_png()


class _PixelFigure:
    """A figure measured in pixels from its upper left corner, and unknown to pyplot."""

    def __init__(self, width: float, height: float) -> None:
        self._width = width
        self._height = height
        self._figure = Figure((width / _DPI, height / _DPI), dpi=_DPI)

    def add_axes(
        self,
        left: float,
        top: float,
        width: float,
        height: float,
    ) -> Axes:
        """Return axes that fill a rectangle."""
        bottom = top + height
        # Matplotlib takes fractions of the figure, and measures from its lower edge.
        rectangle = (
            left / self._width,
            1 - bottom / self._height,
            width / self._width,
            height / self._height,
        )
        return self._figure.add_axes(rectangle)

    def add_picture(
        self,
        image: Slices,
        left: float,
        top: float,
        width: float,
        height: float,
    ) -> None:
        """Draw an image that fills a rectangle, without smoothing."""
        axes = self.add_axes(left, top, width, height)
        axes.set_axis_off()
        axes.imshow(
            image,
            aspect="auto",
            interpolation="nearest",
        )

    def add_panel(self, place: int) -> Axes:
        """Return the axes of a panel of curves, with margins for titles and numbers."""
        row, column = divmod(place, _PANELS_PER_ROW)
        return self.add_axes(
            left=_PANEL_WIDTH * column + _MARGIN_LEFT,
            top=_PANEL_HEIGHT * row + _MARGIN_ABOVE,
            width=_PANEL_WIDTH - _MARGIN_LEFT - _MARGIN_RIGHT,
            height=_PANEL_HEIGHT - _MARGIN_BELOW - _MARGIN_ABOVE,
        )

    def add_text(self, x: float, y: float, text: str) -> None:
        """Write a caption centred on a point."""
        self._figure.text(
            x / self._width,
            1 - y / self._height,
            text,
            ha="center",
            va="center",
            size=14,
        )

    def to_png(self) -> bytes:
        """Return the figure as a PNG file."""
        file = BytesIO()
        self._figure.savefig(file, format="png", dpi=_DPI)
        return file.getvalue()


def draw_panel(axes: Axes, title: str, panel: Curves) -> None:
    """Draw the curves of a loss, with a running mean over those that have many points."""
    curves = []
    for name, (steps, values) in panel.items():
        colour = _COLOURS[name]
        curve = values
        marker = "."
        if len(steps) > _MOST_POINTS:
            axes.plot(
                steps,
                values,
                color=colour,
                alpha=0.25,
                linewidth=0.8,
            )
            curve = compute_running_mean(values)
            marker = ""
        axes.plot(
            steps,
            curve,
            color=colour,
            marker=marker,
            label=name,
        )
        curves.append(curve)
    if all((values > 0).all() for _, values in panel.values()):
        _choose_scale(axes, np.concatenate(curves))
    _label_axes(axes, title)


def _label_axes(axes: Axes, title: str) -> None:
    """Add the title, the legend and round numbers of steps to a panel."""
    axes.xaxis.set_major_locator(MaxNLocator(6, integer=True))
    axes.set_title(title)
    axes.set_xlabel("step")
    axes.grid(alpha=0.3)
    axes.spines[["top", "right"]].set_visible(False)
    axes.legend(frameon=False)


def _choose_scale(axes: Axes, values: Values) -> None:
    """Use a logarithmic scale where the largest value is many times the smallest."""
    ratio = values.max() / values.min()
    if ratio < _LOGARITHMIC_RATIO:
        return
    labelled = (1, 2, 5) if ratio < _DECADES_RATIO else (1,)
    axes.set_yscale("log")
    axes.yaxis.set_major_locator(LogLocator(subs=labelled))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:g}"))
    axes.yaxis.set_minor_formatter(NullFormatter())


def compute_running_mean(values: Values) -> Values:
    """Return the mean of each value and its neighbours, with fewer neighbours at the ends."""
    count = len(values)
    reach = max(1, round(count * _SMOOTHED_SHARE / 2))
    sums = np.concatenate([[0.0], np.cumsum(values)])
    places = np.arange(count)
    first = np.maximum(places - reach, 0)
    end = np.minimum(places + reach + 1, count)
    smoothed_sums = sums[end] - sums[first]
    return np.asarray(smoothed_sums / (end - first))


def colour_channels(slices: Slices) -> Slices:
    """Return slices (n, rows, columns, channels) as RGB in [0, 1].

    Background is black, and a mixture of labels has a mixture of their colours.
    """
    palette = _choose_palette(slices.shape[-1])
    mixed = slices @ palette.astype(np.float32)
    return mixed.clip(0, 1)


def _choose_palette(channels: int) -> Values:
    """Return the colour of each channel, (channels, 3)."""
    if channels == 1:
        return np.ones((1, 3))
    if channels == len(TISSUES):
        return np.array(TISSUES) / 255
    # The ends of the colour map are too dark to see on black.
    positions = np.linspace(0.08, 0.92, channels)
    colours = colormaps["turbo"](positions)
    return np.asarray(colours[:, :3])


def _turn_upright(slices: Slices) -> Slices:
    """Return slices as pictures, with right or anterior to the right and superior or anterior up.

    The rows of a slice become the columns of the picture, and the columns of a slice become its
    rows, from below.
    """
    return slices.swapaxes(1, 2)[:, ::-1]
