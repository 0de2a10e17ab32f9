"""Describe the results of checks: a verdict, a sentence, and the figures behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from ..errors import OasisGanError

Figures = Mapping[str, object]
"""Measured values by name: numbers, lists of numbers, or text."""


class Verdict(StrEnum):
    """What happens to a subject, from best to worst."""

    ACCEPT = "accept"
    """The subject is used as it is."""
    FIX = "fix"
    """The subject is used after a repair."""
    WARN = "warn"
    """The subject is used, and somebody should look at it."""
    REJECT = "reject"
    """The subject cannot be used."""

    @property
    def severity(self) -> int:
        """Return how bad the verdict is; `ACCEPT` has 0."""
        return list(Verdict).index(self)

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """Return the worst of some verdicts, or `ACCEPT` if there are none."""
        return max(verdicts, key=lambda verdict: verdict.severity, default=cls.ACCEPT)


@dataclass(frozen=True)
class Finding:
    """What one check of a subject has found.

    Args:
        verdict: What happens to the subject.
        message: The reason, in a sentence; empty if nothing is wrong.
        figures: What the check measured.
    """

    verdict: Verdict
    message: str = ""
    figures: Figures = field(default_factory=dict)


def accept(**figures: object) -> Finding:
    """Return a finding that nothing is wrong, with the figures that show it."""
    return Finding(Verdict.ACCEPT, figures=figures)


def fix(message: str) -> Finding:
    """Return a finding that a fault was repaired."""
    return Finding(Verdict.FIX, message)


def warn(message: str, **figures: object) -> Finding:
    """Return a finding that needs a look from somebody."""
    return Finding(Verdict.WARN, message, figures)


def reject(reason: str | OasisGanError, **figures: object) -> Finding:
    """Return a finding that makes a subject unusable, for a reason or an error that says it."""
    return Finding(Verdict.REJECT, str(reason), figures)


@dataclass(frozen=True)
class Report:
    """What all checks of a subject have found.

    Args:
        subject: The name of the subject.
        findings: The findings, in the order of the checks.
    """

    subject: str
    findings: tuple[Finding, ...]

    def add(self, finding: Finding) -> Report:
        """Return the report with one more finding."""
        return replace(self, findings=(*self.findings, finding))

    @property
    def verdict(self) -> Verdict:
        """Return the worst verdict of the findings."""
        return Verdict.worst(finding.verdict for finding in self.findings)

    @property
    def message(self) -> str:
        """The messages of the findings, worst first; empty if nothing is wrong."""
        worst_first = sorted(self.findings, key=_get_severity, reverse=True)
        messages = [finding.message for finding in worst_first]
        return "; ".join(filter(None, messages))

    @property
    def figures(self) -> dict[str, object]:
        """Return the figures of all findings."""
        figures: dict[str, object] = {}
        for finding in self.findings:
            figures.update(finding.figures)
        return figures


def _get_severity(finding: Finding) -> int:
    return finding.verdict.severity
