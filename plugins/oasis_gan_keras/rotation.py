"""Rotate slices about their centre."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .backend import tf


def rotate(slices: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Return slices (n, rows, columns, channels) rotated about their centre.

    They are interpolated linearly, with 0 outside.
    """
    middle_row = (slices.shape[1] - 1) / 2
    middle_column = (slices.shape[2] - 1) / 2
    cosine = math.cos(math.radians(degrees))
    sine = math.sin(math.radians(degrees))
    # The transform maps each pixel (x, y) of the result to the source: x runs along columns, y
    # along rows.
    x_offset = middle_column - cosine * middle_column + sine * middle_row
    y_offset = middle_row - sine * middle_column - cosine * middle_row
    transform = [cosine, -sine, x_offset, sine, cosine, y_offset, 0.0, 0.0]
    rotated = tf.raw_ops.ImageProjectiveTransformV3(
        images=slices,
        transforms=[transform],
        output_shape=slices.shape[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return np.asarray(rotated)
