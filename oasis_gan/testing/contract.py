"""What every contract says of itself, so that ``oasis-gan plugins --check`` can run it without a test file."""

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
    """What the author of a plugin has to try it on.

    Args:
        paths: Files and folders that its readers read, and folders of models that it loads.
        select: Returns what a reader is asked for in one of them.
    """

    paths: tuple[Path, ...]
    select: Callable[[Path], Selection]


@dataclass(frozen=True)
class Case:
    """One thing that a plugin offers, tried on one sample.

    Args:
        given: The fixtures of the contract, by name.
        sample: What it is tried on; None where it needs nothing.
    """

    given: Mapping[str, object]
    sample: Path | None = None


class Contract:
    """The checks that one kind of plugin passes.

    Attributes:
        given: The fixtures that a test class gives.
        needed: What there must be among the samples to try an offer on; empty if nothing.
    """

    given: ClassVar[tuple[str, ...]]
    needed: ClassVar[str] = ""

    @classmethod
    def cases(cls, offer: Any, samples: Samples) -> Iterator[Case]:  # noqa: ANN401 - of the kind that is checked
        """Yield what there is to check of an offer."""
        raise NotImplementedError


def contract_of(kind: HookKind) -> type[Contract]:
    """Return the contract that one kind of plugin keeps."""
    contract: type[Contract] = getattr(importlib.import_module("oasis_gan.testing"), kind.contract)
    return contract


def suite_name(contract: type[Contract]) -> str:
    """Return what the tests of a contract are called in `oasis_gan.testing.offered`."""
    return f"Test{contract.__name__}"
