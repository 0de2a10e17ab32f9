"""Deform slices by smooth random fields."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from oasis_gan import import_simpleitk

from .backend import tf

Field = NDArray[np.float32]
CONTROL_DISTANCE = 32
"""The smallest distance between the control points of a field, in pixels."""


def draw_field(rng: np.random.Generator, rows: int, columns: int, reach: float) -> Field:
    """Draw a smooth field, which is interpolated between independent values at control points.

    Args:
        rng: The generator to draw from.
        rows: The number of rows.
        columns: The number of columns.
        reach: The largest absolute value.

    Returns:
        The field, (rows, columns).
    """
    height = max(rows // CONTROL_DISTANCE, 1)
    width = max(columns // CONTROL_DISTANCE, 1)
    values = rng.uniform(-reach, reach, (1, height, width, 1)).astype(np.float32)
    field = np.asarray(tf.image.resize(values, (rows, columns), "bicubic"))
    # Cubic interpolation overshoots.
    clipped: Field = np.clip(field[0, ..., 0], -reach, reach)
    return clipped


def draw_deformation(rng: np.random.Generator, rows: int, columns: int, reach: float) -> Field:
    """Draw how far each pixel is displaced along rows and along columns.

    Args:
        rng: The generator to draw from.
        rows: The number of rows.
        columns: The number of columns.
        reach: The largest displacement along either, in pixels.

    Returns:
        The displacements, (2, rows, columns).
    """
    down = draw_field(rng, rows, columns, reach)
    right = draw_field(rng, rows, columns, reach)
    return np.stack([down, right])


def deform(slices: NDArray[np.float32], displacements: Field) -> NDArray[np.float32]:
    """Return deformed slices, interpolated linearly, with 0 outside.

    Args:
        slices: The slices, (n, rows, columns, channels).
        displacements: The distance from each pixel of the result to the place whose value it gets,
            (2, rows, columns) in pixels.
    """
    itk = import_simpleitk()
    # In ITK, a vector's first component is that along columns.
    vectors = np.moveaxis(displacements[::-1], 0, -1).astype(np.float64)
    field = itk.GetImageFromArray(vectors, isVector=True)
    deformed = []
    for item in slices:
        image = itk.GetImageFromArray(item, isVector=True)
        warped = itk.Warp(image, field, itk.sitkLinear, image.GetSize())
        # The array of a single channel has no axis for it.
        deformed.append(itk.GetArrayFromImage(warped).reshape(item.shape))
    return np.stack(deformed)
