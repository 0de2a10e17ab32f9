"""Show evaluations as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import printable
from ..evaluation.cohort import CONFIDENCE, Cohort, Estimate
from ..evaluation.comparison import TOTAL
from ..evaluation.evaluating import Evaluation
from ..evaluation.measures import (
    FAITHFULNESS_MEASURES,
    IMAGE_MEASURES,
    SECTIONS,
    Measure,
    Scores,
    Value,
)
from .streams import results_stream, write_result

_WIDTH = 160  # columns of a table that goes to a file
_SHOWN = ("mae", "psnr", "ssim", "ms_ssim", "ncc", "histogram")  # of each subject of a cohort
_DICE = FAITHFULNESS_MEASURES[0]


@dataclass(frozen=True)
class SubjectRow:
    """What the table of a cohort shows of one subject.

    Args:
        subject: Its name.
        failed: Whether it could not be evaluated.
        contrasts: Whether the image scores are of ``matched`` contrasts, which is preferred, or
            ``raw``; or empty.
        scores: The image scores of the whole mask; none without a real scan.
        dice: By tissue, of the output segmented again; none without a segmentation.
    """

    subject: str
    failed: bool = False
    contrasts: str = ""
    scores: Scores = field(default_factory=dict)
    dice: Scores = field(default_factory=dict)

    @classmethod
    def of(cls, evaluation: Evaluation) -> SubjectRow:
        """Return the row of an evaluation."""
        compared = [key for key in ("matched", "raw") if key in evaluation.scores]
        contrasts = compared[0] if compared else ""
        regions = evaluation.scores.get(contrasts, {})
        faithful = evaluation.scores.get("faithfulness", {})
        dice = {name: scores["dice"] for name, scores in faithful.items() if name != TOTAL}
        subject = printable(evaluation.subject)
        return cls(subject, False, contrasts, regions.get(TOTAL, {}), dice)


def evaluation_table(evaluation: Evaluation) -> Table:
    """Return the table of one output: a row a measure, a column a tissue."""
    table = make_table(printable(evaluation.subject))
    table.add_column("measure")
    for name, region in evaluation.regions.items():
        table.add_column(f"{name}\n{region.volume_ml:.1f} ml", justify="right")
    for section in SECTIONS:
        regions = evaluation.scores.get(section.key)
        if not regions:
            continue
        title = section.title
        if section.key in evaluation.bounds:
            low, high = evaluation.bounds[section.key]
            title = f"{title}, range {low:g} to {high:g}"
        _add_title(table, title)
        for measure in section.measures:
            cells = [
                _cell(measure, regions.get(name, {}).get(measure.key))
                for name in evaluation.regions
            ]
            table.add_row(measure.title, *cells)
    _add_caption(table, f"compared {evaluation.mask}")
    return table


def subjects_table(rows: Iterable[SubjectRow]) -> Table:
    """Return the table of a cohort: a row a subject."""
    rows = list(rows)
    measures: list[Measure] = []
    if any(row.scores for row in rows):
        measures = [measure for measure in IMAGE_MEASURES if measure.key in _SHOWN]
    tissues = list(dict.fromkeys(tissue for row in rows for tissue in row.dice))
    table = make_table("subjects, image scores of the whole mask")
    table.add_column("subject", overflow="fold")
    table.add_column("contrasts")
    for title in (*(measure.title for measure in measures), *(f"Dice, {name}" for name in tissues)):
        table.add_column(title, justify="right")
    for row in rows:
        if row.failed:
            table.add_row(Text(row.subject), Text("failed", "red"))
            continue
        cells = [_cell(measure, row.scores.get(measure.key)) for measure in measures]
        cells += [_cell(_DICE, row.dice.get(tissue)) for tissue in tissues]
        table.add_row(Text(row.subject), row.contrasts, *cells)
    return table


def _cell(measure: Measure, value: Value | None) -> str:
    return "" if value is None else measure.format(value)


def cohort_table(cohort: Cohort) -> Table:
    """Return the means of a cohort with their confidence intervals."""
    estimates = cohort.estimates()
    regions = list(dict.fromkeys(region for found in estimates.values() for region in found))
    regions = [region for region in regions if region not in cohort.structures]
    table = make_table(f"mean of {cohort.subjects} subjects")
    table.add_column("measure")
    for name in regions:
        table.add_column(name, justify="right")
    for section in SECTIONS:
        found = estimates.get(section.key)
        if not found:
            continue
        _add_title(table, section.title)
        for measure in section.measures:
            cells = [
                format_estimate(measure, found[name][measure.key]) if name in found else ""
                for name in regions
            ]
            table.add_row(measure.title, *cells)
    _add_caption(
        table, f"in brackets: {CONFIDENCE:.0%} confidence intervals over subjects (bootstrap)"
    )
    return table


def print_table(table: Table) -> None:
    """Write a table to standard output."""
    console = Console(file=results_stream(), width=None if results_stream().isatty() else _WIDTH)
    # Through `write_result`, which knows what to do when nobody reads.
    with console.capture() as capture:
        console.print(table)
    write_result(capture.get().removesuffix("\n"))


def make_table(title: str) -> Table:
    """Return an empty table with a title that is shown as it is."""
    return Table(title=Text(title), title_justify="left", caption_justify="left")


def _add_title(table: Table, title: str) -> None:
    table.add_section()
    table.add_row(Text(title, "bold"))


def _add_caption(table: Table, caption: str) -> None:
    table.caption = Text(caption)


def format_estimate(measure: Measure, estimate: Estimate) -> str:
    """Return a mean with its confidence interval as a table shows them."""
    if estimate.mean is None:
        return "n/a"
    mean = measure.format(estimate.mean)
    if estimate.low is None or estimate.high is None:
        return mean
    return f"{mean} [{measure.format(estimate.low)}, {measure.format(estimate.high)}]"
