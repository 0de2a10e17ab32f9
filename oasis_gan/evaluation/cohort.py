"""Means over the subjects of a cohort, and how far they can be trusted: bootstrap confidence intervals.

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
from .measures import SECTIONS, json_value

CONFIDENCE = 0.95
RESAMPLES = 2000
SEED = 0


@dataclass(frozen=True)
class Estimate:
    """A mean over subjects, which has a confidence interval.

    Args:
        subjects: How many have a finite value.
        mean: Of these; None of none.
        low: Where the confidence interval begins; None of fewer than two.
        high: Where it ends.
    """

    subjects: int
    mean: float | None
    low: float | None
    high: float | None


class Cohort:
    """Collects the figures of one subject after the other."""

    def __init__(self) -> None:
        self.subjects = 0
        self._values: dict[tuple[str, str, str], list[float]] = defaultdict(list)
        self._regions: dict[str, None] = {}
        self._structures: dict[str, None] = {}

    def add(self, evaluation: Evaluation) -> None:
        """Take in the figures of a subject; those that are infinite or not defined do not count."""
        self.subjects += 1
        self._regions |= dict.fromkeys(evaluation.regions)
        self._structures |= dict.fromkeys(evaluation.structures)
        for section, regions in evaluation.scores.items():
            for region, scores in regions.items():
                for key, value in scores.items():
                    finite = json_value(value)
                    if finite is not None:
                        self._values[section, region, key].append(finite)

    @property
    def structures(self) -> tuple[str, ...]:
        """The regions in which only segmentations are compared."""
        return tuple(name for name in self._structures if name not in self._regions)

    def estimates(self) -> dict[str, dict[str, dict[str, Estimate]]]:
        """Return the mean of each measure by section and region, where any subject has a value."""
        found: dict[str, dict[str, dict[str, Estimate]]] = {}
        for section in SECTIONS:
            for region in (*self._regions, *self.structures):
                keys = [measure.key for measure in section.measures]
                values = {key: self._values.get((section.key, region, key), []) for key in keys}
                if any(values.values()):
                    estimates = {key: estimate(of_measure) for key, of_measure in values.items()}
                    found.setdefault(section.key, {})[region] = estimates
        return found


def estimate(values: Sequence[float]) -> Estimate:
    """Return the mean of values, one a subject, and its confidence interval."""
    if len(values) < 2:
        mean = values[0] if values else None
        return Estimate(len(values), mean, None, None)
    sample = np.array(values)
    drawn = np.random.default_rng(SEED).integers(len(values), size=(RESAMPLES, len(values)))
    means = sample[drawn].mean(axis=1)
    tail = 50 * (1 - CONFIDENCE)
    low, high = np.percentile(means, [tail, 100 - tail])
    return Estimate(len(values), float(sample.mean()), float(low), float(high))
