"""The forms in which ``oasis-gan evaluate`` prints what it found: a table, rows or JSON."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterator

from rich.table import Table

from ..errors import printable
from ..evaluation.cohort import Cohort
from ..evaluation.evaluating import Evaluation
from ..evaluation.records import (
    Record,
    make_json_document,
    make_json_failure,
    make_json_record,
    make_tsv_header,
    make_tsv_rows,
)
from .evaluation_table import (
    SubjectRow,
    make_cohort_table,
    make_evaluation_table,
    make_subjects_table,
    print_table,
)
from .streams import write_result
from .structures_table import make_cohort_structures_tables, make_structures_tables


class Form(ABC):
    """Prints evaluations one after the other, and ends with what holds for all of them.

    Args:
        segmenter: The command or the model that segments, if there is one.
    """

    def __init__(self, segmenter: str | None) -> None:
        self._segmenter = segmenter

    @abstractmethod
    def add(self, evaluation: Evaluation) -> None:
        """Take what was found about an output."""

    @abstractmethod
    def add_failure(self, subject: str, message: str) -> None:
        """Take why an output could not be evaluated."""

    @abstractmethod
    def finish(self, cohort: Cohort) -> None:
        """Print what is left to print."""


class Rows(Form):
    """Tab-separated values. Each row is written at once, and stays if a later output fails."""

    def __init__(self, segmenter: str | None) -> None:
        super().__init__(segmenter)
        write_result(make_tsv_header())

    def add(self, evaluation: Evaluation) -> None:
        """Write a row for each tissue."""
        for row in make_tsv_rows(evaluation):
            write_result(row)

    def add_failure(self, subject: str, message: str) -> None:
        """Write nothing: standard error says why."""

    def finish(self, cohort: Cohort) -> None:
        """Write nothing more."""


class JsonDocument(Form):
    """Write one JSON document about all outputs."""

    def __init__(self, segmenter: str | None) -> None:
        super().__init__(segmenter)
        self._records: list[Record] = []

    def add(self, evaluation: Evaluation) -> None:
        """Keep the record of an output."""
        self._records.append(make_json_record(evaluation))

    def add_failure(self, subject: str, message: str) -> None:
        """Keep the reason."""
        self._records.append(make_json_failure(subject, message))

    def finish(self, cohort: Cohort) -> None:
        """Write the document."""
        # The mean of one subject would only repeat its figures.
        several = cohort if cohort.subjects > 1 else None
        document = make_json_document(self._records, several, self._segmenter)
        write_result(json.dumps(document, indent=2))


class Tables(Form):
    """Show one output in a table of its own, and several as a row each, followed by their means."""

    def __init__(self, segmenter: str | None) -> None:
        super().__init__(segmenter)
        self._rows: list[SubjectRow] = []
        self._last: Evaluation | None = None

    def add(self, evaluation: Evaluation) -> None:
        """Keep the row of an output."""
        self._rows.append(SubjectRow.of(evaluation))
        self._last = evaluation

    def add_failure(self, subject: str, message: str) -> None:
        """Keep a row that says that the output failed."""
        self._rows.append(SubjectRow(printable(subject), failed=True))

    def finish(self, cohort: Cohort) -> None:
        """Write the tables."""
        for table in self._make_tables(cohort):
            print_table(table)

    def _make_tables(self, cohort: Cohort) -> Iterator[Table]:
        if len(self._rows) > 1:
            yield make_subjects_table(self._rows)
        if cohort.subjects > 1:
            yield make_cohort_table(cohort)
            yield from make_cohort_structures_tables(cohort)
        # Where only one output could be evaluated, it is shown in full.
        elif self._last is not None:
            yield make_evaluation_table(self._last)
            yield from make_structures_tables(self._last)


FORMS: dict[str, type[Form]] = {
    "table": Tables,
    "tsv": Rows,
    "json": JsonDocument,
}
"""By the name that a user types after ``--format``."""
