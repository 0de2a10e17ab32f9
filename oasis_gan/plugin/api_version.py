"""Which version of what plugins build on a plugin was written for, and whether this tool still serves it."""

from __future__ import annotations

from oasis_gan import __api_version__

from ..errors import OasisGanError

OLDEST = 1
"""The oldest version of the API whose plugins still work."""
DECLARATION = "oasis_gan_api_version"
"""The name under which the module of a plugin says which version it was written for; it may say nothing."""


def require_supported(plugin: object) -> None:
    """Raise `OasisGanError` if a plugin was written for a version of the API that this tool does not serve."""
    version = getattr(plugin, DECLARATION, __api_version__)
    if not isinstance(version, int):
        remedy = f"write it as {DECLARATION} = {__api_version__}"
        raise OasisGanError(
            DECLARATION, expected="a whole number", found=repr(version), remedy=remedy
        )
    if version > __api_version__:
        raise _unsupported(version, "upgrade oasis-gan, or install an older version of the plugin")
    if version < OLDEST:
        raise _unsupported(version, "upgrade the plugin, or install an older oasis-gan")


def _unsupported(version: int, remedy: str) -> OasisGanError:
    served = f"{OLDEST} to {__api_version__}" if __api_version__ > OLDEST else f"{__api_version__}"
    return OasisGanError(
        DECLARATION,
        expected=f"a plugin written for API version {served}",
        found=f"one for {version}",
        remedy=remedy,
    )


def explain_import(error: ImportError) -> Exception:
    """Return what to say of a plugin that cannot be imported: whether it asks for what the tool does not have."""
    if error.name is None or error.name.partition(".")[0] != "oasis_gan":
        return error
    return OasisGanError(
        "import",
        expected=f"public names of oasis_gan in API version {__api_version__}",
        found=str(error).partition(" (")[0],
        remedy="upgrade oasis-gan or the plugin, whichever is older",
    )
