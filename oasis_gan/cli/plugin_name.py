"""Require of a new plugin a name that its package, its module and its offers can all have."""

from __future__ import annotations

import importlib.util
import keyword
import re
from collections.abc import Collection
from typing import Any

from ..errors import OasisGanError
from ..plugin.catalogue import Catalogue
from ..plugin.registry import Registry

_WORDS = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_LONGEST = 40  # characters
_STAND_IN = "my-plugin"


class ProjectNameError(OasisGanError):
    """A name cannot be that of a package and, with underscores, that of its module."""

    def __init__(self, name: str) -> None:
        expected = "lower-case words with hyphens between them, the first without a digit in front"
        if len(name) > _LONGEST:
            expected = f"at most {_LONGEST} characters"
        if keyword.iskeyword(name):
            expected = "a name that is no keyword of Python"
        super().__init__(
            "NAME",
            expected=expected,
            found=repr(name),
            remedy=f"for example {suggest_name(name)}",
        )


class ModuleTakenError(OasisGanError):
    """A plugin would hide a module of Python, or of an installed package."""

    def __init__(self, name: str) -> None:
        super().__init__(
            "NAME",
            expected="a name that no installed module has",
            found=f"{name}, of which Python imports a module {to_module(name)} already",
            remedy="choose another name",
        )


class OfferTakenError(OasisGanError):
    """A plugin of a new kind would offer something that an installed plugin offers already.

    Args:
        offer: The kind and the name of the offer.
        holder: The plugin that offers it.
    """

    def __init__(self, offer: str, holder: object) -> None:
        super().__init__(
            "NAME",
            expected="a name that no plugin offers yet",
            found=f"{offer} of {holder}",
            remedy="choose another name",
        )


def require_free_name(name: str, kinds: Collection[str]) -> None:
    """Raise an error if a plugin of some kinds cannot have a name.

    Args:
        name: What the user typed.
        kinds: What the plugin will offer under that name: ``dataset``, ``model`` or ``exporter``.

    Raises:
        ProjectNameError: If packages or modules cannot have that name.
        ModuleTakenError: If another module has it.
        OfferTakenError: If another plugin offers something of that name.
    """
    if not _is_possible(name):
        raise ProjectNameError(name)
    if importlib.util.find_spec(to_module(name)) is not None:
        raise ModuleTakenError(name)
    registry = Registry.discover()
    for kind, catalogue in registry.catalogues():
        # What the tool calls a model kind is a model to the author of a plugin.
        if kind.called.split()[0] in kinds:
            _require_free(name, catalogue)
    # A new kind of model comes with a trained model of its name.
    _require_free(name, registry.trained)


def _require_free(name: str, catalogue: Catalogue[Any]) -> None:
    """Raise `OfferTakenError` if a plugin offers something of a name in a catalogue."""
    holder = catalogue.origins.get(name)
    if holder is not None:
        raise OfferTakenError(f"{catalogue.kind} {name}", holder)


def to_module(name: str) -> str:
    """Return the name of the module in a package of this name."""
    return name.replace("-", "_")


def suggest_name(name: str) -> str:
    """Return a possible name that resembles one, or a name that stands in for it."""
    words = re.findall(r"[a-z0-9]+", name.casefold())
    similar = "-".join(words)
    for suggestion in (similar, f"plugin-{similar}"):
        if _is_possible(suggestion):
            return suggestion
    return _STAND_IN


def _is_possible(name: str) -> bool:
    if len(name) > _LONGEST or keyword.iskeyword(name):
        return False
    return _WORDS.fullmatch(name) is not None
