"""Check that a plugin was written for a version of the API that this tool supports."""

from __future__ import annotations

from oasis_gan import __api_version__

from ..errors import OasisGanError

OLDEST = 1
"""The oldest version of the API whose plugins still work."""
DECLARATION = "oasis_gan_api_version"
"""The variable in which a plugin's module may state its API version."""


def require_supported(plugin: object) -> None:
    """Raise `OasisGanError` if this tool does not support the API version of a plugin."""
    version = getattr(plugin, DECLARATION, __api_version__)
    if not isinstance(version, int):
        remedy = f"write it as {DECLARATION} = {__api_version__}"
        expected = "a whole number"
        raise OasisGanError(DECLARATION, expected=expected, found=repr(version), remedy=remedy)
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
    """Explain an import error if the plugin imports a name that the tool does not have."""
    if error.name is None or error.name.partition(".")[0] != "oasis_gan":
        return error
    return OasisGanError(
        "import",
        expected=f"public names of oasis_gan in API version {__api_version__}",
        found=str(error).partition(" (")[0],
        remedy="upgrade oasis-gan or the plugin, whichever is older",
    )
