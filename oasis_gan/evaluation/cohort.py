"""Compute means over the subjects of a cohort, and their confidence intervals.

The percentile bootstrap: subjects are drawn with replacement, as many as there are, and the
interval holds the middle 95 % of the means (Efron 1979, https://doi.org/10.1214/aos/1176344552).
Equal values give equal intervals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .evaluating import Evaluation
from .measures import SECTIONS, Section, json_value

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 0

_Key = tuple[str, str, str]  # section, region, measure


@dataclass(frozen=True)
class Estimate:
    """A mean over subjects, which has a confidence interval.

    Args:
        subjects: How many have a finite value.
        mean: Their mean; None if there are none.
        low: Where the confidence interval begins; None for fewer than two subjects.
        high: Where it ends.
    """

    subjects: int
    mean: float | None
    low: float | None
    high: float | None


Estimates = dict[str, dict[str, dict[str, Estimate]]]
"""Means by section, region and measure."""


class Cohort:
    """Collects the figures of one subject after the other."""

    def __init__(self) -> None:
        self.subjects = 0
        self._values: dict[_Key, list[float]] = defaultdict(list)
        # Dicts, because sets have no order.
        self._regions: dict[str, None] = {}
        self._structures: dict[str, None] = {}

    def add(self, evaluation: Evaluation) -> None:
        """Take in the figures of a subject; those that are infinite or not defined do not count."""
        self.subjects += 1
        self._regions |= dict.fromkeys(evaluation.regions)
        self._structures |= dict.fromkeys(evaluation.structures)
        for section, regions in evaluation.scores.items():
            for region, scores in regions.items():
                for measure, value in scores.items():
                    finite = json_value(value)
                    if finite is not None:
                        key = (section, region, measure)
                        self._values[key].append(finite)

    @property
    def structures(self) -> tuple[str, ...]:
        """The regions in which only segmentations are compared."""
        return tuple(name for name in self._structures if name not in self._regions)

    def estimate_means(self) -> Estimates:
        """Return the mean of each measure by section and region, where any subject has a value."""
        estimates: Estimates = {}
        for section in SECTIONS:
            for region in (*self._regions, *self.structures):
                means = self._estimate_region(section, region)
                if any(mean.subjects for mean in means.values()):
                    estimates.setdefault(section.key, {})[region] = means
        return estimates

    def _estimate_region(self, section: Section, region: str) -> dict[str, Estimate]:
        """Return the mean of each measure of a section in one region."""
        means = {}
        for key in section.keys:
            values = self._values.get((section.key, region, key), [])
            means[key] = estimate(values)
        return means


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of values, one a subject, and its confidence interval."""
    count = len(values)
    if count < 2:
        mean = values[0] if values else None
        return Estimate(count, mean, low=None, high=None)
    sample = np.array(values)
    # The same seed for every measure: the same subjects are drawn, and runs repeat exactly.
    generator = np.random.default_rng(SEED)
    drawn = generator.integers(count, size=(RESAMPLES, count))
    means = sample[drawn].mean(axis=1)
    tail = 50 * (1 - CONFIDENCE)  # per cent on each side
    low, high = np.percentile(means, [tail, 100 - tail])
    return Estimate(
        subjects=count,
        mean=float(sample.mean()),
        low=float(low),
        high=float(high),
    )
