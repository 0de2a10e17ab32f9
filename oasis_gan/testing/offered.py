"""The contracts of all kinds, run on one thing that a plugin offers: `oasis_gan.testing.trial` gives its fixtures."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from oasis_gan.plugin.hookspecs import HOOK_KINDS
from oasis_gan.testing.contract import Contract, contract_of, suite_name


def _fixture(name: str) -> object:
    @pytest.fixture(name=name)
    def fixture(self: Contract, given: Mapping[str, object]) -> object:
        return given[name]

    return fixture


def _suite(contract: type[Contract]) -> type[Contract]:
    """Return a contract whose fixtures are those of the trial that runs it."""
    fixtures = {name: _fixture(name) for name in contract.given}
    return type(suite_name(contract), (contract,), fixtures)


for _kind in HOOK_KINDS:
    _contract = contract_of(_kind)
    globals()[suite_name(_contract)] = _suite(_contract)
