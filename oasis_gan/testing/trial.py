"""Running a contract without a test file: what is kept, and what is broken in a line each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..errors import one_line, printable
from .contract import Case, Contract, suite_name

_SUITES = Path(__file__).with_name("offered.py")
# Nothing of the folder that it is called from has a say: no settings, no conftest, no cache.
_ALONE = (
    "--noconftest",
    "--rootdir",
    str(_SUITES.parent),
    "-c",
    os.devnull,
    "-p",
    "no:cacheprovider",
)
# The messages of the contracts as they are, and nothing else on the terminal.
_SILENT = ("--import-mode=importlib", "--assert=plain", "-p", "no:terminal", "-p", "no:warnings")


class Trial:
    """One contract, run on one thing that a plugin offers.

    Args:
        contract: The contract.
        case: What it is run on.

    Attributes:
        kept: How many checks were kept.
        broken: What was broken, a line each.
        skipped: What could not be checked and why, a line each.
    """

    def __init__(self, contract: type[Contract], case: Case) -> None:
        self._case = case
        self._failed_setups: set[str] = set()
        self.kept = 0
        self.broken: list[str] = []
        self.skipped: list[str] = []
        pytest.main([*_ALONE, *_SILENT, f"{_SUITES}::{suite_name(contract)}"], plugins=[self])

    @pytest.fixture
    def given(self) -> Mapping[str, object]:
        """Return the fixtures of the contract."""
        return self._case.given

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what passed, and note what was skipped and why; called by pytest."""
        self.kept += report.when == "call" and report.passed
        if report.skipped and isinstance(report.longrepr, tuple):
            reason = report.longrepr[2].removeprefix("Skipped: ")
            # A check that runs in several geometries is skipped in all of them.
            check = _check_of(report.nodeid.partition("[")[0])
            line = printable(f"{check}: {reason}")
            if line not in self.skipped:
                self.skipped.append(line)

    def pytest_exception_interact(
        self,
        node: pytest.Item | pytest.Collector,
        call: pytest.CallInfo[None],
        report: pytest.TestReport,
    ) -> None:
        """Note what was broken, and what the contract says to that; called by pytest."""
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
        self.broken.append(printable(f"{_check_of(node.name)}: {message}"))


def _check_of(name: str) -> str:
    """Return the words in the name of a test: what it checks."""
    return name.rpartition("::")[2].removeprefix("test_").replace("_", " ")
