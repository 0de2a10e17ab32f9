"""Degrade source images as scanners do: by a bias field and by noise."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from .augmentation_settings import AugmentationSettings
from .deformation import draw_field

Slices = NDArray[np.float32]


def degrade(
    slices: Slices,
    images: Sequence[Sequence[int]],
    settings: AugmentationSettings,
    rng: np.random.Generator,
) -> Slices:
    """Return slices whose images have a random bias field and random noise.

    The background of a skull-stripped scan has neither, and stays 0.

    Args:
        slices: The slices, (n, rows, columns, channels) in [0, 1].
        images: The channels of each source image: those of a slice and of its neighbours, which
            have the bias field in common.
        settings: The strength of the bias field and of the noise.
        rng: The generator to draw from.
    """
    _, rows, columns, _ = slices.shape
    degraded = slices.copy()
    for channels in images:
        bias = draw_field(rng, rows, columns, settings.bias)
        deviation = rng.uniform(0, settings.noise)
        for channel in channels:
            image = slices[..., channel]
            noise = rng.normal(0, deviation, image.shape)
            brightened = image * (1 + bias) + noise
            degraded[..., channel] = np.where(image > 0, np.clip(brightened, 0, 1), 0)
    return degraded
