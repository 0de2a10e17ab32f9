"""Store the weights of several networks, and of both ends of each, in one file."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Half the size of float32; outputs differ by less than the noise of a scanner.
_STORED = np.float16
SMOOTH = "smooth/"
"""How the names of the smooth end's weights begin."""
_FURTHER = "further"  # how the names of further weights begin, before their number

Weights = Mapping[str, NDArray[Any]]


def pack(weights: Weights, smooth: Weights, prefix: str = "") -> dict[str, NDArray[Any]]:
    """Return the weights of both ends as they are stored, by the names that they get there."""
    named = {f"{prefix}{name}": weight for name, weight in weights.items()}
    named |= {f"{prefix}{SMOOTH}{name}": weight for name, weight in smooth.items()}
    return {name: np.asarray(weight, _STORED) for name, weight in named.items()}


def find_prefix(number: int) -> str:
    """Return how the names of a network's weights begin; the first network has the number 0."""
    return f"{_FURTHER}{number}/" if number else ""


def split(stored: Weights) -> dict[str, dict[str, NDArray[Any]]]:
    """Return the weights of each network by what `find_prefix` returns, then by name."""
    networks: dict[str, dict[str, NDArray[Any]]] = {"": {}}
    for name, weight in stored.items():
        first, slash, rest = name.partition("/")
        if first.startswith(_FURTHER):
            networks.setdefault(first + slash, {})[rest] = weight
        else:
            networks[""][name] = weight
    return networks
