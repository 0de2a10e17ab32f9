"""``oasis-gan plugins --check``: the contracts of `oasis_gan.testing`, run on what a plugin offers."""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from ..datasets import Dataset, Selection
from ..errors import OasisGanError, one_line, printable
from ..exporters import Exporter
from ..foreign import foreign_code
from ..models import ModelKind, kind_of
from ..registry import Catalogue, Registry

Offer = Dataset | ModelKind | Exporter
Line = tuple[str, bool]  # and whether it is good news
_NEEDED = {Dataset: "a file or folder that it recognises", ModelKind: "a folder with a trained model of it"}


def check_plugin(plugin: str, samples: Sequence[Path]) -> int:
    """Run the contracts on a plugin and print what is broken; return 0 if nothing is, and all could be checked.

    Args:
        plugin: A Python file, or the name of an installed plugin.
        samples: Files and folders that its readers read, and folders of models that it loads.

    Raises:
        OasisGanError: If there is no such plugin, or no pytest.
    """
    try:
        importlib.import_module("pytest")
    except ModuleNotFoundError as error:
        remedy = "pip install 'oasis-gan[testing]'"
        raise OasisGanError("--check", expected="pytest", found=one_line(error), remedy=remedy) from None
    contract_kept = True
    for line, good in _checked(plugin, samples):
        click.echo(printable(line))
        contract_kept &= good
    return int(not contract_kept)


def _checked(plugin: str, samples: Sequence[Path]) -> Iterator[Line]:
    file = Path(plugin) if plugin.endswith(".py") else None
    try:
        registry = Registry.discover([file] if file else ())
    except OasisGanError as error:
        yield str(error), False
        return
    name, provider = (file.stem, str(file)) if file else (plugin, None)
    problems = [problem for problem in registry.problems if problem.startswith(f"plugin {name} (")]
    offers = list(_offers(registry, name, provider))
    if not offers and not problems:
        remedy = "name one that oasis-gan plugins lists, or a file .py"
        raise OasisGanError("--check", expected="a plugin", found=plugin, remedy=remedy)
    yield from ((problem, False) for problem in problems)
    for title, offer in offers:
        trials = list(_given(offer, samples))
        if not trials:
            yield f"{title}: not checked; name {_NEEDED[type(offer)]} with --sample", False
        for suite, given, what in trials:
            yield from _tried(f"{title}{f' on {what}' if what else ''}", suite, given)


def _tried(title: str, suite: str, given: dict[str, object]) -> Iterator[Line]:
    """Yield what is broken of one contract, and how much of it is kept."""
    from ..testing.trial import Trial

    trial = Trial(suite, given)
    yield from ((f"{title}: {line}", False) for line in trial.broken)
    yield f"{title}: {trial.kept} checks kept, {len(trial.broken)} broken, {trial.skipped} skipped", not trial.broken


def _offers(registry: Registry, plugin: str, provider: str | None) -> Iterator[tuple[str, Offer]]:
    catalogues: tuple[Catalogue[Any], ...] = (registry.datasets, registry.models, registry.exporters)
    for catalogue in catalogues:
        for name, source in catalogue.sources.items():
            if source.plugin == plugin and provider in {None, source.provider}:
                yield f"{catalogue.kind} {name}", catalogue.offers[name]


def _given(offer: Offer, samples: Sequence[Path]) -> Iterator[tuple[str, dict[str, object], Path | None]]:
    """Yield the contract that an offer has to keep, its fixtures, and on what it is tried."""
    if isinstance(offer, Exporter):
        yield "TestExporter", {"exporter": offer}, None
    elif isinstance(offer, Dataset):
        for sample in samples:
            if _recognises(offer, sample):
                yield "TestDataset", {"dataset": offer, "selection": Selection(sample)}, sample
    else:
        folders = [*offer.shipped.values(), *(sample for sample in samples if _is_model(sample, offer.name))]
        yield from (("TestModel", {"kind": offer, "folder": folder}, folder) for folder in folders)


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
