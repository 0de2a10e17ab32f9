"""Compute the standard deviation of several answers, without keeping them in memory."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


class Spread:
    """The weighted mean and standard deviation of arrays that are added one by one.

    The recurrence is that of West 1979, doi 10.1145/359146.359153. The deviation is that of the
    answers themselves: the sum of squares is divided by the sum of weights.
    """

    def __init__(self) -> None:
        self._weight = 0.0
        self._mean: NDArray[np.float64] | None = None
        self._squares: NDArray[np.float64] | None = None

    def add(self, values: NDArray[np.generic], weight: float) -> None:
        """Add an array; all of them have the same shape.

        Args:
            values: Real numbers.
            weight: How much they count, more than 0.
        """
        # In float32, the small differences of large intensities would lose their digits.
        exact = np.asarray(values, np.float64)
        if self._mean is None or self._squares is None:
            self._weight = weight
            self._mean = exact.copy()
            self._squares = np.zeros_like(exact)
            return
        self._weight += weight
        difference = exact - self._mean
        self._mean += difference * (weight / self._weight)
        new_difference = exact - self._mean
        self._squares += weight * difference * new_difference

    def compute_deviation(self) -> NDArray[np.float32]:
        """Return the standard deviation, in the units of the arrays.

        Raises:
            ValueError: If no array was added.
        """
        if self._squares is None:
            raise ValueError("expected at least one array")
        variance = self._squares / self._weight
        return np.sqrt(variance).astype(np.float32)
