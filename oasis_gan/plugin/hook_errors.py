"""Name what can be wrong with the hooks of a plugin: a class for each kind of fault."""

from __future__ import annotations

from collections.abc import Iterable

from ..errors import OasisGanError, one_line

_HOOKSPECS = "see oasis_gan.plugin.hookspecs"


class ApiVersionTypeError(OasisGanError):
    """The API version that a plugin states is not a whole number.

    Args:
        variable: The variable in which a plugin states its API version.
        value: The value of that variable.
        current: The API version of this tool.
    """

    def __init__(self, variable: str, value: object, current: int) -> None:
        super().__init__(
            variable,
            expected="a whole number",
            found=repr(value),
            remedy=f"write it as {variable} = {current}",
        )


class UnsupportedApiVersionError(OasisGanError):
    """A plugin is written for an API version that this tool does not support.

    Args:
        variable: The variable in which a plugin states its API version.
        version: The API version of the plugin.
        supported: The API versions that this tool supports, such as ``1 to 3``.
        remedy: What to do about it.
    """

    def __init__(self, variable: str, version: int, supported: str, remedy: str) -> None:
        super().__init__(
            variable,
            expected=f"a plugin written for API version {supported}",
            found=f"one for {version}",
            remedy=remedy,
        )


class MissingPublicNameError(OasisGanError):
    """A plugin imports a name that this tool does not have.

    Args:
        error: What Python says about the import.
        current: The API version of this tool.
    """

    def __init__(self, error: ImportError, current: int) -> None:
        # Python adds the path of the file in brackets, which is of no use to the user.
        found, _, _ = str(error).partition(" (")
        super().__init__(
            "import",
            expected=f"public names of oasis_gan in API version {current}",
            found=found,
            remedy="upgrade oasis-gan or the plugin, whichever is older",
        )


class HookArgumentsError(OasisGanError):
    """A hook of a plugin takes other arguments than its specification."""

    def __init__(self, reason: Exception) -> None:
        # Only the last line says what is wrong.
        found = str(reason).splitlines()[-1]
        super().__init__(
            "hooks",
            expected="the arguments of their specs",
            found=found,
            remedy=_HOOKSPECS,
        )


class NoHookError(OasisGanError):
    """A plugin implements no hook."""

    def __init__(self, plugin: str) -> None:
        super().__init__(
            plugin,
            expected="a hook marked @hookimpl",
            found="none",
            remedy=_HOOKSPECS,
        )


class UnknownHookError(OasisGanError):
    """A plugin implements a hook that the tool does not have."""

    def __init__(self, hook: str, known: Iterable[str]) -> None:
        super().__init__(
            "hook",
            expected=f"one of {', '.join(known)}",
            found=hook,
            remedy="rename that hook",
        )


class BrokenHookError(OasisGanError):
    """A hook of a plugin raises an exception.

    Args:
        hook: The name of the hook.
        kind: The class of the objects that it should return.
        reason: The exception.
    """

    def __init__(self, hook: str, kind: type, reason: Exception) -> None:
        found = one_line(reason)
        super().__init__(
            hook,
            expected=f"{kind.__name__} objects",
            found=found,
            remedy="fix that hook",
        )


class WrongOfferError(OasisGanError):
    """A hook returns something else than objects of its kind."""

    def __init__(self, hook: str, kind: type, offer: object) -> None:
        expected = f"{kind.__name__} objects"
        found = type(offer).__name__
        super().__init__(
            hook,
            expected=expected,
            found=found,
            remedy=f"yield {expected}",
        )


class WrongFieldError(OasisGanError):
    """An object that a plugin offers has a field of a wrong type.

    Args:
        hook: The hook that returned the object.
        kind: The class of the object.
        declaration: The name of the field and its type, such as ``summary: str``.
        value: The value of the field.
    """

    def __init__(self, hook: str, kind: type, declaration: str, value: object) -> None:
        super().__init__(
            hook,
            expected=f"{kind.__name__} objects with {declaration}",
            found=repr(value),
            remedy="fix that field",
        )
