"""The variables of networks and optimizers as arrays, by name, and back."""

from __future__ import annotations

import itertools
from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import OasisGanError

Arrays = Mapping[str, NDArray[Any]]
_SEED = "seed_"


def read_variables(owner: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401 - a Keras network or optimizer
    """Return all variables of a network or an optimizer, by name."""
    return {name: np.asarray(variable) for name, variable in _named(owner).items()}


def read_weights(network: Any) -> dict[str, NDArray[Any]]:  # noqa: ANN401
    """Return what a network translates with: its variables but for the seeds of its dropout."""
    return {
        name: array for name, array in read_variables(network).items() if not name.startswith(_SEED)
    }


def assign(owner: Any, arrays: Arrays, where: object) -> None:  # noqa: ANN401
    """Give a network or an optimizer the arrays that `read_variables` or `read_weights` returned.

    Raises:
        OasisGanError: If names or shapes are not those of its variables; nothing is changed then.
    """
    variables = _named(owner)
    wanted = {
        name: tuple(v.shape)
        for name, v in variables.items()
        if name in arrays or not name.startswith(_SEED)
    }
    require_shapes(wanted, arrays, where)
    for name, array in arrays.items():
        variables[name].assign(array.astype(variables[name].dtype))


def require_shapes(wanted: Mapping[str, tuple[int, ...]], arrays: Arrays, where: object) -> None:
    """Raise `OasisGanError` unless arrays have these names and shapes."""
    given = {name: array.shape for name, array in arrays.items()}
    if wanted != given:
        strange = sorted(set(wanted.items()) ^ set(given.items()))[0][0]
        expected, found = (
            f"{strange} of shape {wanted.get(strange, 'none')}",
            str(given.get(strange, "none")),
        )
        raise OasisGanError(
            where, expected=expected, found=found, remedy="take settings and weights of one model"
        )


def _named(owner: Any) -> dict[str, Any]:  # noqa: ANN401
    """Return variables by their paths; those of seeds, whose paths tell how many the process has made, by number."""
    seeds = itertools.count()
    return {f"{_SEED}{next(seeds)}" if "seed" in v.path else v.path: v for v in owner.variables}
