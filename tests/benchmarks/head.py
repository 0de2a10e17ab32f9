"""A head to measure with: the slices of the example as a network gets them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oasis_gan import OASIS, Canvas, CanvasTransform, Plane, cut, read_nifti

EXAMPLE = Path(__file__).parents[2] / "examples" / "mni152_seg.nii.gz"


def head(size: int) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Return all axial slices that are not empty, on a square canvas, at 1 mm if they fit.

    Returns:
        Tissues (n, size, size, 3), and which pixels a run wants to have translated (n, size, size).
    """
    volume = read_nifti(EXAMPLE)
    stack = cut(volume.voxels, volume.geometry, Plane.AXIAL)
    inside = OASIS.find_mask(stack.slices)
    inside, slices = (array[inside.any(axis=(1, 2))] for array in (inside, stack.slices))
    spacing = max(
        1.0,
        *(
            length * step / size
            for length, step in zip(slices.shape[1:], stack.spacing, strict=True)
        ),
    )
    transform = CanvasTransform.from_mask(inside, stack.spacing, Canvas(spacing, size, size))
    return transform.apply(OASIS.encode(slices)), transform.mask_on_canvas(inside)
