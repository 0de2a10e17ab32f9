"""Remove a bias field by N4 in SimpleITK (Tustison et al. 2010, doi:10.1109/TMI.2010.2046908)."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import VOLUME, Mask, OasisGanError, import_simpleitk

_SHRINK = 4  # voxels that are one to N4: a bias field is smooth
_ITERATIONS = [50, 50, 50]  # at most, at each level of the spline
_THINNEST = 8  # voxels along an axis: thinner volumes have no field to speak of

Floats = NDArray[np.float32]
Spacing = tuple[float, ...]


class BiasFieldError(OasisGanError):
    """N4 cannot fit a bias field to a volume."""

    def __init__(self, found: str) -> None:
        super().__init__(
            VOLUME,
            expected="a volume that N4 can fit a bias field to",
            found=found,
            remedy="leave this volume out",
        )


def remove_bias_field(voxels: Floats, brain: Mask, spacing: Spacing) -> Floats:
    """Return a volume without its bias field.

    Args:
        voxels: Intensities.
        brain: Where the field is fitted.
        spacing: The voxel size, mm.

    Raises:
        BiasFieldError: If N4 fails.
    """
    if min(voxels.shape) < _THINNEST:
        return voxels
    # N4 takes logarithms; what is darker has no part in its fit.
    lowest = float(voxels[brain].min())
    shifted = voxels - min(0.0, lowest)
    logarithm = _fit_logarithm(shifted, brain, spacing)
    return np.asarray(shifted / np.exp(logarithm), np.float32)


def _fit_logarithm(voxels: Floats, brain: Mask, spacing: Spacing) -> Floats:
    """Return the logarithm of the bias field in each voxel."""
    itk = import_simpleitk()
    image = _make_image(itk, voxels, spacing)
    mask = _make_image(itk, brain.astype(np.uint8), spacing)
    factors = [_find_shrink_factor(size) for size in voxels.shape]
    n4 = itk.N4BiasFieldCorrectionImageFilter()
    n4.SetMaximumNumberOfIterations(_ITERATIONS)
    # With one thread sums are added in one order, and the same volume gives the same field.
    n4.SetNumberOfThreads(1)
    try:
        n4.Execute(itk.Shrink(image, factors), itk.Shrink(mask, factors))
        logarithm = n4.GetLogBiasFieldAsImage(image)
    except RuntimeError as error:
        last = str(error).strip().splitlines()[-1]
        raise BiasFieldError(last) from None
    return np.asarray(itk.GetArrayFromImage(logarithm).T)


def _find_shrink_factor(size: int) -> int:
    """Return by how much an axis is shrunk, so that enough voxels are left to fit a field."""
    return max(1, min(_SHRINK, size // _THINNEST))


def _make_image(itk: Any, voxels: NDArray[Any], spacing: Spacing) -> Any:  # noqa: ANN401 - SimpleITK has no types
    # Arrays of SimpleITK have the slowest axis first.
    image = itk.GetImageFromArray(np.ascontiguousarray(voxels.T))
    image.SetSpacing(spacing)
    return image
