"""Read the variables of networks and optimizers as arrays by name, and assign them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .loss_errors import WrongShapeError

Arrays = Mapping[str, NDArray[Any]]
Shape = tuple[int, ...]
_SEED = "seed_"


def read_variables(owner: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401 - a Keras network or optimizer
    """Return all variables of a network or an optimizer, by name."""
    return {name: np.asarray(variable) for name, variable in _name_variables(owner).items()}


def read_weights(network: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401
    """Return what a network translates with: all variables except the seeds of its dropout."""
    variables = read_variables(network)
    return {name: array for name, array in variables.items() if not name.startswith(_SEED)}


def assign(owner: Any, arrays: Arrays, where: object) -> None:  # noqa: ANN401
    """Assign arrays from `read_variables` or `read_weights` to a network or an optimizer.

    Raises:
        WrongShapeError: If names or shapes are not those of its variables; nothing is changed then.
    """
    variables = _name_variables(owner)
    expected = {
        name: tuple(variable.shape)
        for name, variable in variables.items()
        if name in arrays or not name.startswith(_SEED)
    }
    require_shapes(expected, arrays, where)
    for name, array in arrays.items():
        variable = variables[name]
        variable.assign(array.astype(variable.dtype))


def require_shapes(expected: Mapping[str, Shape], arrays: Arrays, where: object) -> None:
    """Check the names and shapes of arrays.

    Raises:
        WrongShapeError: If an array is missing, unknown or of another shape.
    """
    found = {name: array.shape for name, array in arrays.items()}
    if expected == found:
        return
    differences = expected.items() ^ found.items()
    name, _ = min(differences)
    raise WrongShapeError(where, name, expected.get(name), found.get(name))


def _name_variables(owner: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return variables by their paths, and seeds by number.

    The path of a seed depends on how many seeds the process has created.
    """
    names: dict[str, Any] = {}
    seeds = 0
    for variable in owner.variables:
        name = variable.path
        if "seed" in name:
            name = f"{_SEED}{seeds}"
            seeds += 1
        names[name] = variable
    return names
