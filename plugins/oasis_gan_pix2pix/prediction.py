"""Predict a target from its source without a network, by linear regression."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras import Batch


@dataclass(frozen=True, eq=False)
class LinearPrediction:
    """The best linear prediction of a target pixel that its source pixel allows, and its error.

    For a label map, the prediction is the mean of each tissue. The edges between tissues make up
    most of an image's energy and are the same in real and generated slices. A discriminator that
    sees only the rest learns in tens of steps what it does not learn in hundreds from the image
    itself.

    Args:
        weights: The matrix (source channels, target channels).
        deviation: The standard deviation of the error, where the source is not background.
    """

    weights: NDArray[np.float32]
    deviation: float

    @classmethod
    def fit(
        cls,
        batch: Batch,
        mask_channels: slice = slice(None),
    ) -> LinearPrediction:
        """Fit the prediction to slices by least squares.

        Args:
            batch: Source and target.
            mask_channels: The source channels that are all 0 in the background; all channels if not
                given.
        """
        slices, true_slices = batch
        channels_in = slices.shape[-1]
        channels_out = true_slices.shape[-1]
        source = slices.reshape(-1, channels_in)
        target = true_slices.reshape(-1, channels_out)
        mask = source[:, mask_channels].any(axis=1)
        weights = np.linalg.lstsq(source[mask], target[mask])[0]
        error = target[mask] - source[mask] @ weights
        # A residual is divided by the deviation, which may be 0 where the target is predictable.
        deviation = max(float(error.std()), 1e-3)
        return cls(weights.astype(np.float32), deviation)
