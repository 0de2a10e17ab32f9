"""What the plugins offer of one kind, by name."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar

from ..errors import OasisGanError
from .discovery import Source


class Named(Protocol):
    """Whatever has a name."""

    @property
    def name(self) -> str:
        """What the user types."""


Offer = TypeVar("Offer", bound=Named)


def own_name(offer: Named) -> Iterable[str]:
    """Return the names of what goes by its own name alone."""
    return (offer.name,)


class NameTakenError(OasisGanError):
    """A plugin offers something under a name that another one holds.

    Args:
        offer: What is offered, with its name.
        holder: Who holds the name.
        source: Who offers it too.
    """

    def __init__(self, offer: str, holder: Source, source: Source) -> None:
        found = f"{holder} and {source} both offering it"
        remedy = f"{holder} keeps it; rename or uninstall the other"
        super().__init__(offer, expected="one provider", found=found, remedy=remedy)
        self.offer = offer
        self.holder = holder


@dataclass
class Catalogue(Generic[Offer]):
    """What the plugins offer of one kind, by name; the first to take a name keeps it.

    Args:
        kind: What one thing in it is called, such as ``dataset``.
        names_of: Returns all the names that lead to an offer, its own among them. Letters of either case are the same.
    """

    kind: str
    names_of: Callable[[Offer], Iterable[str]] = own_name
    offers: dict[str, Offer] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)
    _holders: dict[str, str] = field(default_factory=dict)

    def __iter__(self) -> Iterator[Offer]:
        """Iterate over the offers, the built-in ones first."""
        return iter(self.offers.values())

    def get(self, name: str) -> Offer:
        """Return the offer called ``name``, or raise `OasisGanError` with the names there are."""
        if name not in self.offers:
            known = ", ".join(sorted(self.offers)) or "none"
            raise OasisGanError(
                f"{self.kind} {name}",
                expected=f"one of {known}",
                found=name,
                remedy="see oasis-gan plugins",
            )
        return self.offers[name]

    def add(self, offer: Offer, source: Source) -> None:
        """Take an offer in.

        Raises:
            OasisGanError: If one of its names is taken, or none that one could type.
        """
        if self.offers.get(_typable(offer.name, self.kind)) == offer:
            # Two plugins may bring the same published label set.
            return
        names = [name.casefold() for name in self.names_of(offer)]
        for name in names:
            if name in self._holders:
                holder = self.sources[self._holders[name]]
                raise NameTakenError(f"{self.kind} {offer.name}", holder, source)
        self._holders.update(dict.fromkeys(names, offer.name))
        self.offers[offer.name] = offer
        self.sources[offer.name] = source


def _typable(name: object, kind: str) -> str:
    """Return a name, or raise `OasisGanError` if nobody could type it as one word."""
    if isinstance(name, str) and name.isprintable() and name.split() == [name]:
        return name
    raise OasisGanError(
        kind, expected="a name without spaces", found=repr(name), remedy="rename it"
    )
