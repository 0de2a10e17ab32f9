"""Say what a trainer updates, and what it computes from a batch."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Tensor = Any
Network = Any


@dataclass(frozen=True, kw_only=True)
class TrainableNetwork:
    """A network that can be trained.

    Args:
        build: A function that builds the network with new weights.
        learning_rate: A number, or a Keras schedule.
    """

    build: Callable[[], Network]
    learning_rate: Any


@dataclass(frozen=True, kw_only=True)
class Losses:
    """The losses that one update computes.

    Args:
        objectives: The scalar that each network minimises, by the name of the network. A network
            without one is not updated.
        metrics: The scalars to report, by name.
    """

    objectives: Mapping[str, Tensor]
    metrics: Mapping[str, Tensor]
