"""Find three tissues by a Gaussian mixture of intensities, in which neighbours are often alike.

That is the hidden Markov random field of Zhang, Brady and Smith 2001,
https://doi.org/10.1109/42.906424, fitted by expectation maximisation. Where they label each voxel
by iterated conditional modes, the expectation here is their mean field: how likely a tissue is
depends on how likely it is in the six neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from oasis_gan import VOLUME, Mask, OasisGanError

TISSUES = 3
NEIGHBOURS = 0.5
"""What a neighbour of another tissue takes from the logarithm of a tissue's probability."""
_ROUNDS = 25
_SETTLED = 1e-3  # of the range of intensities: means that move less have settled
_NARROWEST = 0.01  # of the range of intensities: the smallest width of a tissue
_BINS = 1024

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]


class TooFewIntensitiesError(OasisGanError):
    """A brain does not have the three intensities that distinguish tissues."""

    def __init__(self) -> None:
        super().__init__(
            VOLUME,
            expected="three tissues of different brightness",
            found="fewer than three intensities in the brain",
            remedy="leave this volume out",
        )


@dataclass(frozen=True, eq=False)
class Mixture:
    """A mixture has one Gaussian for each tissue, from the darkest to the brightest.

    Args:
        means: Intensities.
        widths: Standard deviations.
    """

    means: Numbers
    widths: Numbers

    def score(self, voxels: Floats, tissue: int) -> Floats:
        """Return the logarithm of the likelihood of a tissue, but for a constant."""
        distance = (voxels - np.float32(self.means[tissue])) / np.float32(self.widths[tissue])
        return np.asarray(-0.5 * distance**2 - np.float32(np.log(self.widths[tissue])))


def segment(voxels: Floats, brain: Mask) -> NDArray[np.uint8]:
    """Return the tissue of each voxel: 0 outside the brain, 1 in the darkest tissue, 3 in the brightest.

    Args:
        voxels: Intensities of a T1w, without a bias field.
        brain: Where to segment.

    Raises:
        TooFewIntensitiesError: If there are not three intensities in the brain.
    """
    inside = voxels[brain].astype(np.float64)
    low, high = np.percentile(inside, [0.5, 99.5])
    if high <= low:
        raise TooFewIntensitiesError
    scale = float(high - low)
    mixture = _start(inside, float(low), float(high))
    probabilities = np.zeros((TISSUES, *voxels.shape), np.float32)
    probabilities[:, brain] = 1 / TISSUES
    for _ in range(_ROUNDS):
        probabilities = _expect(voxels, brain, mixture, probabilities)
        fitted = _maximise(inside, probabilities[:, brain], _NARROWEST * scale)
        moved = float(np.abs(fitted.means - mixture.means).max())
        mixture = fitted
        if moved < _SETTLED * scale:
            break
    order = np.argsort(mixture.means)
    ranks = np.empty(TISSUES, np.uint8)
    ranks[order] = np.arange(1, TISSUES + 1)
    likeliest = ranks[probabilities.argmax(axis=0)]
    return np.where(brain, likeliest, 0).astype(np.uint8)


def _start(inside: Numbers, low: float, high: float) -> Mixture:
    """Return the classes of k-means on the histogram, Lloyd 1982, https://doi.org/10.1109/TIT.1982.1056489."""
    counts, edges = np.histogram(inside, _BINS, (low, high))
    if np.count_nonzero(counts) < TISSUES:
        raise TooFewIntensitiesError
    centres = (edges[:-1] + edges[1:]) / 2
    occupied = np.repeat(centres, counts)
    means = np.percentile(np.unique(occupied), [10, 50, 90])
    nearest = np.zeros(_BINS, np.intp)
    for _ in range(100):
        nearest = np.abs(centres[:, np.newaxis] - means).argmin(axis=1)
        moved = means.copy()
        for tissue in range(TISSUES):
            weights = counts[nearest == tissue]
            if weights.sum():
                moved[tissue] = np.average(centres[nearest == tissue], weights=weights)
        if np.allclose(moved, means):
            break
        means = moved
    widths = np.empty(TISSUES)
    for tissue in range(TISSUES):
        weights = np.where(nearest == tissue, counts, 0) + 1e-9
        variance = np.average((centres - means[tissue]) ** 2, weights=weights)
        widths[tissue] = max(np.sqrt(variance), _NARROWEST * (high - low))
    return Mixture(means, widths)


def _expect(voxels: Floats, brain: Mask, mixture: Mixture, before: Floats) -> Floats:
    """Return how likely each tissue is in each voxel, given how likely it was in the neighbours."""
    scores = np.empty_like(before)
    for tissue in range(TISSUES):
        neighbours = _add_neighbours(before[tissue])
        scores[tissue] = mixture.score(voxels, tissue) + NEIGHBOURS * neighbours
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    scores[:, ~brain] = 0
    return scores


def _add_neighbours(probability: Floats) -> Floats:
    """Return the sum over the six neighbours of each voxel; beyond the volume there are none."""
    total = np.zeros_like(probability)
    for axis in range(3):
        sums = np.moveaxis(total, axis, 0)
        values = np.moveaxis(probability, axis, 0)
        sums[1:] += values[:-1]
        sums[:-1] += values[1:]
    return total


def _maximise(inside: Numbers, probabilities: Floats, narrowest: float) -> Mixture:
    """Return the mixture that the intensities in the brain are likeliest in."""
    means = np.empty(TISSUES)
    widths = np.empty(TISSUES)
    for tissue in range(TISSUES):
        weights = probabilities[tissue].astype(np.float64) + 1e-12
        means[tissue] = np.average(inside, weights=weights)
        variance = np.average((inside - means[tissue]) ** 2, weights=weights)
        widths[tissue] = max(np.sqrt(variance), narrowest)
    return Mixture(means, widths)
