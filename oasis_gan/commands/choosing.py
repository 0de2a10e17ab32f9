"""Turning what a user named (or did not) into plugins, models and subjects."""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path
from typing import TypeVar

from ..datasets import Dataset, Selection, Subject
from ..errors import OasisGanError, one_line, printable
from ..ledger import Outcome, Status
from ..models import ModelKind, kind_of
from ..registry import Registry
from ..slicing import Plane

T = TypeVar("T")


def say(line: str) -> None:
    """Write a line to standard error."""
    sys.stderr.write(printable(line) + "\n")
    sys.stderr.flush()


def load_registry(files: Iterable[Path]) -> Registry:
    """Return all plugins, and warn of the broken ones."""
    registry = Registry.discover(files)
    for problem in registry.problems:
        say(f"warning: {problem}")
    return registry


def first(there: Iterable[T], what: str) -> T:
    """Return the first of what is installed: the default."""
    for one in there:
        return one
    raise OasisGanError(what, expected="at least one", found="none", remedy="install a plugin that brings one")


def choose_model(registry: Registry, wanted: str | None) -> tuple[ModelKind, Path]:
    """Return kind and folder of a model, by name or by folder; by default the first that ships with a plugin."""
    kinds = registry.models.offers.values()
    shipped = {name: (kind, folder) for kind in kinds for name, folder in kind.shipped.items()}
    if wanted is None:
        return first(shipped.values(), "model")
    if wanted in shipped:
        return shipped[wanted]
    folder = Path(wanted)
    if not folder.is_dir():
        expected = f"a model folder or one of {', '.join(shipped) or 'none'}"
        raise OasisGanError("--model", expected=expected, found=wanted, remedy="see oasis-gan models")
    return registry.models.get(kind_of(folder)), folder


def choose_plane(kind: ModelKind, folder: Path, wanted: str | None) -> Plane:
    """Return the plane to slice in; by default the first that the model was trained in."""
    planes = kind.card(folder).planes
    if wanted is None:
        return planes[0]
    if wanted not in planes:
        remedy = "choose one this model was trained in"
        raise OasisGanError("--plane", expected=f"one of {', '.join(planes)}", found=wanted, remedy=remedy)
    return Plane(wanted)


def list_subjects(
    registry: Registry, selections: Iterable[Selection], dataset: str | None
) -> tuple[list[Subject], list[Outcome]]:
    """Return the subjects of all selections, and an outcome for each selection that could not be opened."""
    named = registry.datasets.get(dataset) if dataset else None
    subjects: list[Subject] = []
    broken: list[Outcome] = []
    for selection in selections:
        try:
            reader = named or _guess(registry, selection.root)
            subjects += reader.open(selection)
        # The reader may be anybody's.
        except Exception as error:  # noqa: BLE001
            broken.append(Outcome(selection.root.name, Status.FAILED, None, one_line(error)))
    return subjects, broken


def _guess(registry: Registry, root: Path) -> Dataset:
    """Return the one reader that recognises ``root``."""
    if not root.exists():
        raise OasisGanError(root, expected="a file or folder", found="nothing there", remedy="check the path")
    readers = [reader for reader in registry.datasets.offers.values() if reader.recognises(root)]
    if len(readers) == 1:
        return readers[0]
    known = ", ".join(registry.datasets.offers) or "none"
    if readers:
        found = " and ".join(reader.name for reader in readers)
        raise OasisGanError(root, expected="one layout", found=found, remedy="choose one with --dataset")
    expected = f"something that a dataset plugin reads ({known})"
    raise OasisGanError(root, expected=expected, found="nothing of the kind", remedy="name it with --dataset")
