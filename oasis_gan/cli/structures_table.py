"""Show compared structures as tables on a terminal: a row per structure, a column per measure."""

from __future__ import annotations

from collections.abc import Iterator

from rich.table import Table
from rich.text import Text

from ..errors import printable
from ..evaluation.cohort import Cohort
from ..evaluation.evaluating import Evaluation
from ..evaluation.measures import FAITHFULNESS_MEASURES, SECTIONS, Section
from .evaluation_table import format_estimate, make_table


def make_structures_tables(evaluation: Evaluation) -> Iterator[Table]:
    """Yield a table for each section of an evaluation that has structures."""
    for section in SECTIONS:
        scores = evaluation.scores.get(section.key, {})
        names = [name for name in evaluation.structures if name in scores]
        if not names:
            continue
        table = _make_section_table(section)
        for name in names:
            volume = f"{evaluation.structures[name].volume_ml:.1f}"
            cells = [measure.format(scores[name][measure.key]) for measure in section.measures]
            table.add_row(Text(printable(name)), volume, *cells)
        yield table


def make_cohort_structures_tables(cohort: Cohort) -> Iterator[Table]:
    """Yield a table of means for each section of a cohort that has structures."""
    estimates = cohort.estimate_means()
    for section in SECTIONS:
        found = estimates.get(section.key, {})
        names = [name for name in cohort.structures if name in found]
        if not names:
            continue
        table = _make_section_table(section)
        for name in names:
            cells = [
                format_estimate(measure, found[name][measure.key]) for measure in section.measures
            ]
            table.add_row(Text(printable(name)), "", *cells)
        yield table


def _make_section_table(section: Section) -> Table:
    table = make_table(section.title)
    table.add_column("structure")
    table.add_column("ml", justify="right")
    for measure in FAITHFULNESS_MEASURES:
        table.add_column(measure.title, justify="right")
    return table
