"""Load plugins and collect what they offer; a broken plugin must not stop the tool."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pluggy

from ..errors import OasisGanError, one_line, printable
from .api_version import explain_import, require_supported
from .catalogue import Catalogue, NameTakenError, Offer
from .description import find_wrong_field
from .discovery import OWN_DISTRIBUTION, PROJECT, Load, PluginOrigin, find_plugins, from_file
from .errors import (
    BrokenPluginFileError,
    FileTakesNameError,
)
from .extensions import find_extensions
from .foreign import foreign_code
from .hook_errors import (
    BrokenHookError,
    HookArgumentsError,
    NoHookError,
    UnknownHookError,
    WrongFieldError,
    WrongOfferError,
)
from .hook_kind import HookKind
from .hookspecs import HOOK_KINDS
from .models import ModelKind

_CORE = PluginOrigin("core", OWN_DISTRIBUTION)
"""The origin of everything that the tool offers without a plugin."""


@dataclass(frozen=True)
class TrainedModel:
    """A trained model that a plugin ships."""

    name: str
    kind: ModelKind
    folder: Path


class Registry:
    """Everything that the installed plugins offer, and the problems of broken plugins.

    ``registry[Dataset]`` is the catalogue of all readers, and so on for each kind of description.

    Args:
        kinds: The kinds of things that plugins can offer.

    Attributes:
        trained: The trained models that plugins ship.
        problems: One line for each problem of a plugin.
        deprecations: One line for each deprecated feature that a plugin uses.
    """

    def __init__(self, kinds: Iterable[HookKind] = HOOK_KINDS) -> None:
        self.trained: Catalogue[TrainedModel] = Catalogue("model")
        self.problems: list[str] = []
        self.deprecations: list[str] = []
        self._errors: list[BaseException] = []
        self._kinds = {kind.hook: kind for kind in kinds}
        self._catalogues: dict[type, Catalogue[Any]] = {}
        for kind in self._kinds.values():
            catalogue: Catalogue[Any] = Catalogue(kind.called, kind.names_of)
            for offer in kind.built_in:
                catalogue.add(offer, _CORE)
            self._catalogues[kind.description] = catalogue

    @classmethod
    def discover(
        cls,
        files: Iterable[Path] = (),
        kinds: Iterable[HookKind] = HOOK_KINDS,
    ) -> Registry:
        """Load the installed plugins, then those of the environment, then the plugin ``files``.

        The project's own come first, and those that the environment switches off are left out. A
        broken plugin becomes a line in `problems`. A broken one of ``files`` raises an error,
        because the user asked for it.

        Args:
            files: Plugin files that the user names.
            kinds: The kinds of things that plugins can offer.

        Raises:
            OasisGanError: If one of ``files`` cannot be used.
        """
        registry = cls(kinds)
        manager = pluggy.PluginManager(PROJECT)
        specs = {kind.hook: kind.spec for kind in registry._kinds.values()}
        # pluggy reads specifications from the attributes of one object.
        manager.add_hookspecs(type("HookSpecs", (), specs))
        named = list(files)
        for origin, load in find_plugins(named):
            registry._take(manager, origin, load)
        for file in named:
            registry._take_file(manager, file)
        return registry

    def __getitem__(self, description: type[Offer]) -> Catalogue[Offer]:
        """Return what the plugins offer of one kind, such as ``registry[Exporter]``."""
        return self._catalogues[description]

    def catalogues(self) -> Iterator[tuple[HookKind, Catalogue[Any]]]:
        """Yield each kind with its catalogue."""
        for kind in self._kinds.values():
            yield kind, self._catalogues[kind.description]

    def _take_file(self, manager: pluggy.PluginManager, file: Path) -> None:
        """Take a plugin file, or raise `OasisGanError` with the first problem of the file."""
        origin, load = from_file(file)
        known = len(self.problems)
        self._take(manager, origin, load)
        if len(self.problems) == known:
            return
        error = self._errors[known]
        if isinstance(error, NameTakenError):
            remedy = _suggest_new_name(error.holder)
            raise FileTakesNameError(file, error.offer, error.holder, remedy)
        raise BrokenPluginFileError(self.problems[known])

    def _take(self, manager: pluggy.PluginManager, origin: PluginOrigin, load: Load) -> None:
        """Register one plugin and collect its offers, whether or not one of its hooks fails."""
        try:
            with foreign_code("import"):
                plugin = _load(load)
            callers = self._register(manager, plugin, origin)
        # A plugin is foreign code and may raise anything.
        except Exception as error:  # noqa: BLE001
            self._report(origin, error)
            return
        for caller in callers:
            for implementation in caller.get_hookimpls():
                if implementation.plugin is plugin:
                    self._take_hook(caller.name, implementation, origin)

    def _register(
        self, manager: pluggy.PluginManager, plugin: object, origin: PluginOrigin
    ) -> list[pluggy.HookCaller]:
        """Register a plugin, record deprecated features, and return the hooks of the plugin."""
        try:
            # Python hides the warnings that pluggy gives here: they are about another module.
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                manager.register(plugin, name=str(origin))
        except pluggy.PluginValidationError as error:
            raise HookArgumentsError(error) from None
        for warning in caught:
            self.deprecations.append(printable(f"plugin {origin}: {warning.message}"))
        callers = manager.get_hookcallers(plugin) or []
        if not callers and not find_extensions(plugin):
            raise NoHookError(origin.plugin)
        return callers

    def _take_hook(self, hook: str, implementation: pluggy.HookImpl, origin: PluginOrigin) -> None:
        """Collect what one hook offers; an unknown hook is an error unless it is optional."""
        kind = self._kinds.get(hook)
        if kind is not None:
            self._collect(kind, implementation, origin)
        elif not implementation.optionalhook:
            self._report(origin, UnknownHookError(hook, self._kinds))

    def _collect(
        self, kind: HookKind, implementation: pluggy.HookImpl, origin: PluginOrigin
    ) -> None:
        try:
            with foreign_code("call"):
                offers = list(_call(kind, implementation))
        except Exception as error:  # noqa: BLE001
            problem = BrokenHookError(kind.hook, kind.description, error)
            self._report(origin, problem)
            return
        for offer in offers:
            try:
                _require_fields(offer, kind)
                self._catalogues[kind.description].add(offer, origin)
            except OasisGanError as error:
                self._report(origin, error)
            else:
                self._add_trained(offer, origin)

    def _add_trained(self, offer: object, origin: PluginOrigin) -> None:
        """Add the trained models that are shipped with a kind of model."""
        if not isinstance(offer, ModelKind):
            return
        for name, folder in offer.shipped.items():
            try:
                self.trained.add(TrainedModel(name, offer, folder), origin)
            except OasisGanError as error:
                self._report(origin, error)

    def _report(self, origin: PluginOrigin, error: BaseException) -> None:
        self.problems.append(printable(f"plugin {origin}: {one_line(error)}"))
        self._errors.append(error)


def _load(load: Load) -> object:
    """Import a plugin, and check that the tool supports its API version."""
    try:
        plugin = load()
    except ImportError as error:
        raise explain_import(error) from error
    require_supported(plugin)
    return plugin


def _call(kind: HookKind, implementation: pluggy.HookImpl) -> Iterable[Any]:
    """Call one implementation of a hook with the arguments that it takes."""
    # pluggy would call the implementations of all plugins, and lose all results if one raises.
    arguments = [kind.arguments[name] for name in implementation.argnames]
    offers: Iterable[Any] = implementation.function(*arguments)  # type: ignore[assignment]
    return offers


def _suggest_new_name(holder: PluginOrigin) -> str:
    """Return what to do about a plugin file that offers a name which ``holder`` has taken."""
    if holder.provider == OWN_DISTRIBUTION:
        return "choose another name in that file"
    if holder.provider.endswith(".py"):
        return "name only one of the two files"
    # The holder is often the installed copy of the same plugin.
    return f"use the installed plugin, or run pip uninstall {holder.provider} first"


def _require_fields(offer: object, kind: HookKind) -> None:
    """Raise `OasisGanError` unless an offer is of the kind of its hook, with valid fields."""
    if not isinstance(offer, kind.description):
        raise WrongOfferError(kind.hook, kind.description, offer)
    wrong = find_wrong_field(offer, kind.description)
    if wrong is not None:
        declaration, value = wrong
        raise WrongFieldError(kind.hook, kind.description, declaration, value)
