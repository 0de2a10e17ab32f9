"""``oasis-gan plugins --check`` applies the contracts of `oasis_gan.testing` to a plugin."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OasisGanError, one_line, printable
from ..plugin.datasets import Selection
from ..plugin.discovery import find_plugins, from_file
from ..plugin.extensions import Check, find_extensions
from ..plugin.foreign import foreign_code
from ..plugin.hook_kind import HookKind
from ..plugin.registry import Registry
from .errors import NoPytestError, NoSuchPluginError
from .flags import with_flags
from .streams import write_result

Line = tuple[str, bool]
"""What to print, and whether it is good news."""


@dataclass(frozen=True)
class _Offered:
    """One thing that a plugin offers.

    Args:
        kind: What it is.
        offer: Its description.
        provider: Who brought it: a distribution, or a file.
        plugin: The plugin that offers it.
    """

    kind: HookKind
    offer: Any
    plugin: str
    provider: str

    @property
    def title(self) -> str:
        """The name of the offer in the report."""
        return f"{self.kind.called} {self.offer.name}"


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The options that ``oasis-gan plugins --check`` takes.

    Args:
        plugin: A Python file, the name of an installed plugin, or of something that it offers.
        samples: Files and folders that its readers read, and folders of models that it loads.
        source_suffix: How the names of sources end, in a sample that is a folder.
        target_root: The folder of the targets, if the sample holds sources alone.
        target_suffix: How the names of targets end.
    """

    plugin: str
    samples: tuple[Path, ...] = ()
    source_suffix: str = ""
    target_root: Path | None = None
    target_suffix: str = ""

    def make_selection(self, sample: Path) -> Selection:
        """Return what a reader is asked for in a sample."""
        return Selection(sample, self.target_root, self.source_suffix, self.target_suffix)


def check_plugin(options: CheckOptions) -> int:
    """Run the contracts on a plugin and print what is broken.

    Returns:
        The exit status: 0 if nothing is broken and everything could be checked.

    Raises:
        OasisGanError: If there is no such plugin, or no pytest.
    """
    try:
        # The contracts are tests, and pytest is an extra.
        importlib.import_module("pytest")
    except ModuleNotFoundError as error:
        raise NoPytestError(one_line(error)) from None
    contract_kept = True
    for line, good in _check_offers(options):
        write_result(printable(with_flags(line)))
        contract_kept &= good
    return int(not contract_kept)


def _check_offers(options: CheckOptions) -> Iterator[Line]:
    plugin = options.plugin
    file = Path(plugin) if plugin.endswith(".py") else None
    try:
        registry = Registry.discover([file] if file else ())
    except OasisGanError as error:
        yield str(error), False
        return
    name = file.stem if file else plugin
    own_lines = f"plugin {name} ("
    problems = [problem for problem in registry.problems if problem.startswith(own_lines)]
    offers = _find_offers(registry, name, file)
    # A plugin that cannot be loaded adds nothing that could be checked.
    extensions = {} if problems else _find_extensions(name, file)
    if not offers and not problems and not extensions:
        raise NoSuchPluginError(plugin)
    yield from ((problem, False) for problem in problems)
    for deprecation in registry.deprecations:
        if deprecation.startswith(own_lines):
            yield f"deprecated: {deprecation}", True
    for offered in offers:
        yield from _try(offered, options)
    for title, check in extensions.items():
        yield _try_extension(title, check)


def _try(offered: _Offered, options: CheckOptions) -> Iterator[Line]:
    """Yield the checks of one offer that fail, on each sample that suits it."""
    # Importing this imports pytest, too.
    from ..testing.contract import Samples, find_contract
    from ..testing.trial import Trial

    contract = find_contract(offered.kind)
    cases = list(contract.cases(offered.offer, Samples(options.samples, options.make_selection)))
    if not cases:
        yield f"{offered.title}: not checked; name {contract.needed} with --sample", False
    for case in cases:
        title = f"{offered.title} on {case.sample}" if case.sample else offered.title
        trial = Trial(contract, case)
        for line in trial.broken:
            yield f"{title}: {line}", False
        for line in trial.skipped:
            yield f"{title}: skipped: {line}", True
        counts = (
            f"{trial.passed} checks kept, {len(trial.broken)} broken, {len(trial.skipped)} skipped"
        )
        yield f"{title}: {counts}", not trial.broken


def _find_offers(registry: Registry, name: str, file: Path | None) -> list[_Offered]:
    """Return what a plugin file or the plugin ``name`` offers, or else the offers of that name."""
    everything = list(_list_offers(registry))
    of_plugin = [one for one in everything if one.plugin == name]
    if file:
        return [one for one in of_plugin if one.provider == str(file)]
    return of_plugin or [one for one in everything if one.offer.name == name]


def _list_offers(registry: Registry) -> Iterator[_Offered]:
    for kind, catalogue in registry.catalogues():
        for offer in catalogue:
            source = catalogue.origins[offer.name]
            yield _Offered(kind, offer, source.plugin, source.provider)


def _find_extensions(name: str, file: Path | None) -> dict[str, Check]:
    """Return the checks of what a plugin adds to libraries, by name."""
    found: dict[str, Check] = {}
    for source, load in [from_file(file)] if file else find_plugins():
        if source.plugin == name:
            with foreign_code(name):
                found |= find_extensions(load())
    return found


def _try_extension(title: str, check: Check) -> Line:
    """Return how the check of an extension went."""
    try:
        with foreign_code(title):
            passed = check()
    # The check may come from any plugin.
    except Exception as error:  # noqa: BLE001
        return f"{title}: {one_line(error)}", False
    return f"{title}: {passed} checks kept, 0 broken, 0 skipped", True
