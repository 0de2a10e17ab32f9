"""How intensities enter MeshNet: 0 is background, 1 the brightest tissue."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from oasis_gan import Percentiles, Voxels, Window

from .errors import EmptyVolumeError


@dataclass(frozen=True)
class ScaledIntensities(Percentiles):
    """Intensities divided by their largest, as a segmenter expects them.

    `Percentiles` would map the darkest voxel of a brain without fluid to background. Here the scale
    begins at 0, or lower where there are negative intensities, as in z-scores.

    Args:
        low: Percentile of the non-zero voxels that lands on 0 if it is negative.
        high: Percentile of the non-zero voxels that lands on 1.
    """

    low: float = 0.1
    high: float = 99.9

    def identity(self) -> Mapping[str, object]:  # type: ignore[override]
        """Return a description that no other encoding has, for JSON."""
        return {
            "kind": "scaled",
            "low": self.low,
            "high": self.high,
        }

    def fit(self, voxels: Voxels) -> Window:
        """Return the window of a volume.

        Raises:
            EmptyVolumeError: If all voxels are 0.
        """
        inside = voxels[voxels != 0]
        if inside.size == 0:
            raise EmptyVolumeError
        percentiles = np.percentile(inside, [self.low, self.high])
        low, top = percentiles.tolist()
        bottom = min(0.0, low)
        if top <= bottom:
            bottom = top - max(abs(top), 1.0)
        return Window((bottom, top), (0.0, 1.0))
