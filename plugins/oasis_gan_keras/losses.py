"""The losses of plugins: a decorator adds a loss to recipes.

    from oasis_gan_keras import LossInputs, loss


    @loss("squared-error")
    def squared_error(inputs: LossInputs):
        from oasis_gan_keras.backend import tf

        return tf.reduce_mean(tf.square(inputs.real - inputs.generated), (1, 2, 3))

Import TensorFlow inside the function, because every command loads the plugins.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from oasis_gan import foreign_code, one_line

from .loss_errors import (
    BadLossNameError,
    FailedLossError,
    LossNameTakenError,
)
from .loss_inputs import LossInputs, Tensor

LossFunction = Callable[[LossInputs], Tensor]
"""A function that returns the error of each generated slice, (n,); 0 is perfect."""

_NAME = re.compile("[A-Za-z][A-Za-z0-9_-]*")
_offered: dict[str, LossFunction] = {}
LOSSES: Mapping[str, LossFunction] = MappingProxyType(_offered)
"""The losses that plugins offer, by name."""


def loss(name: str) -> Callable[[LossFunction], LossFunction]:
    """Decorate a function to offer it to recipes as a loss.

    Args:
        name: The name of the loss in recipes, in the table of losses and in the curves: a letter,
            then letters, digits, ``_`` and ``-``.

    Raises:
        BadLossNameError: If the name cannot be used.
        LossNameTakenError: If another file offers a loss of this name.
    """
    return partial(_offer, name)


def compute_loss(name: str, inputs: LossInputs) -> Tensor:
    """Return the error of each slice, (n,), by the loss called ``name``.

    Raises:
        FailedLossError: If the function fails, or returns something else.
    """
    function = _offered[name]
    where = f"loss {name} ({_find_file(function)})"
    try:
        with foreign_code(where):
            answer = function(inputs)
            axes = len(answer.shape)
    # A plugin's function may raise anything.
    except Exception as error:
        raise FailedLossError(where, one_line(error)) from error
    if axes != 1:
        raise FailedLossError(where, str(answer.shape))
    return answer


def _offer(name: str, function: LossFunction) -> LossFunction:
    """Offer a loss to recipes, and return it unchanged."""
    _require_name(name, function)
    _offered[name] = function
    # `oasis-gan plugins --check` calls this.
    function.check_contract = partial(_check, name)  # type: ignore[attr-defined]
    return function


def _check(name: str) -> int:
    """Check a loss, and return how many checks it passed."""
    # This module needs TensorFlow.
    from .loss_contract import check_loss

    return check_loss(name, partial(compute_loss, name))


def _require_name(name: str, function: LossFunction) -> None:
    """Raise `OasisGanError` if a name is not allowed, or another file uses it."""
    is_reserved = name.startswith("validation_") or name.endswith("_gradient")
    if is_reserved or not _NAME.fullmatch(name):
        raise BadLossNameError(name)
    other = _offered.get(name)
    if other is None:
        return
    first = _find_file(other)
    second = _find_file(function)
    # The same file may be loaded more than once.
    if first != second:
        raise LossNameTakenError(name, first, second)


def _find_file(function: LossFunction) -> str:
    """Return the file that defines a function, or its module if the file is not known."""
    code = getattr(function, "__code__", None)
    if code is not None:
        return str(code.co_filename)
    return str(getattr(function, "__module__", "?"))
