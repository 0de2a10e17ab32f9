"""Show evaluations as tables on a terminal."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import printable
from ..evaluation.cohort import CONFIDENCE, Cohort, Estimate, Estimates
from ..evaluation.comparison import TOTAL
from ..evaluation.evaluating import Evaluation
from ..evaluation.measures import (
    FAITHFULNESS_MEASURES,
    IMAGE_MEASURES,
    SECTIONS,
    Measure,
    Scores,
    Section,
    Value,
)
from .streams import get_results_stream, write_result

_WIDTH = 160  # columns of a table that goes to a file
_SHOWN_KEYS = {"mae", "psnr", "ssim", "ms_ssim", "ncc", "histogram"}
# The columns of a cohort: more would not fit on a terminal.
_SHOWN = tuple(measure for measure in IMAGE_MEASURES if measure.key in _SHOWN_KEYS)
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
        dice: The Dice of the output segmented again, by tissue; none without a segmentation.
    """

    subject: str
    failed: bool = False
    contrasts: str = ""
    scores: Scores = field(default_factory=dict)
    dice: Scores = field(default_factory=dict)

    @classmethod
    def of(cls, evaluation: Evaluation) -> SubjectRow:
        """Return the row of an evaluation."""
        contrasts = ""
        # Matched contrasts are preferred, so they come last.
        for section in ("raw", "matched"):
            if section in evaluation.scores:
                contrasts = section
        faithful = evaluation.scores_of("faithfulness")
        return cls(
            subject=printable(evaluation.subject),
            contrasts=contrasts,
            scores=evaluation.scores_of(contrasts).get(TOTAL, {}),
            dice={name: scores["dice"] for name, scores in faithful.items() if name != TOTAL},
        )

    def make_cells(
        self,
        measures: Iterable[Measure],
        tissues: Iterable[str],
    ) -> list[str | Text]:
        """Return the cells of the row: measures of the whole mask, and then Dice by tissue."""
        subject = Text(self.subject)
        if self.failed:
            return [subject, Text("failed", "red")]
        cells: list[str | Text] = [subject, self.contrasts]
        cells += [_format_cell(measure, self.scores.get(measure.key)) for measure in measures]
        cells += [_format_cell(_DICE, self.dice.get(tissue)) for tissue in tissues]
        return cells


def make_evaluation_table(evaluation: Evaluation) -> Table:
    """Return the table of one output: a row a measure, a column a tissue."""
    table = make_table(printable(evaluation.subject))
    table.add_column("measure")
    for name, region in evaluation.regions.items():
        table.add_column(f"{name}\n{region.volume_ml:.1f} ml", justify="right")
    for section in SECTIONS:
        regions = evaluation.scores_of(section.key)
        if not regions:
            continue
        _add_title(table, _describe_section(evaluation, section))
        for measure in section.measures:
            # Not every section has figures for every tissue.
            scores = [regions.get(name, {}) for name in evaluation.regions]
            cells = [_format_cell(measure, values.get(measure.key)) for values in scores]
            table.add_row(measure.title, *cells)
    _add_caption(table, f"compared {evaluation.mask}")
    return table


def _describe_section(evaluation: Evaluation, section: Section) -> str:
    """Return the title of a section, and the range of intensities if it has one."""
    bounds = evaluation.bounds.get(section.key)
    if bounds is None:
        return section.title
    low, high = bounds
    return f"{section.title}, range {low:g} to {high:g}"


def make_subjects_table(rows: Iterable[SubjectRow]) -> Table:
    """Return the table of a cohort: a row a subject."""
    rows = list(rows)
    has_scores = any(row.scores for row in rows)
    measures = _SHOWN if has_scores else ()
    tissues: dict[str, None] = {}
    for row in rows:
        tissues |= dict.fromkeys(row.dice)
    table = make_table("subjects, image scores of the whole mask")
    table.add_column("subject", overflow="fold")
    table.add_column("contrasts")
    _add_number_columns(table, [measure.title for measure in measures])
    _add_number_columns(table, [f"Dice, {tissue}" for tissue in tissues])
    for row in rows:
        cells = row.make_cells(measures, tissues)
        table.add_row(*cells)
    return table


def _add_number_columns(table: Table, titles: Iterable[str]) -> None:
    for title in titles:
        table.add_column(title, justify="right")


def _format_cell(measure: Measure, value: Value | None) -> str:
    return "" if value is None else measure.format(value)


def make_cohort_table(cohort: Cohort) -> Table:
    """Return the means of a cohort with their confidence intervals."""
    estimates = cohort.estimate_means()
    tissues = _list_tissues(cohort, estimates)
    table = make_table(f"mean of {cohort.subjects} subjects")
    table.add_column("measure")
    _add_number_columns(table, tissues)
    for section in SECTIONS:
        found = estimates.get(section.key)
        if not found:
            continue
        _add_title(table, section.title)
        for measure in section.measures:
            means = [found.get(name, {}).get(measure.key) for name in tissues]
            cells = [format_estimate(measure, mean) if mean else "" for mean in means]
            table.add_row(measure.title, *cells)
    level = f"{CONFIDENCE:.0%}"
    _add_caption(table, f"in brackets: {level} confidence intervals over subjects (bootstrap)")
    return table


def _list_tissues(cohort: Cohort, estimates: Estimates) -> list[str]:
    """Return the regions that have a mean in any section."""
    names: dict[str, None] = {}
    for regions in estimates.values():
        names |= dict.fromkeys(regions)
    # Structures have tables of their own.
    return [name for name in names if name not in cohort.structures]


def print_table(table: Table) -> None:
    """Write a table to standard output."""
    stream = get_results_stream()
    console = Console(file=stream, width=None if stream.isatty() else _WIDTH)
    # `write_result` copes with a reader that has gone.
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
    low = measure.format(estimate.low)
    high = measure.format(estimate.high)
    return f"{mean} [{low}, {high}]"
