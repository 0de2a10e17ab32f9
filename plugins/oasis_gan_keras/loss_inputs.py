"""The inputs that a loss function can take."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

Tensor = Any


@dataclass(frozen=True, kw_only=True, eq=False)
class LossInputs:
    """The slices that a loss compares.

    Args:
        source: The input of the network, (n, rows, columns, source channels) in [0, 1].
        real: The target, (n, rows, columns, target channels) in [-1, 1].
        generated: The output of the network, of the same shape and range as `real`.
        mask: 1 where the source is not background and 0 elsewhere, (n, rows, columns, 1). Where
            it is 0, both `real` and `generated` are background, -1.
    """

    source: Tensor
    real: Tensor
    generated: Tensor
    mask: Tensor
