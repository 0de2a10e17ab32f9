"""Bring slices onto the canvas a model was trained on, and its answers back, by linear maps."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .errors import SlicesTooLargeError
from .volume import Channels, Mask, Voxels

Matrix = NDArray[np.float32]
Floats = NDArray[np.floating[Any]]
_Pair = tuple[Matrix, Matrix]
"""The matrix of the rows, and that of the columns."""
Kernel = Callable[[Floats], Floats]
"""Returns the weights of pixels at distances, in pixels."""

_PIXEL_AXES = (1, 2)  # the rows and columns of a stack
_REACH = 2  # pixels, of the wider kernel
MAX_PIXELS = 2**19
"""The most pixels of a canvas, 724 x 724 for example.

A batch of 8 slices then takes 16 MiB for each channel, and the default model takes 2 GB.
"""
MAX_MATRIX_SIZE = 2**23
"""The most elements in the matrix of an axis: 64 MiB while it is computed, in a few copies."""
SAME_SPACING = 0.01
"""Spacings that differ by less than this fraction count as equal: pixels are never blended."""


@dataclass(frozen=True, eq=False)
class Canvas:
    """The in-plane grid a model sees: its spacing, and sizes it can take.

    Args:
        spacing: Distance between pixel centres, mm; the same for rows and columns.
        size: The smallest number of rows and columns.
        multiple: Rows and columns are a multiple of this (two to the number of a U-Net's levels).
    """

    spacing: float
    size: int
    multiple: int

    def round_up(self, pixels: int) -> int:
        """Return the length of the shortest allowed axis that holds so many pixels."""
        least = max(pixels, self.size)
        return math.ceil(least / self.multiple) * self.multiple


@dataclass(frozen=True, eq=False)
class CanvasTransform:
    """A linear map that crops, resamples and pads slices to a canvas, and the map back.

    Along each axis a map is a matrix of weights, so that slices (n, rows, columns, channels)
    become ``forward[0] @ rows`` and ``forward[1] @ columns``.

    At equal spacing every row of a matrix has a single 1: pixels change their places, never their
    values. At other spacings, ``forward`` interpolates linearly, which keeps shares of tissues
    within 0 and 1, and ``inverse`` by cubic convolution, which keeps edges. If pixels become more
    than twice as large, the weights reach as far as the larger pixel does, so that it is the mean
    of what lies in it; reaching further would blur.
    """

    forward: _Pair
    inverse: _Pair

    @classmethod
    def from_mask(
        cls,
        mask: Mask,
        spacing: tuple[float, float],
        canvas: Canvas,
        where: object = "slices",
    ) -> CanvasTransform:
        """Return the transform that puts the object in a stack of slices in the middle of a canvas.

        Args:
            mask: Where any of the slices holds the object: (slices, rows, columns).
            spacing: Spacing of rows and columns, mm.
            canvas: The canvas.
            where: What to call the stack in an error.

        Raises:
            OasisGanError: If the canvas would take too much memory; nothing is allocated then.
        """
        rows, columns = _place_axes(mask, spacing, canvas, where)
        return cls(
            forward=(rows.make_forward(), columns.make_forward()),
            inverse=(rows.make_inverse(), columns.make_inverse()),
        )

    def shift(self, offset: tuple[int, int]) -> CanvasTransform:
        """Return a transform that puts slices so many pixels further along the canvas.

        Args:
            offset: Pixels along the rows and along the columns.
        """
        rows, columns = self.forward
        rows_back, columns_back = self.inverse
        by_rows, by_columns = offset
        return CanvasTransform(
            forward=(
                _shift_rows(rows, by_rows),
                _shift_rows(columns, by_columns),
            ),
            inverse=(
                _shift_rows(rows_back.T, by_rows).T,
                _shift_rows(columns_back.T, by_columns).T,
            ),
        )

    def apply(self, slices: Channels) -> Channels:
        """Return slices (n, rows, columns, channels) on the canvas.

        Returns:
            An array (n, canvas rows, canvas columns, channels).
        """
        return _multiply(slices, self.forward)

    def mask_on_canvas(self, mask: Mask) -> Mask:
        """Return the pixels of the canvas that `apply_inverse` needs for some pixels of slices.

        Args:
            mask: The pixels of the slices (n, rows, columns).

        Returns:
            A mask (n, canvas rows, canvas columns).
        """
        rows, columns = self.inverse
        used_rows = np.asarray(rows.T != 0, np.float32)
        used_columns = np.asarray(columns.T != 0, np.float32)
        one_channel = mask[..., np.newaxis]
        uses = _multiply(one_channel.astype(np.float32), (used_rows, used_columns))
        return uses[..., 0] > 0

    def apply_inverse(self, slices: Channels) -> Channels:
        """Return slices on the canvas brought back: (n, rows, columns, channels).

        Pixels that lie outside the canvas are 0. Cubic convolution overshoots at edges, so the
        result is clipped to the range of the slice.
        """
        lowest = slices.min(axis=_PIXEL_AXES, keepdims=True)
        highest = slices.max(axis=_PIXEL_AXES, keepdims=True)
        resampled = _multiply(slices, self.inverse)
        # The 0 outside the canvas belongs to the range too.
        low = np.minimum(lowest, 0)
        high = np.maximum(highest, 0)
        return np.clip(resampled, low, high)


def require_room(
    mask: Mask,
    spacing: tuple[float, float],
    canvas: Canvas,
    where: object,
) -> None:
    """Raise `OasisGanError` if a stack needs a canvas that is too large.

    The arguments are those of `CanvasTransform.from_mask`.
    """
    _place_axes(mask, spacing, canvas, where)


def make_interpolation_matrix(
    positions: Floats,
    pixels: int,
    widen: float = 1.0,
) -> Matrix:
    """Return the matrix (positions, pixels) that samples an axis at ``positions``.

    Outside the axis all is 0.

    Args:
        positions: Positions in pixels.
        pixels: The number of pixels of the axis.
        widen: Half the width of the triangle that weights the neighbours, in pixels: 1 is linear
            interpolation, and more an anti-aliased mean.
    """
    return _make_matrix(_triangle, positions, pixels, widen)


@dataclass(frozen=True)
class _AxisPlacement:
    """Where an axis of slices lies on a canvas.

    Args:
        slice_pixels: Pixels of the slice.
        canvas_pixels: Pixels of the canvas.
        ratio: Spacing of the slice over that of the canvas.
        centre: The position in the slice that lies in the middle of the canvas, in pixels.
        object_pixels: Pixels of the slice from the first to the last of the object.
    """

    slice_pixels: int
    canvas_pixels: int
    ratio: float
    centre: float
    object_pixels: int

    @classmethod
    def from_mask(
        cls,
        mask: NDArray[np.bool_],
        spacing: float,
        canvas: Canvas,
    ) -> _AxisPlacement:
        """Return the placement that puts the mask of an axis in the middle of the canvas."""
        indices = np.flatnonzero(mask)
        first = int(indices[0]) if indices.size else 0
        last = int(indices[-1]) if indices.size else 0
        object_pixels = last - first + 1
        ratio = spacing / canvas.spacing
        if abs(ratio - 1) < SAME_SPACING:
            ratio = 1.0
        canvas_pixels = canvas.round_up(math.ceil(object_pixels * ratio))
        centre = (first + last) / 2
        if ratio == 1:
            # Both middles must be whole or both half, or each pixel would be a blend of two.
            centre += ((canvas_pixels - 1) / 2 - centre) % 1
        return cls(
            slice_pixels=len(mask),
            canvas_pixels=canvas_pixels,
            ratio=ratio,
            centre=centre,
            object_pixels=object_pixels,
        )

    @property
    def matrix_size(self) -> int:
        """The number of elements of each matrix."""
        return self.canvas_pixels * self.slice_pixels

    @property
    def canvas_centre(self) -> float:
        """The middle of the canvas, in its pixels."""
        return (self.canvas_pixels - 1) / 2

    def make_forward(self) -> Matrix:
        """Return the matrix (canvas pixels, slice pixels)."""
        from_centre = np.arange(self.canvas_pixels) - self.canvas_centre
        offsets = from_centre / self.ratio
        widen = max(1.0, 0.5 / self.ratio)
        return make_interpolation_matrix(offsets + self.centre, self.slice_pixels, widen)

    def make_inverse(self) -> Matrix:
        """Return the matrix (slice pixels, canvas pixels)."""
        from_centre = np.arange(self.slice_pixels) - self.centre
        positions = from_centre * self.ratio + self.canvas_centre
        widen = max(1.0, self.ratio / 2)
        return _make_matrix(_cubic, positions, self.canvas_pixels, widen)


def _place_axes(
    mask: Mask,
    spacing: tuple[float, float],
    canvas: Canvas,
    where: object,
) -> tuple[_AxisPlacement, _AxisPlacement]:
    """Return the placements of rows and columns, or raise an error if they take too much memory."""
    occupied_rows = np.asarray(mask.any(axis=(0, 2)))
    occupied_columns = np.asarray(mask.any(axis=(0, 1)))
    rows = _AxisPlacement.from_mask(occupied_rows, spacing[0], canvas)
    columns = _AxisPlacement.from_mask(occupied_columns, spacing[1], canvas)
    pixels = rows.canvas_pixels * columns.canvas_pixels
    matrix_size = max(rows.matrix_size, columns.matrix_size)
    if pixels > MAX_PIXELS or matrix_size > MAX_MATRIX_SIZE:
        raise SlicesTooLargeError(
            where,
            MAX_PIXELS,
            canvas.spacing,
            millimetres=(
                rows.object_pixels * rows.ratio * canvas.spacing,
                columns.object_pixels * columns.ratio * canvas.spacing,
            ),
            voxels=(rows.object_pixels, columns.object_pixels),
        )
    return rows, columns


def _make_matrix(
    kernel: Kernel,
    positions: Floats,
    pixels: int,
    widen: float,
) -> Matrix:
    """Return the matrix (positions, pixels) of the weights that a kernel gives each pixel."""
    distances = _measure_distances(positions, np.arange(pixels), widen)
    weights = kernel(distances)
    reach = math.ceil(_REACH * widen) + 1
    unbounded = np.arange(-reach, reach + 1)
    # Divided by their sum on an unbounded axis, weights keep a constant constant and the outside 0.
    unbounded_distances = _measure_distances(positions % 1, unbounded, widen)
    sums = kernel(unbounded_distances).sum(axis=1, keepdims=True)
    return np.asarray(weights / sums, np.float32)


def _measure_distances(
    positions: Floats,
    pixels: NDArray[np.int_],
    widen: float,
) -> Floats:
    """Return the distances (positions, pixels), in units of the width of a kernel."""
    offsets = positions[:, np.newaxis] - pixels
    return np.asarray(np.abs(offsets) / widen)


def _triangle(distance: Floats) -> Floats:
    return np.asarray(np.maximum(0, 1 - distance))


def _cubic(distance: Floats) -> Floats:
    """Return the weights of cubic convolution, which is exact to the second order.

    Keys 1981, https://doi.org/10.1109/TASSP.1981.1163711, with a = -1/2.
    """
    near = (1.5 * distance - 2.5) * distance**2 + 1
    far = ((2.5 - 0.5 * distance) * distance - 4) * distance + 2
    beyond_first = np.where(distance < _REACH, far, 0)
    return np.where(distance < 1, near, beyond_first)


def _shift_rows(matrix: Matrix, by: int) -> Matrix:
    """Move the rows of a matrix down by ``by``; rows that leave are lost, and rows of 0 enter."""
    count = len(matrix)
    down = max(by, 0)
    up = max(-by, 0)
    shifted = np.zeros_like(matrix)
    shifted[down : count - up] = matrix[up : count - down]
    return shifted


def _multiply(slices: Voxels, matrices: _Pair) -> Channels:
    """Return slices (n, rows, columns, channels) whose rows and columns a matrix each maps."""
    if all(_copies_pixels(matrix) for matrix in matrices):
        return _copy_pixels(slices, matrices)
    rows, columns = matrices
    n, height, width, channels = slices.shape
    flat = slices.reshape(n, height, width * channels)
    # One product for all columns and channels together is much faster than one for each.
    by_rows = np.matmul(rows, flat)
    stack = by_rows.reshape(n, -1, width, channels)
    return np.asarray(np.matmul(columns, stack))


def _copies_pixels(matrix: Matrix) -> bool:
    """Return whether every row of a matrix takes one pixel as it is, or none."""
    is_binary = ((matrix == 0) | (matrix == 1)).all()
    return bool(is_binary and (matrix.sum(axis=1) <= 1).all())


def _copy_pixels(slices: Voxels, matrices: _Pair) -> Channels:
    """Return what the products with two such matrices would be, in a tenth of the time."""
    rows, columns = matrices
    row_indices = rows.argmax(axis=1)
    is_empty_row = ~rows.any(axis=1)
    copied = slices.take(row_indices, axis=1)
    copied[:, is_empty_row] = 0
    column_indices = columns.argmax(axis=1)
    is_empty_column = ~columns.any(axis=1)
    copied = copied.take(column_indices, axis=2)
    copied[:, :, is_empty_column] = 0
    return np.asarray(copied, np.float32)
