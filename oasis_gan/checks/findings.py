"""What a check says: a verdict, a sentence, and the figures behind it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum

Figures = Mapping[str, object]
"""What was measured: numbers, lists of them, or names."""


class Verdict(StrEnum):
    """What becomes of a subject, the best first."""

    ACCEPT = "accept"
    """It is used as it is."""
    FIX = "fix"
    """Something was put right."""
    WARN = "warn"
    """It is used, and somebody should look at it."""
    REJECT = "reject"
    """It cannot be used."""

    @classmethod
    def worst(cls, verdicts: Iterable[Verdict]) -> Verdict:
        """Return the last in the order above; of none, the first."""
        order = list(cls)
        return max(verdicts, key=order.index, default=cls.ACCEPT)


@dataclass(frozen=True)
class Finding:
    """What one check found.

    Args:
        verdict: What it makes of the subject.
        message: Why, in a sentence; empty where nothing is wrong.
        figures: What was measured.
    """

    verdict: Verdict
    message: str = ""
    figures: Figures = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """All that was found about a subject.

    Args:
        subject: Its name.
        findings: In the order of the checks.
    """

    subject: str
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The worst of the findings."""
        return Verdict.worst(finding.verdict for finding in self.findings)

    @property
    def message(self) -> str:
        """What is wrong, the worst first; empty where nothing is."""
        order = list(Verdict)
        said = sorted(
            (one for one in self.findings if one.message), key=lambda one: -order.index(one.verdict)
        )
        return "; ".join(finding.message for finding in said)

    @property
    def figures(self) -> dict[str, object]:
        """All that was measured."""
        return {name: value for finding in self.findings for name, value in finding.figures.items()}
