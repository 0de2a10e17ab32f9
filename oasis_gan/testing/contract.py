"""Define the interface of contracts, which ``oasis-gan plugins --check`` runs by itself."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from ..plugin.datasets import Selection
from ..plugin.hook_kind import HookKind


@dataclass(frozen=True)
class Samples:
    """The files that are used to check a plugin.

    Args:
        paths: Files and folders that its readers read, and folders of models that it loads.
        select: Returns the `Selection` for one of these paths.
    """

    paths: tuple[Path, ...]
    select: Callable[[Path], Selection]


@dataclass(frozen=True)
class Case:
    """One object of a plugin that is checked on one sample.

    Args:
        given: The fixtures of the contract, by name.
        sample: The file or folder it is checked on; None if it needs none.
    """

    given: Mapping[str, object]
    sample: Path | None = None


class Contract:
    """The checks that every plugin of one kind must pass.

    Attributes:
        given: The names of the fixtures that a test class provides.
        needed: The sample that the checks need, in words; empty if they need none.
    """

    given: ClassVar[tuple[str, ...]]
    needed: ClassVar[str] = ""

    @classmethod
    def cases(cls, offer: Any, samples: Samples) -> Iterator[Case]:  # noqa: ANN401 - of the kind that is checked
        """Yield the cases to check of an object that a plugin offers."""
        raise NotImplementedError


def find_contract(kind: HookKind) -> type[Contract]:
    """Return the contract of one kind of plugin."""
    testing = importlib.import_module("oasis_gan.testing")
    contract: type[Contract] = getattr(testing, kind.contract)
    return contract


def name_suite(contract: type[Contract]) -> str:
    """Return the name of a contract's test class in `oasis_gan.testing.offered`."""
    return f"Test{contract.__name__}"
