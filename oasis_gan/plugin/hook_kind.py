"""What the tool knows of a hook: one row of the table `oasis_gan.plugin.hookspecs.HOOK_KINDS`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalogue import own_name


@dataclass(frozen=True, kw_only=True)
class HookKind:
    """One kind of thing that plugins offer.

    Registry, ``oasis-gan plugins``, ``plugins --check`` and the contracts loop over these rows: none of them names a
    kind itself.

    Args:
        spec: The hook; its docstring tells plugin authors how to implement it.
        description: The class of what the hook yields. Its objects have a name and a summary.
        called: What one of them is called in listings and messages, such as ``dataset``.
        contract: The class in `oasis_gan.testing` whose checks they pass.
        names_of: Returns all the names that lead to one of them.
        built_in: Those that the tool has without any plugin.
        arguments: What the hook is called with, by the names of its arguments; an implementation takes those it needs.
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
