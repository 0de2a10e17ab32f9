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
_KMEANS_ROUNDS = 100

Floats = NDArray[np.float32]
Numbers = NDArray[np.float64]
Integers = NDArray[np.intp]


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
        """Return the logarithm of the likelihood of a tissue, up to a constant."""
        mean = np.float32(self.means[tissue])
        width = np.float32(self.widths[tissue])
        constant = np.float32(np.log(self.widths[tissue]))
        distance = (voxels - mean) / width
        return np.asarray(-0.5 * distance**2 - constant)

    def rank_tissues(self) -> NDArray[np.uint8]:
        """Return the rank of each tissue by its brightness: 1 for the darkest."""
        ranks = self.means.argsort().argsort() + 1
        return ranks.astype(np.uint8)


@dataclass(frozen=True, eq=False)
class Brain:
    """The voxels of a brain, and how bright they are.

    Args:
        voxels: Intensities of the whole volume.
        mask: Where the brain is.
        intensities: Intensities in the brain, in double precision.
        low: The intensity that only a few voxels in the brain fall below.
        high: The intensity that only a few voxels in the brain exceed.
    """

    voxels: Floats
    mask: Mask
    intensities: Numbers
    low: float
    high: float

    @classmethod
    def measure(cls, voxels: Floats, mask: Mask) -> Brain:
        """Find the range of the intensities in a brain.

        Raises:
            TooFewIntensitiesError: If they are all alike.
        """
        intensities = voxels[mask].astype(np.float64)
        low, high = np.percentile(intensities, [0.5, 99.5])
        if high <= low:
            raise TooFewIntensitiesError
        return cls(
            voxels=voxels,
            mask=mask,
            intensities=intensities,
            low=float(low),
            high=float(high),
        )

    @property
    def span(self) -> float:
        """How far the highest intensity is from the lowest."""
        return self.high - self.low

    @property
    def narrowest(self) -> float:
        """The smallest width that a tissue can have."""
        return _NARROWEST * self.span


def segment(voxels: Floats, brain: Mask) -> NDArray[np.uint8]:
    """Return the tissue of each voxel: 1 is the darkest, 3 the brightest, 0 lies outside the brain.

    Args:
        voxels: Intensities of a T1w, without a bias field.
        brain: Where to segment.

    Raises:
        TooFewIntensitiesError: If there are not three intensities in the brain.
    """
    mixture, probabilities = _fit(Brain.measure(voxels, brain))
    ranks = mixture.rank_tissues()
    likeliest = ranks[probabilities.argmax(axis=0)]
    return np.where(brain, likeliest, 0).astype(np.uint8)


def _fit(brain: Brain) -> tuple[Mixture, Floats]:
    """Return the mixture that fits a brain, and each tissue's probability in each voxel."""
    mixture = _start(brain)
    shape = (TISSUES, *brain.voxels.shape)
    probabilities = np.zeros(shape, np.float32)
    probabilities[:, brain.mask] = 1 / TISSUES
    for _ in range(_ROUNDS):
        probabilities = _expect(brain, mixture, probabilities)
        fitted = _maximise(brain, probabilities)
        changes = np.abs(fitted.means - mixture.means)
        mixture = fitted
        if changes.max() < _SETTLED * brain.span:
            break
    return mixture, probabilities


def _start(brain: Brain) -> Mixture:
    """Return the classes that k-means finds in the histogram of a brain."""
    counts, edges = np.histogram(
        brain.intensities,
        bins=_BINS,
        range=(brain.low, brain.high),
    )
    if np.count_nonzero(counts) < TISSUES:
        raise TooFewIntensitiesError
    centres = (edges[:-1] + edges[1:]) / 2
    means, nearest = _find_classes(centres, counts)
    widths = np.empty(TISSUES)
    for tissue in range(TISSUES):
        weights = np.where(nearest == tissue, counts, 0) + 1e-9
        width = _measure_width(centres, means[tissue], weights)
        widths[tissue] = max(width, brain.narrowest)
    return Mixture(means, widths)


def _find_classes(centres: Numbers, counts: Integers) -> tuple[Numbers, Integers]:
    """Return the mean of each class, and the class of each bin of a histogram.

    This is k-means by Lloyd 1982, https://doi.org/10.1109/TIT.1982.1056489.
    """
    present = np.unique(centres[counts > 0])
    means: Numbers = np.percentile(present, [10, 50, 90])
    nearest = np.zeros(len(centres), np.intp)
    for _ in range(_KMEANS_ROUNDS):
        distances = np.abs(centres[:, np.newaxis] - means)
        nearest = distances.argmin(axis=1)
        updated = _update_means(means, centres, counts, nearest)
        if np.allclose(updated, means):
            break
        means = updated
    return means, nearest


def _update_means(
    means: Numbers,
    centres: Numbers,
    counts: Integers,
    nearest: Integers,
) -> Numbers:
    """Return the mean of each class; a class without voxels keeps the mean it had."""
    updated = means.copy()
    for tissue in range(TISSUES):
        bins = nearest == tissue
        weights = counts[bins]
        if weights.any():
            updated[tissue] = np.average(centres[bins], weights=weights)
    return updated


def _expect(brain: Brain, mixture: Mixture, before: Floats) -> Floats:
    """Return how likely each tissue is in each voxel, given how likely it was in the neighbours."""
    scores = np.empty_like(before)
    for tissue in range(TISSUES):
        neighbours = _add_neighbours(before[tissue])
        score = mixture.score(brain.voxels, tissue)
        scores[tissue] = score + NEIGHBOURS * neighbours
    scores -= scores.max(axis=0)
    np.exp(scores, out=scores)
    scores /= scores.sum(axis=0)
    scores[:, ~brain.mask] = 0
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


def _maximise(brain: Brain, probabilities: Floats) -> Mixture:
    """Return the mixture that the intensities in the brain are likeliest in."""
    means = np.empty(TISSUES)
    widths = np.empty(TISSUES)
    inside = probabilities[:, brain.mask]
    for tissue in range(TISSUES):
        weights = inside[tissue].astype(np.float64) + 1e-12
        mean = np.average(brain.intensities, weights=weights)
        width = _measure_width(brain.intensities, mean, weights)
        means[tissue] = mean
        widths[tissue] = max(width, brain.narrowest)
    return Mixture(means, widths)


def _measure_width(intensities: Numbers, mean: float, weights: Numbers) -> float:
    """Return the weighted standard deviation of intensities around a mean."""
    variance = np.average((intensities - mean) ** 2, weights=weights)
    return float(np.sqrt(variance))
