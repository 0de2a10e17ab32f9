"""Describe the results of checks: a verdict, a sentence, and the figures behind them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

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

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """Return the worst of some verdicts, or `ACCEPT` if there are none."""
        order = list(cls)
        return max(verdicts, key=order.index, default=cls.ACCEPT)


@dataclass(frozen=True)
class Finding:
    """The result of one check.

    Args:
        verdict: What happens to the subject.
        message: The reason, in a sentence; empty if nothing is wrong.
        figures: What the check measured.
    """

    verdict: Verdict
    message: str = ""
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """The findings of all checks of a subject.

    Args:
        subject: The name of the subject.
        findings: The findings, in the order of the checks.
    """

    subject: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of the findings."""
        return Verdict.worst(finding.verdict for finding in self.findings)

    @property
    def message(self) -> str:
        """The messages of the findings, worst first; empty if nothing is wrong."""
        order = list(Verdict)
        findings = [finding for finding in self.findings if finding.message]
        findings.sort(key=lambda finding: order.index(finding.verdict), reverse=True)
        return "; ".join(finding.message for finding in findings)

    @property
    def figures(self) -> dict[str, object]:
        """The figures of all findings."""
        figures: dict[str, object] = {}
        for finding in self.findings:
            figures.update(finding.figures)
        return figures
