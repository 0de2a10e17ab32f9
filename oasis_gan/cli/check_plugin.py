"""``oasis-gan plugins --check``: the contracts of `oasis_gan.testing`, run on what a plugin offers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import OasisGanError, one_line, printable
from ..plugin.datasets import Dataset, Selection
from ..plugin.discovery import from_file, installed
from ..plugin.exporters import Exporter
from ..plugin.extensions import Check, find_extensions
from ..plugin.foreign import foreign_code
from ..plugin.models import ModelKind, kind_of
from ..plugin.registry import Catalogue, Registry
from .flags import with_flags
from .streams import write_result

Offer = Dataset | ModelKind | Exporter
Line = tuple[str, bool]
"""What to print, and whether it is good news."""
Trial = tuple[str, dict[str, object], Path | None]
"""A contract, its fixtures, and what it is tried on."""
_NEEDED = {Dataset: "a file or folder that it recognises", ModelKind: "a folder with a trained model of it"}


@dataclass(frozen=True, kw_only=True)
class CheckOptions:
    """The options of ``oasis-gan plugins --check``.

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

    def selection(self, sample: Path) -> Selection:
        """Return what a reader is asked for in a sample."""
        return Selection(sample, self.target_root, self.source_suffix, self.target_suffix)


def check_plugin(options: CheckOptions) -> int:
    """Run the contracts on a plugin and print what is broken; return 0 if nothing is, and all could be checked.

    Raises:
        OasisGanError: If there is no such plugin, or no pytest.
    """
    try:
        importlib.import_module("pytest")
    except ModuleNotFoundError as error:
        remedy = "pip install 'oasis-gan[testing]'"
        raise OasisGanError("--check", expected="pytest", found=one_line(error), remedy=remedy) from None
    contract_kept = True
    for line, good in _checked(options):
        write_result(printable(with_flags(line)))
        contract_kept &= good
    return int(not contract_kept)


def _checked(options: CheckOptions) -> Iterator[Line]:
    plugin = options.plugin
    file = Path(plugin) if plugin.endswith(".py") else None
    try:
        registry = Registry.discover([file] if file else ())
    except OasisGanError as error:
        yield str(error), False
        return
    name = file.stem if file else plugin
    problems = [problem for problem in registry.problems if problem.startswith(f"plugin {name} (")]
    offers = list(_offers(registry, name, str(file))) if file else _offers_called(registry, name)
    extensions = {} if problems else _find_extensions(name, file)
    if not offers and not problems and not extensions:
        remedy = "name one that oasis-gan plugins lists, or a file .py"
        raise OasisGanError("--check", expected="a plugin", found=plugin, remedy=remedy)
    yield from ((problem, False) for problem in problems)
    for title, offer in offers:
        trials = list(_trials(offer, options))
        if not trials:
            yield f"{title}: not checked; name {_NEEDED[type(offer)]} with --sample", False
        for suite, given, sample in trials:
            yield from _tried(f"{title} on {sample}" if sample else title, suite, given)
    for title, check in extensions.items():
        yield _try_extension(title, check)


def _find_extensions(name: str, file: Path | None) -> dict[str, Check]:
    """Return the checks of what a plugin adds to libraries, by name."""
    found: dict[str, Check] = {}
    for source, load in [from_file(file)] if file else installed():
        if source.plugin == name:
            with foreign_code(name):
                found |= find_extensions(load())
    return found


def _try_extension(title: str, check: Check) -> Line:
    """Return how the check of an extension went."""
    try:
        with foreign_code(title):
            kept = check()
    # The check may be anybody's.
    except Exception as error:  # noqa: BLE001
        return f"{title}: {one_line(error)}", False
    return f"{title}: {kept} checks kept, 0 broken, 0 skipped", True


def _tried(title: str, suite: str, given: dict[str, object]) -> Iterator[Line]:
    """Yield what is broken of one contract, what could not be checked, and how much of it is kept."""
    from ..testing.trial import Trial

    trial = Trial(suite, given)
    for line in trial.broken:
        yield f"{title}: {line}", False
    for line in trial.skipped:
        yield f"{title}: skipped: {line}", True
    counts = f"{trial.kept} checks kept, {len(trial.broken)} broken, {len(trial.skipped)} skipped"
    yield f"{title}: {counts}", not trial.broken


def _offers(registry: Registry, plugin: str, provider: str | None = None) -> Iterator[tuple[str, Offer]]:
    """Yield what a plugin offers, and what to call it."""
    for catalogue in _catalogues(registry):
        for name, source in catalogue.sources.items():
            if source.plugin == plugin and provider in {None, source.provider}:
                yield f"{catalogue.kind} {name}", catalogue.offers[name]


def _offers_called(registry: Registry, name: str) -> list[tuple[str, Offer]]:
    """Return what the plugin called ``name`` offers; if there is none, the offers of that name."""
    of_plugin = list(_offers(registry, name))
    if of_plugin:
        return of_plugin
    return [
        (f"{catalogue.kind} {name}", catalogue.offers[name])
        for catalogue in _catalogues(registry)
        if name in catalogue.offers
    ]


def _catalogues(registry: Registry) -> tuple[Catalogue[Any], ...]:
    return registry.datasets, registry.models, registry.exporters


def _trials(offer: Offer, options: CheckOptions) -> Iterator[Trial]:
    """Yield the contracts that an offer has to keep."""
    if isinstance(offer, Exporter):
        yield "TestExporter", {"exporter": offer}, None
    elif isinstance(offer, Dataset):
        for sample in options.samples:
            if _recognises(offer, sample):
                yield "TestDataset", {"dataset": offer, "selection": options.selection(sample)}, sample
    else:
        samples = [sample for sample in options.samples if _is_model(sample, offer.name)]
        for folder in (*offer.shipped.values(), *samples):
            yield "TestModel", {"kind": offer, "folder": folder}, folder


def _recognises(dataset: Dataset, sample: Path) -> bool:
    try:
        with foreign_code(dataset.name):
            return bool(dataset.recognises(sample))
    # Then the contract says what was raised.
    except Exception:  # noqa: BLE001
        return True


def _is_model(folder: Path, kind: str) -> bool:
    try:
        return kind_of(folder) == kind
    except OasisGanError:
        return False
