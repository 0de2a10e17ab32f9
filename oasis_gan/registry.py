"""Finding plugins, and keeping the tool alive when one of them is broken."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from importlib.metadata import EntryPoint, distributions
from pathlib import Path
from types import ModuleType
from typing import Any, Generic, TypeVar, cast

import pluggy

from . import hookspecs
from .datasets import Dataset
from .errors import OasisGanError, one_line, printable
from .exporters import Exporter
from .hookspecs import PROJECT
from .models import ModelKind

Offer = TypeVar("Offer", Dataset, ModelKind, Exporter)
Hook = Callable[[], Iterable[Any]]
_OWN = "oasis-gan"


@dataclass(frozen=True)
class Source:
    """Where a plugin came from: its own name, and the distribution or file that brought it."""

    plugin: str
    provider: str

    def __str__(self) -> str:
        return f"{self.plugin} ({self.provider})"


@dataclass
class Catalogue(Generic[Offer]):
    """What the plugins offer of one kind, by name; the first to take a name keeps it."""

    kind: str
    offers: dict[str, Offer] = field(default_factory=dict)
    sources: dict[str, Source] = field(default_factory=dict)

    def get(self, name: str) -> Offer:
        """Return the offer called ``name``, or raise `OasisGanError` with the names there are."""
        if name not in self.offers:
            there = ", ".join(sorted(self.offers)) or "none"
            remedy = "see oasis-gan plugins"
            raise OasisGanError(f"{self.kind} {name}", expected=f"one of {there}", found=name, remedy=remedy)
        return self.offers[name]

    def add(self, offer: Offer, source: Source) -> None:
        """Take an offer in, unless its name is taken."""
        if offer.name in self.offers:
            holder = self.sources[offer.name]
            found = f"{holder} and {source} both offering it"
            remedy = f"{holder} keeps it; rename or uninstall the other"
            raise OasisGanError(f"{self.kind} {offer.name}", expected="one provider", found=found, remedy=remedy)
        self.offers[offer.name] = offer
        self.sources[offer.name] = source


@dataclass
class Registry:
    """All that the installed plugins offer, and what is wrong with those that offer nothing."""

    datasets: Catalogue[Dataset] = field(default_factory=lambda: Catalogue("dataset"))
    models: Catalogue[ModelKind] = field(default_factory=lambda: Catalogue("model kind"))
    exporters: Catalogue[Exporter] = field(default_factory=lambda: Catalogue("exporter"))
    problems: list[str] = field(default_factory=list)

    @classmethod
    def discover(cls, files: Iterable[Path] = ()) -> Registry:
        """Load every installed plugin, the project's own first, then the plugin ``files``.

        A broken installed plugin becomes a line in `problems`. A broken file was asked for by the user.

        Raises:
            OasisGanError: If one of ``files`` cannot be used.
        """
        registry = cls()
        manager = pluggy.PluginManager(PROJECT)
        manager.add_hookspecs(hookspecs)
        for source, load in _installed():
            registry._take(manager, source, load)
        known = len(registry.problems)
        for file in files:
            registry._take(manager, Source(file.stem, str(file)), _file_loader(file))
        if len(registry.problems) > known:
            raise OasisGanError(
                "--plugin",
                expected="a working plugin",
                found=registry.problems[known],
                remedy="mend that file",
            )
        return registry

    def _take(self, manager: pluggy.PluginManager, source: Source, load: Callable[[], Any]) -> None:
        """Register one plugin and collect its offers, each hook by itself: what one breaks the others keep."""
        try:
            plugin = load()
            manager.register(plugin, name=str(source))
            callers = manager.get_hookcallers(plugin) or []
            if not callers:
                raise OasisGanError(
                    source.plugin,
                    expected="a hook marked @hookimpl",
                    found="none",
                    remedy="see oasis_gan.hookspecs",
                )
        # A plugin is foreign code and may raise anything, SystemExit included.
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self._report(source, error)
            return
        for caller in callers:
            for implementation in (i for i in caller.get_hookimpls() if i.plugin is plugin):
                self._collect(caller.name, cast("Hook", implementation.function), source)

    def _collect(self, hook: str, implementation: Hook, source: Source) -> None:
        catalogue, kind = {
            "oasis_gan_datasets": (self.datasets, Dataset),
            "oasis_gan_models": (self.models, ModelKind),
            "oasis_gan_exporters": (self.exporters, Exporter),
        }[hook]
        try:
            offers = list(implementation())
        except (Exception, SystemExit) as error:  # noqa: BLE001
            self._report(source, error)
            return
        for offer in offers:
            try:
                if not isinstance(offer, kind):
                    found, remedy = type(offer).__name__, f"yield {kind.__name__} objects"
                    raise OasisGanError(hook, expected=f"{kind.__name__} objects", found=found, remedy=remedy)
                catalogue.add(offer, source)  # type: ignore[attr-defined]  # the two go together
            except OasisGanError as error:
                self._report(source, error)

    def _report(self, source: Source, error: BaseException) -> None:
        self.problems.append(printable(f"plugin {source}: {one_line(error)}"))


def _installed() -> Iterator[tuple[Source, Callable[[], Any]]]:
    """Yield the installed plugins, our own first so that no third party takes over a built-in."""
    found: dict[tuple[str, str], EntryPoint] = {}
    for distribution in distributions():
        for entry_point in distribution.entry_points:
            if entry_point.group == PROJECT:
                # The first of two copies on the path is the one that gets imported.
                found.setdefault((distribution.metadata["Name"], entry_point.name), entry_point)
    for (provider, name), entry_point in sorted(found.items(), key=lambda item: (item[0][0] != _OWN, item[0])):
        yield Source(name, provider), entry_point.load


def _file_loader(file: Path) -> Callable[[], ModuleType]:
    def load() -> ModuleType:
        if not file.is_file():
            raise OasisGanError(file, expected="a Python file", found="no such file", remedy="check the path")
        spec = importlib.util.spec_from_file_location(f"oasis_gan_plugin_{abs(hash(file.resolve()))}", file)
        if spec is None or spec.loader is None:
            raise OasisGanError(file, expected="a Python file", found=file.suffix, remedy="name it .py")
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    return load
