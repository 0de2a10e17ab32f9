"""Run a contract without a test file, and report each failure in one line."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..errors import one_line, printable
from .contract import Case, Contract, name_suite

_SUITES = Path(__file__).with_name("offered.py")
# The folder that the user is in must not matter: no settings, no conftest, no cache.
_ALONE = (
    "--noconftest",
    "--rootdir",
    str(_SUITES.parent),
    "-c",
    os.devnull,
    "-p",
    "no:cacheprovider",
)
# Show the messages of the contracts unchanged, and nothing else.
_SILENT = ("--import-mode=importlib", "--assert=plain", "-p", "no:terminal", "-p", "no:warnings")


class Trial:
    """One contract, run on one object that a plugin offers.

    Args:
        contract: The contract to run.
        case: The object and the sample to run it on.

    Attributes:
        passed: The number of checks that passed.
        broken: One line for each check that failed.
        skipped: One line for each check that was skipped, with the reason.
    """

    def __init__(self, contract: type[Contract], case: Case) -> None:
        self._case = case
        self._failed_setups: set[str] = set()
        self.passed = 0
        self.broken: list[str] = []
        self.skipped: list[str] = []
        suite = f"{_SUITES}::{name_suite(contract)}"
        pytest.main([*_ALONE, *_SILENT, suite], plugins=[self])

    @pytest.fixture
    def given(self) -> Mapping[str, object]:
        """Return the fixtures of the contract."""
        return self._case.given

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count a check that passed, and record one that was skipped; called by pytest."""
        if report.when == "call" and report.passed:
            self.passed += 1
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            # A check that runs in several geometries is skipped in all of them.
            test, _, _ = report.nodeid.partition("[")
            check = _describe_check(test)
            line = printable(f"{check}: {reason}")
            if line not in self.skipped:
                self.skipped.append(line)

    def pytest_exception_interact(
        self,
        node: pytest.Item | pytest.Collector,
        call: pytest.CallInfo[None],
        report: pytest.TestReport,
    ) -> None:
        """Record a check that failed, and the message of the contract; called by pytest."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, (AssertionError, pytest.fail.Exception)):
            message = printable(error)
        else:
            message = one_line(error) if error else "failed"
        if report.when == "setup":
            # What all checks need, such as a model that does not load, is reported once.
            if message in self._failed_setups:
                return
            self._failed_setups.add(message)
        check = _describe_check(node.name)
        self.broken.append(printable(f"{check}: {message}"))


def _describe_check(test: str) -> str:
    """Turn the name of a test into words."""
    _, _, name = test.rpartition("::")
    return name.removeprefix("test_").replace("_", " ")
