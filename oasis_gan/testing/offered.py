"""Test classes for all contracts; `oasis_gan.testing.trial` runs them with their fixtures."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from oasis_gan.plugin.hookspecs import HOOK_KINDS
from oasis_gan.testing.contract import Contract, find_contract, name_suite


def _make_fixture(name: str) -> object:
    """Return a pytest fixture that looks up its value in the fixture ``given``."""

    @pytest.fixture(name=name)
    def fixture(self: Contract, given: Mapping[str, object]) -> object:
        return given[name]

    return fixture


def _make_suite(contract: type[Contract]) -> type[Contract]:
    """Return a subclass of a contract whose fixtures come from the trial that runs it."""
    fixtures = {name: _make_fixture(name) for name in contract.given}
    return type(name_suite(contract), (contract,), fixtures)


for _kind in HOOK_KINDS:
    _contract = find_contract(_kind)
    globals()[name_suite(_contract)] = _make_suite(_contract)
