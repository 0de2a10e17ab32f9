"""Check that a plugin was written for a version of the API that this tool supports."""

from __future__ import annotations

from oasis_gan import __api_version__

from .hook_errors import (
    ApiVersionTypeError,
    MissingPublicNameError,
    UnsupportedApiVersionError,
)

OLDEST = 1
"""The oldest version of the API whose plugins still work."""
DECLARATION = "oasis_gan_api_version"
"""The variable in which a plugin's module may state its API version."""


def require_supported(plugin: object) -> None:
    """Raise `OasisGanError` if this tool does not support the API version of a plugin."""
    version = getattr(plugin, DECLARATION, __api_version__)
    if not isinstance(version, int):
        raise ApiVersionTypeError(DECLARATION, version, __api_version__)
    if version > __api_version__:
        remedy = "upgrade oasis-gan, or install an older version of the plugin"
    elif version < OLDEST:
        remedy = "upgrade the plugin, or install an older oasis-gan"
    else:
        return
    raise UnsupportedApiVersionError(DECLARATION, version, _describe_supported(), remedy)


def _describe_supported() -> str:
    """Return the supported versions as words: ``1``, or ``1 to 3``."""
    if __api_version__ > OLDEST:
        return f"{OLDEST} to {__api_version__}"
    return str(__api_version__)


def explain_import(error: ImportError) -> Exception:
    """Explain an import error if the plugin imports a name that the tool does not have."""
    package, _, _ = (error.name or "").partition(".")
    # A plugin may lack other packages too; then Python's own words say which.
    if package != "oasis_gan":
        return error
    return MissingPublicNameError(error, __api_version__)
