"""Turning slices about their middle."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from .backend import tf


def rotate(slices: NDArray[np.float32], degrees: float) -> NDArray[np.float32]:
    """Return slices (n, rows, columns, channels) turned about their middle, linearly interpolated; 0 comes in."""
    rows, columns = ((length - 1) / 2 for length in slices.shape[1:3])
    cosine, sine = math.cos(math.radians(degrees)), math.sin(math.radians(degrees))
    # For each pixel (x, y) of the result, where it is taken from: x runs along columns, y along rows.
    x = (cosine, -sine, columns - cosine * columns + sine * rows)
    y = (sine, cosine, rows - sine * columns - cosine * rows)
    turned = tf.raw_ops.ImageProjectiveTransformV3(
        images=slices,
        transforms=[[*x, *y, 0.0, 0.0]],
        output_shape=slices.shape[1:3],
        interpolation="BILINEAR",
        fill_mode="CONSTANT",
        fill_value=0.0,
    )
    return np.asarray(turned)
