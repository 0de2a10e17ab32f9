"""Describe a hook: one row of the table `oasis_gan.plugin.hookspecs.HOOK_KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalogue import own_name


@dataclass(frozen=True, kw_only=True)
class HookKind:
    """One kind of object that plugins offer.

    The registry, ``oasis-gan plugins``, ``plugins --check`` and the contracts loop over these rows;
    none of them mentions a kind by name.

    Args:
        spec: The hook; its docstring tells plugin authors how to implement it.
        description: The class of the objects that the hook yields, which have a name and a summary.
        called: The name of the kind in listings and messages, such as ``dataset``.
        contract: The class in `oasis_gan.testing` with the checks for this kind.
        names_of: Returns the name of an object and its aliases.
        built_in: The objects that the tool offers without a plugin.
        arguments: The arguments of the hook by name; an implementation takes those it needs.
    """

    spec: Callable[..., Iterable[Any]]
    description: type
    called: str
    contract: str
    names_of: Callable[[Any], Iterable[str]] = own_name
    built_in: tuple[Any, ...] = ()
    arguments: Mapping[str, object] = field(default_factory=dict)

    @property
    def hook(self) -> str:
        """The name of the function that a plugin implements."""
        return self.spec.__name__
