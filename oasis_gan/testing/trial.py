"""Running a contract without a test file: what is kept, and what is broken in a line each."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

import pytest

from ..errors import one_line, printable

_SUITES = Path(__file__).with_name("offered.py")
# Nothing of the folder that it is called from has a say: no settings, no conftest, no cache.
_ALONE = ("--noconftest", "--rootdir", str(_SUITES.parent), "-c", os.devnull, "-p", "no:cacheprovider")
# The messages of the contracts as they are, and nothing else on the terminal.
_SILENT = ("--import-mode=importlib", "--assert=plain", "-p", "no:terminal", "-p", "no:warnings")


class Trial:
    """One contract, run on one thing that a plugin offers.

    Args:
        suite: The class in `oasis_gan.testing.offered`.
        given: Its fixtures, by name.
    """

    def __init__(self, suite: str, given: Mapping[str, object]) -> None:
        self._given = dict(given)
        self.kept = self.skipped = 0
        self.broken: list[str] = []
        pytest.main([*_ALONE, *_SILENT, f"{_SUITES}::{suite}"], plugins=[self])

    @pytest.fixture
    def given(self) -> dict[str, object]:
        """Return the fixtures that the suite hands on."""
        return self._given

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Count what passed and what was skipped; called by pytest."""
        self.kept += report.when == "call" and report.passed
        self.skipped += report.skipped

    def pytest_exception_interact(
        self, node: pytest.Item | pytest.Collector, call: pytest.CallInfo[None], report: pytest.TestReport
    ) -> None:
        """Take down what was broken, and what the contract says to that; called by pytest."""
        error = call.excinfo.value if call.excinfo else None
        if isinstance(error, (AssertionError, pytest.fail.Exception)):
            said = printable(error)
        else:
            said = one_line(error) if error else "failed"
        check = node.name.removeprefix("test_").replace("_", " ")
        self.broken.append(printable(f"{check}: {said}"))
