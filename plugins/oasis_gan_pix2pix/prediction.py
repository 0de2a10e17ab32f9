"""What a source tells of its target without any network."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras import Batch


@dataclass(frozen=True, eq=False)
class LinearPrediction:
    """What the source alone tells of the target, pixel by pixel: the best linear guess, and how far off it is.

    Of a label map the guess is the mean of each tissue. The edges between tissues are most of an image's energy, and
    are the same in real and generated slices; a discriminator that is shown what is left learns in tens of steps
    what it does not learn in hundreds from the image itself.

    Args:
        weights: (source channels, target channels).
        deviation: Standard deviation of what is left, inside the source's support.
    """

    weights: NDArray[np.float32]
    deviation: float

    @classmethod
    def of(cls, batch: Batch, support: slice = slice(None)) -> LinearPrediction:
        """Fit it to slices by least squares.

        Args:
            batch: Source and target.
            support: Which channels of the source tell where there is background; all if not given.
        """
        source, target = (slices.reshape(-1, slices.shape[-1]) for slices in batch)
        inside = source[:, support].any(axis=1)
        weights = np.linalg.lstsq(source[inside], target[inside])[0]
        left = target[inside] - source[inside] @ weights
        return cls(weights.astype(np.float32), max(float(left.std()), 1e-3))
