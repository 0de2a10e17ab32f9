"""Losses that recipes may name: a plugin adds one with a decorator, in a file of its own.

    from oasis_gan_keras import LossInputs, loss


    @loss("squared-error")
    def squared_error(inputs: LossInputs):
        from oasis_gan_keras.backend import tf

        return tf.reduce_mean(tf.square(inputs.real - inputs.generated), (1, 2, 3))

TensorFlow is imported inside the function: plugins are loaded by every command.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType

from oasis_gan import OasisGanError, foreign_code, one_line

from .loss_inputs import LossInputs, Tensor

LossFunction = Callable[[LossInputs], Tensor]
"""Returns how wrong each generated slice is, (n,); 0 is perfect."""

_NAME = re.compile("[A-Za-z][A-Za-z0-9_-]*")
_offered: dict[str, LossFunction] = {}
LOSSES: Mapping[str, LossFunction] = MappingProxyType(_offered)
"""The losses that plugins offer, by name."""


def loss(name: str) -> Callable[[LossFunction], LossFunction]:
    """Offer a loss to recipes under a name; a decorator.

    Args:
        name: What recipes, the table of losses and the curves call it: a letter, then letters, digits, ``_`` and
            ``-``.

    Raises:
        OasisGanError: If the name cannot be used, or another file offers a loss of this name.
    """

    def offer(function: LossFunction) -> LossFunction:
        _require_name(name, function)
        _offered[name] = function
        # What oasis-gan plugins --check runs.
        function.check_contract = partial(_check, name)  # type: ignore[attr-defined]
        return function

    return offer


def compute_loss(name: str, inputs: LossInputs) -> Tensor:
    """Return how wrong each slice is, (n,), by the loss called ``name``.

    Raises:
        OasisGanError: If the function fails, or returns something else.
    """
    function = _offered[name]
    where = f"loss {name} ({_find_file(function)})"
    expected = "a number for each slice, of shape (n,)"
    try:
        with foreign_code(where):
            answer = function(inputs)
            axes = len(answer.shape)
    # The function may be anybody's.
    except Exception as error:
        raise OasisGanError(
            where, expected=expected, found=one_line(error), remedy="fix the loss"
        ) from error
    if axes != 1:
        raise OasisGanError(
            where, expected=expected, found=str(answer.shape), remedy="fix the loss"
        )
    return answer


def _check(name: str) -> int:
    """Check a loss; return how many checks it kept."""
    # It needs TensorFlow.
    from .loss_contract import check_loss

    return check_loss(name, partial(compute_loss, name))


def _require_name(name: str, function: LossFunction) -> None:
    """Raise `OasisGanError` if a name cannot be a column of the table of losses, or is taken by another file."""
    if not _NAME.fullmatch(name) or name.startswith("validation_") or name.endswith("_gradient"):
        expected = "a name of letters, digits, _ and -, other than validation_... and ..._gradient"
        raise OasisGanError("loss", expected=expected, found=repr(name), remedy="rename it")
    other = _offered.get(name)
    # A file may be loaded more than once.
    if other is not None and _find_file(other) != _find_file(function):
        expected = f"a name that {_find_file(other)} does not use"
        raise OasisGanError(
            f"loss {name}", expected=expected, found=_find_file(function), remedy="rename it"
        )


def _find_file(function: LossFunction) -> str:
    """Return the file that a function stands in, or else its module."""
    code = getattr(function, "__code__", None)
    return code.co_filename if code is not None else str(getattr(function, "__module__", "?"))
