"""Fitting slices onto the canvas a model was trained on, and bringing what it makes back, as linear maps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import SlicesTooLargeError
from .volume import Channels, Mask, Voxels

Weights = NDArray[np.float32]

_REACH = 2  # pixels, of the wider kernel
MAX_PIXELS = 2**19
"""Of a canvas, 724 x 724 for example. A batch of 8 slices then takes 16 MiB a channel; the default model takes 2 GB."""
MAX_WEIGHTS = 2**23
"""Of the matrix of one axis: 64 MiB while it is computed, in a few copies."""
SAME_SPACING = 0.01
"""Spacings that differ by less than this fraction are taken as equal: voxels are moved whole, never blended."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """The in-plane grid a model sees: its spacing, and sizes it can take.

    Args:
        spacing: Between pixel centres, mm; the same for rows and columns.
        size: The smallest number of rows and columns.
        multiple: Rows and columns are a multiple of this (two to the number of a U-Net's levels).
    """

    spacing: float
    size: int
    multiple: int

    def round_up(self, needed: int) -> int:
        """Return the length of the shortest allowed axis that holds ``needed`` pixels."""
        return math.ceil(max(needed, self.size) / self.multiple) * self.multiple


@dataclass(frozen=True, eq=False)
class CanvasTransform:
    """Crop to the object, resample and pad in one linear map for each axis, and the map that brings it back.

    Along one axis a map is a matrix of weights, so that slices (n, rows, columns, channels) become
    ``forward[0] @ rows`` and ``forward[1] @ columns``.
    At equal spacing every row of a matrix has a single 1: pixels are
    moved, not changed. Otherwise the weights are those of linear interpolation there, which keeps shares of tissues
    within 0 and 1, and those of cubic convolution back, which keeps edges. Where pixels are made more than twice as
    large the weights reach as far as the larger pixel does, so that it is a mean of what lies in it. Reaching further
    would blur.
    """

    forward: tuple[Weights, Weights]
    inverse: tuple[Weights, Weights]

    @classmethod
    def from_support(
        cls, support: Mask, spacing: tuple[float, float], canvas: Canvas, where: object = "slices"
    ) -> CanvasTransform:
        """Fit a stack onto ``canvas``, what is ``support`` (slices, rows, columns) in its middle.

        Args:
            support: Where there is something to translate in any of the slices.
            spacing: Of rows and columns, mm.
            canvas: Where it has to go.
            where: What to call the stack in an error.

        Raises:
            OasisGanError: If the canvas would be larger than memory should bear; nothing is allocated then.
        """
        rows, columns = axes = _fit_axes(support, spacing, canvas)
        _require_room(axes, canvas, where)
        there = rows.weights_there(), columns.weights_there()
        back = rows.weights_back(), columns.weights_back()
        return cls(there, back)

    def shift(self, offset: tuple[int, int]) -> CanvasTransform:
        """Return a fit that lays slices this many pixels further along the rows and columns of the canvas."""
        rows, columns = (
            (_shifted(there, by), _shifted(back.T, by).T)
            for there, back, by in zip(self.forward, self.inverse, offset, strict=True)
        )
        return CanvasTransform((rows[0], columns[0]), (rows[1], columns[1]))

    def apply(self, slices: Channels) -> Channels:
        """Return (n, canvas rows, canvas columns, channels) for slices (n, rows, columns, channels)."""
        return _along_both(slices, self.forward)

    def mask_on_canvas(self, support: Mask) -> Mask:
        """Return the pixels of the canvas that `apply_inverse` makes ``support`` of: (n, canvas rows, canvas columns).

        Args:
            support: Pixels (n, rows, columns).
        """
        rows, columns = (np.asarray(back.T != 0, np.float32) for back in self.inverse)
        return _along_both(support[..., np.newaxis].astype(np.float32), (rows, columns))[..., 0] > 0

    def apply_inverse(self, slices: Channels) -> Channels:
        """Return (n, rows, columns, channels) for slices on the canvas; outside the canvas all is 0.

        Cubic convolution swings beyond an edge: what is beyond all the slice holds is cut off.
        """
        low, high = (extreme(slices, axis=(1, 2), keepdims=True) for extreme in (np.min, np.max))
        return np.clip(_along_both(slices, self.inverse), np.minimum(low, 0), np.maximum(high, 0))


@dataclass(frozen=True)
class _AxisFit:
    """How one axis is laid on a canvas.

    Args:
        size: Pixels of the slice.
        pixels: Pixels of the canvas.
        ratio: Spacing of the slice over that of the canvas.
        middle: The pixel of the slice that lies in the middle of the canvas.
        occupied: Pixels of the slice from the first to the last with something in it.
    """

    size: int
    pixels: int
    ratio: float
    middle: float
    occupied: int

    @classmethod
    def around(cls, occupied: NDArray[np.bool_], spacing: float, canvas: Canvas) -> _AxisFit:
        """Lay what is occupied in the middle of the canvas."""
        inside = np.flatnonzero(occupied)
        first, last = (int(inside[0]), int(inside[-1])) if inside.size else (0, 0)
        ratio = spacing / canvas.spacing
        if abs(ratio - 1) < SAME_SPACING:
            ratio = 1.0
        pixels = canvas.round_up(math.ceil((last - first + 1) * ratio))
        middle = (first + last) / 2
        if ratio == 1:
            # Both middles must be whole or both halves, or every pixel would be blended of two.
            middle += ((pixels - 1) / 2 - middle) % 1
        return cls(len(occupied), pixels, ratio, middle, last - first + 1)

    def weights_there(self) -> Weights:
        """Return the matrix (canvas pixels, slice pixels)."""
        positions = (np.arange(self.pixels) - (self.pixels - 1) / 2) / self.ratio + self.middle
        return make_interpolation_matrix(positions, self.size, widen=max(1.0, 0.5 / self.ratio))

    def weights_back(self) -> Weights:
        """Return the matrix (slice pixels, canvas pixels)."""
        positions = (np.arange(self.size) - self.middle) * self.ratio + (self.pixels - 1) / 2
        return _cubic_weights(positions, self.pixels, widen=max(1.0, self.ratio / 2))


def _fit_axes(
    support: Mask, spacing: tuple[float, float], canvas: Canvas
) -> tuple[_AxisFit, _AxisFit]:
    rows = np.asarray(support.any(axis=(0, 2)))
    columns = np.asarray(support.any(axis=(0, 1)))
    return _AxisFit.around(rows, spacing[0], canvas), _AxisFit.around(columns, spacing[1], canvas)


def require_room(
    support: Mask, spacing: tuple[float, float], canvas: Canvas, where: object
) -> None:
    """Raise `OasisGanError` if a stack needs a canvas that is too large.

    The arguments are those of `CanvasTransform.from_support`.
    """
    _require_room(_fit_axes(support, spacing, canvas), canvas, where)


def _require_room(axes: tuple[_AxisFit, _AxisFit], canvas: Canvas, where: object) -> None:
    rows, columns = axes
    if (
        rows.pixels * columns.pixels <= MAX_PIXELS
        and max(axis.pixels * axis.size for axis in axes) <= MAX_WEIGHTS
    ):
        return
    lengths = " x ".join(f"{axis.occupied * axis.ratio * canvas.spacing:.4g}" for axis in axes)
    voxels = " x ".join(str(axis.occupied) for axis in axes)
    found = f"{lengths} mm, {voxels} voxels"
    raise SlicesTooLargeError(where, MAX_PIXELS, canvas.spacing, found)


def make_interpolation_matrix(
    positions: NDArray[np.floating[Any]], pixels: int, widen: float = 1.0
) -> Weights:
    """Return the matrix (positions, pixels) that samples an axis at ``positions``, given in pixels.

    A triangle of half-width ``widen`` pixels weighs the neighbours: linear interpolation at 1, an anti-aliased mean
    above. Outside the axis all is 0.
    """
    return _weights(_triangle, positions, pixels, widen)


def _cubic_weights(positions: NDArray[np.floating[Any]], pixels: int, widen: float) -> Weights:
    """Return the matrix of cubic convolution (Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711, a = -1/2)."""
    return _weights(_keys, positions, pixels, widen)


def _weights(
    kernel: Callable[[NDArray[np.floating[Any]]], NDArray[np.floating[Any]]],
    positions: NDArray[np.floating[Any]],
    pixels: int,
    widen: float,
) -> Weights:
    weights = kernel(np.abs(positions[:, np.newaxis] - np.arange(pixels)) / widen)
    # The kernel's sum over an unbounded axis: dividing by it keeps a constant constant and the outside 0.
    reach = np.arange(-math.ceil(_REACH * widen) - 1, math.ceil(_REACH * widen) + 2)
    unbounded = kernel(np.abs((positions % 1)[:, np.newaxis] - reach) / widen).sum(
        axis=1, keepdims=True
    )
    return np.asarray(weights / unbounded, np.float32)


def _triangle(distance: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    return np.asarray(np.maximum(0, 1 - distance))


def _keys(distance: NDArray[np.floating[Any]]) -> NDArray[np.floating[Any]]:
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    return np.where(distance < 1, near, np.where(distance < _REACH, far, 0))


def _shifted(weights: Weights, by: int) -> Weights:
    """Move the rows of a matrix down by ``by``; what leaves at one end is lost, 0 enters at the other."""
    moved = np.zeros_like(weights)
    moved[max(by, 0) : len(weights) + min(by, 0)] = weights[max(-by, 0) : len(weights) - max(by, 0)]
    return moved


def _along_both(slices: Voxels, maps: tuple[Weights, Weights]) -> Channels:
    if all(_moves_whole(weights) for weights in maps):
        return _moved_whole(slices, maps)
    rows, columns = maps
    n, _, width, channels = slices.shape
    by_rows = np.matmul(rows, slices.reshape(n, slices.shape[1], width * channels)).reshape(
        n, -1, width, channels
    )
    return np.asarray(np.matmul(columns, by_rows))


def _moves_whole(weights: Weights) -> bool:
    """Whether every row of a matrix takes one pixel as it is, or none."""
    return bool(((weights == 0) | (weights == 1)).all() and (weights.sum(axis=1) <= 1).all())


def _moved_whole(slices: Voxels, maps: tuple[Weights, Weights]) -> Channels:
    """Return what the products with the matrices would, in a tenth of the time."""
    moved = slices
    for axis, weights in enumerate(maps, 1):
        moved = moved.take(weights.argmax(axis=1), axis)
        moved[(slice(None),) * axis + (~weights.any(axis=1),)] = 0
    return np.asarray(moved, np.float32)
