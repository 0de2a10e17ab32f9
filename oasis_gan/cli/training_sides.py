"""Put the subjects of a training on its sides, to learn from or to hold out, and check each."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..checks.doctor import examine_all, find_side
from ..checks.findings import Report, Verdict
from ..checks.splitting import TABLE, Split, compare, read_split, split
from ..image.labels import LabelSet
from ..plugin.datasets import Subject
from .check import report_line
from .lines import log
from .training_errors import SameHeadError


def recall_sides(
    out: Path, subjects: Sequence[Subject], labels: LabelSet, validate: Collection[str]
) -> Split:
    """Return the sides of the split as they were when a training began.

    Args:
        out: The folder of the training.
        subjects: The subjects that are there now.
        labels: What the values of label maps mean, where their layout does not say.
        validate: The names of the subjects that are held out.

    Raises:
        OasisGanError: If a subject is missing, changed or new.
    """
    present = [(subject, find_side(subject, validate)) for subject in subjects]
    recorded = compare(read_split(out), present)
    others = [subject for subject, _ in recorded.others]
    # A subject that was rejected at the beginning is rejected again, and not new.
    added = [
        result.subject.name
        for result in examine_all(others, labels, validate)
        if result.report.verdict is not Verdict.REJECT
    ]
    recorded.require_same(added, out / TABLE)
    return recorded.split


def examine_sides(
    subjects: Iterable[Subject], labels: LabelSet, validate: Collection[str]
) -> Split:
    """Check subjects, print what was found, and return the sides of those that are not rejected.

    Args:
        subjects: The subjects of a new training.
        labels: What the values of label maps mean, where their layout does not say.
        validate: The names of the subjects that are held out.

    Raises:
        OasisGanError: If a person is on both sides, or nobody is left to learn from.
    """
    sides: dict[str, list[Subject]] = {"train": [], "validate": []}
    for result in examine_all(subjects, labels, validate):
        # A model must not be measured on a head that it has learnt from.
        if result.duplicate is not None:
            raise SameHeadError(result.subject.name, result.duplicate)
        _print_report(result.report)
        if result.report.verdict is not Verdict.REJECT:
            sides[result.side].append(result.subject)
    return split(sides["train"], sides["validate"])


def _print_report(report: Report) -> None:
    if report.verdict is Verdict.REJECT:
        log(f"left out {report_line(report)}")
    elif report.message:
        log(report_line(report))
