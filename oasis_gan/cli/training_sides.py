"""Whom a training learns from and whom it holds out, once each subject has been examined."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..checks.doctor import examine_all, find_side
from ..checks.findings import Verdict
from ..checks.splitting import TABLE, Split, compare, read_split, split
from ..errors import OasisGanError
from ..image.labels import LabelSet
from ..plugin.datasets import Subject
from .check import report_line
from .lines import say


def recall_sides(
    out: Path, shown: Sequence[Subject], labels: LabelSet, validate: Collection[str]
) -> Split:
    """Return the sides that a training began with.

    Raises:
        OasisGanError: If somebody is missing, changed or new.
    """
    recorded = compare(
        read_split(out), [(subject, find_side(subject, validate)) for subject in shown]
    )
    others = [subject for subject, _ in recorded.others]
    # Who was left out at the beginning is so again.
    examined = list(examine_all(others, labels, validate))
    added = [one.subject.name for one in examined if one.report.verdict is not Verdict.REJECT]
    recorded.require_same(added, out / TABLE)
    return recorded.split


def examine_sides(shown: Iterable[Subject], labels: LabelSet, validate: Collection[str]) -> Split:
    """Return whom to learn from and whom to hold out; say who is left out, and why.

    Raises:
        OasisGanError: If a person is on both sides, or nobody is left to learn from.
    """
    sides: dict[str, list[Subject]] = {"train": [], "validate": []}
    for examined in examine_all(shown, labels, validate):
        if examined.duplicate is not None:
            name = examined.subject.name
            raise OasisGanError(
                "training data",
                expected="different heads to learn and to measure on",
                found=f"{name} and {examined.duplicate}, the same head",
                remedy="put both on one side, or leave one out",
            )
        verdict = examined.report.verdict
        if verdict is Verdict.REJECT:
            say(f"left out {report_line(examined.report)}")
        else:
            if examined.report.message:
                say(report_line(examined.report))
            sides[examined.side].append(examined.subject)
    return split(sides["train"], sides["validate"])
