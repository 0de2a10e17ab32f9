"""What the plugins offer, and keeping the tool alive when one of them is broken."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import pluggy

from ..errors import OasisGanError, one_line, printable
from . import hookspecs
from .datasets import Dataset
from .discovery import OWN_DISTRIBUTION, Load, Source, from_file, installed
from .exporters import Exporter
from .extensions import find_extensions
from .foreign import foreign_code
from .hookspecs import PROJECT
from .models import ModelKind


@dataclass(frozen=True)
class TrainedModel:
    """A trained model that comes with a plugin."""

    name: str
    kind: ModelKind
    folder: Path


Offer = TypeVar("Offer", Dataset, ModelKind, Exporter, TrainedModel)
Hook = Callable[[], Iterable[Any]]


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
        """Take an offer in, or raise `OasisGanError` if its name is taken or none that one could type."""
        name: object = offer.name
        if not isinstance(name, str) or not name.isprintable() or name.split() != [name]:
            expected = "a name without spaces"
            raise OasisGanError(self.kind, expected=expected, found=repr(name), remedy="rename it")
        if name in self.offers:
            raise NameTakenError(f"{self.kind} {name}", self.sources[name], source)
        self.offers[name] = offer
        self.sources[name] = source


@dataclass
class Registry:
    """All that the installed plugins offer, and what is wrong with those that offer nothing."""

    datasets: Catalogue[Dataset] = field(default_factory=lambda: Catalogue("dataset"))
    models: Catalogue[ModelKind] = field(default_factory=lambda: Catalogue("model kind"))
    exporters: Catalogue[Exporter] = field(default_factory=lambda: Catalogue("exporter"))
    trained: Catalogue[TrainedModel] = field(default_factory=lambda: Catalogue("model"))
    problems: list[str] = field(default_factory=list)
    _errors: list[BaseException] = field(default_factory=list)

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
        for source, load in installed():
            registry._take(manager, source, load)
        for file in files:
            registry._take_file(manager, file)
        return registry

    def _take_file(self, manager: pluggy.PluginManager, file: Path) -> None:
        """Take a plugin file, or raise `OasisGanError` with the first thing that is wrong with it."""
        source, load = from_file(file)
        known = len(self.problems)
        self._take(manager, source, load)
        if len(self.problems) == known:
            return
        problem, error = self.problems[known], self._errors[known]
        if isinstance(error, NameTakenError):
            raise _file_takes_name(file, error)
        raise OasisGanError("`plugin_files`", expected="a working plugin", found=problem, remedy="fix that file")

    def _take(self, manager: pluggy.PluginManager, source: Source, load: Load) -> None:
        """Register one plugin and collect its offers, each hook by itself: what one breaks the others keep."""
        try:
            with foreign_code("import"):
                plugin = load()
            callers = _registered(manager, plugin, source)
        # A plugin is foreign code and may raise anything.
        except Exception as error:  # noqa: BLE001
            self._report(source, error)
            return
        for caller in callers:
            for implementation in (i for i in caller.get_hookimpls() if i.plugin is plugin):
                if caller.has_spec():
                    self._collect(caller.name, cast("Hook", implementation.function), source)
                elif not implementation.optionalhook:
                    expected, remedy = f"one of {', '.join(self._catalogues)}", "rename that hook"
                    self._report(source, OasisGanError("hook", expected=expected, found=caller.name, remedy=remedy))

    @property
    def _catalogues(self) -> dict[str, tuple[Catalogue[Any], type]]:
        return {
            "oasis_gan_datasets": (self.datasets, Dataset),
            "oasis_gan_models": (self.models, ModelKind),
            "oasis_gan_exporters": (self.exporters, Exporter),
        }

    def _collect(self, hook: str, implementation: Hook, source: Source) -> None:
        catalogue, kind = self._catalogues[hook]
        try:
            with foreign_code("call"):
                offers = list(implementation())
        except Exception as error:  # noqa: BLE001
            found, remedy = one_line(error), "mend that hook"
            self._report(source, OasisGanError(hook, expected=f"{kind.__name__} objects", found=found, remedy=remedy))
            return
        for offer in offers:
            try:
                _require_fields(offer, kind, hook)
                catalogue.add(offer, source)
            except OasisGanError as error:
                self._report(source, error)
            else:
                self._add_trained(offer, source)

    def _add_trained(self, offer: Dataset | ModelKind | Exporter, source: Source) -> None:
        if not isinstance(offer, ModelKind):
            return
        for name, folder in offer.shipped.items():
            try:
                self.trained.add(TrainedModel(name, offer, folder), source)
            except OasisGanError as error:
                self._report(source, error)

    def _report(self, source: Source, error: BaseException) -> None:
        self.problems.append(printable(f"plugin {source}: {one_line(error)}"))
        self._errors.append(error)


def _file_takes_name(file: Path, error: NameTakenError) -> OasisGanError:
    """Return what to say of a plugin file that offers a name which another plugin holds, often its installed self."""
    holder = error.holder
    if holder.provider == OWN_DISTRIBUTION:
        remedy = "choose another name in that file"
    elif holder.provider.endswith(".py"):
        remedy = "name only one of the two files"
    else:
        remedy = f"use the installed plugin, or run pip uninstall {holder.provider} first"
    expected = f"a new name for {error.offer}"
    return OasisGanError(file, expected=expected, found=f"{holder} offering it already", remedy=remedy)


def _registered(manager: pluggy.PluginManager, plugin: object, source: Source) -> list[pluggy.HookCaller]:
    """Register a plugin and return its hooks."""
    remedy = "see oasis_gan.plugin.hookspecs"
    try:
        manager.register(plugin, name=str(source))
    except pluggy.PluginValidationError as error:
        # Its last line says what is wrong, those before only where.
        found = str(error).splitlines()[-1]
        raise OasisGanError("hooks", expected="the arguments of their specs", found=found, remedy=remedy) from None
    callers = manager.get_hookcallers(plugin) or []
    if not callers and not find_extensions(plugin):
        raise OasisGanError(source.plugin, expected="a hook marked @hookimpl", found="none", remedy=remedy)
    return callers


def _require_fields(offer: object, kind: type, hook: str) -> None:
    """Raise `OasisGanError` unless ``offer`` is what its hook promises, as far as the tool leans on it."""
    if not isinstance(offer, kind):
        found, remedy = type(offer).__name__, f"yield {kind.__name__} objects"
        raise OasisGanError(hook, expected=f"{kind.__name__} objects", found=found, remedy=remedy)
    summary, shipped = getattr(offer, "summary", ""), getattr(offer, "shipped", {})
    if not isinstance(summary, str):
        raise OasisGanError(hook, expected="a summary of one line", found=repr(summary), remedy="give it one")
    if not isinstance(shipped, Mapping):
        expected, found = "shipped models by name, a folder each", repr(shipped)
        raise OasisGanError(hook, expected=expected, found=found, remedy="make it a dictionary")
    options = getattr(offer, "options", ())
    if not isinstance(options, (tuple, list)) or not all(isinstance(name, str) for name in options):
        expected, remedy = "options as a tuple of names", 'write it as in options=("texture",)'
        raise OasisGanError(hook, expected=expected, found=repr(options), remedy=remedy)
