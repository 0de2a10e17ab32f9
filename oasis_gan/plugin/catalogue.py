"""Keep what the plugins offer of one kind, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from ..errors import OasisGanError
from .discovery import PluginOrigin
from .errors import UnknownNameError, UntypableNameError


class Named(Protocol):
    """An object that has a name."""

    @property
    def name(self) -> str:
        """Return the name that the user types."""


Offer = TypeVar("Offer", bound=Named)


def own_name(offer: Named) -> Iterable[str]:
    """Return the only name of an offer that has no aliases."""
    return (offer.name,)


class NameTakenError(OasisGanError):
    """A plugin offers something under a name that another plugin uses already.

    Args:
        offer: The kind and the name of the offer.
        holder: The plugin that uses the name already.
        origin: The plugin that offers it too.
    """

    def __init__(
        self,
        offer: str,
        holder: PluginOrigin,
        origin: PluginOrigin,
    ) -> None:
        found = f"{holder} and {origin} both offering it"
        remedy = f"{holder} keeps it; rename or uninstall the other"
        super().__init__(
            offer,
            expected="one provider",
            found=found,
            remedy=remedy,
        )
        self.offer = offer
        self.holder = holder


@dataclass
class Catalogue(Generic[Offer]):
    """Everything that the plugins offer of one kind, by name; the first to take a name keeps it.

    Args:
        kind: The name of the kind in messages, such as ``dataset``.
        names_of: Returns the name of an offer and its aliases; names are not case-sensitive.
    """

    kind: str
    names_of: Callable[[Offer], Iterable[str]] = own_name
    offers: dict[str, Offer] = field(default_factory=dict)
    origins: dict[str, PluginOrigin] = field(default_factory=dict)
    _holders: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Offer]:
        """Iterate over the offers, the built-in ones first."""
        return iter(self.offers.values())

    def get(self, name: str) -> Offer:
        """Return the offer called ``name``, or raise `OasisGanError` with the names there are."""
        if name not in self.offers:
            raise UnknownNameError(self.kind, name, self.offers)
        return self.offers[name]

    def add(self, offer: Offer, origin: PluginOrigin) -> None:
        """Add an offer.

        Raises:
            OasisGanError: If one of its names is taken, or cannot be typed as one word.
        """
        _require_typable(offer.name, self.kind)
        if self.offers.get(offer.name) == offer:
            # Two plugins may offer the same published label set.
            return
        names = [name.casefold() for name in self.names_of(offer)]
        for name in names:
            if name in self._holders:
                # The taken name may be an alias of the holder's offer.
                holder = self.origins[self._holders[name]]
                raise NameTakenError(f"{self.kind} {offer.name}", holder, origin)
        self._holders.update(dict.fromkeys(names, offer.name))
        self.offers[offer.name] = offer
        self.origins[offer.name] = origin


def _require_typable(name: object, kind: str) -> None:
    """Raise `UntypableNameError` if a name cannot be typed as one word."""
    if isinstance(name, str) and name.isprintable() and name.split() == [name]:
        return
    raise UntypableNameError(kind, name)
