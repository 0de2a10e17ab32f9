"""What a loss is given."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Tensor = Any


@dataclass(frozen=True, kw_only=True, eq=False)
class LossInputs:
    """The slices that a loss compares.

    Args:
        source: What went in, (n, rows, columns, source channels) in [0, 1].
        real: What should come out, (n, rows, columns, target channels) in [-1, 1].
        generated: What came out, of the same shape and range.
        inside: 1 where the source is not background, else 0: (n, rows, columns, 1). Outside, `real` and `generated`
            are both background, -1.
    """

    source: Tensor
    real: Tensor
    generated: Tensor
    inside: Tensor
