"""Name what can be wrong with a loss: a class for each kind of fault."""

from __future__ import annotations

from oasis_gan import OasisGanError

from .errors import Shape


class WrongShapeError(OasisGanError):
    """Arrays do not have the names or shapes of the variables of a network or optimizer.

    Args:
        where: Where the arrays come from.
        name: The first name that differs.
        expected: The shape of the variable; None if there is none of this name.
        found: The shape of the array; None if there is none of this name.
    """

    def __init__(
        self,
        where: object,
        name: str,
        expected: Shape | None,
        found: Shape | None,
    ) -> None:
        super().__init__(
            where,
            expected=f"{name} of shape {_describe_shape(expected)}",
            found=_describe_shape(found),
            remedy="use settings and weights of the same model",
        )


class BadLossNameError(OasisGanError):
    """A loss has a name that cannot be a column of the table of losses."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "loss",
            expected="a name of letters, digits, _ and -, other than validation_... and "
            "..._gradient",
            found=repr(name),
            remedy="rename it",
        )


class LossNameTakenError(OasisGanError):
    """Two files offer a loss of the same name.

    Args:
        name: The name.
        first: The file whose loss was loaded first.
        second: The other file.
    """

    def __init__(self, name: str, first: str, second: str) -> None:
        super().__init__(
            f"loss {name}",
            expected=f"a name that {first} does not use",
            found=second,
            remedy="rename it",
        )


class FailedLossError(OasisGanError):
    """A loss raises an exception, or returns something other than a number for each slice."""

    def __init__(self, where: str, found: str) -> None:
        super().__init__(
            where,
            expected="a number for each slice, of shape (n,)",
            found=found,
            remedy="fix the loss",
        )


class BrokenLossError(OasisGanError):
    """A loss of a plugin fails one of the checks."""

    def __init__(self, name: str, *, expected: str, found: str) -> None:
        super().__init__(
            f"loss {name}",
            expected=expected,
            found=found,
            remedy="fix the loss",
        )


def _describe_shape(shape: Shape | None) -> str:
    return "none" if shape is None else str(shape)
