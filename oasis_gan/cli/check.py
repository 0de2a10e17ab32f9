"""Check volumes or pairs: ``oasis-gan check``."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..checks.doctor import examine_all
from ..checks.findings import Finding, Report, Verdict
from ..errors import printable
from ..image.label_sets import OASIS
from .choosing import SelectionOptions, list_subjects, load_registry, require_listed
from .flags import with_flags
from .further_sources import FurtherSources, collect_places
from .label_choices import choose_source_labels
from .progress import reporting
from .streams import get_results_stream, write_result

_COLOURS = {
    Verdict.ACCEPT: "green",
    Verdict.FIX: "cyan",
    Verdict.WARN: "yellow",
    Verdict.REJECT: "red",
}
_WIDTH = 160  # columns of a table that goes to a file


@dataclass(frozen=True, kw_only=True)
class CheckOptions(SelectionOptions):
    """The options that ``oasis-gan check`` takes."""

    validate: tuple[str, ...]
    form: str


def check(options: CheckOptions) -> int:
    """Examine subjects and print what was found; return 0 if none is rejected, else 1.

    Raises:
        OasisGanError: If the options cannot be followed.
    """
    registry = load_registry(options.plugin_files)
    places = collect_places(options.further)
    further = FurtherSources.of(options, registry, places)
    # No model says which sources there are, so they are those that the user names.
    source_labels = choose_source_labels(options.source_labels, places, "--source")
    subjects, broken = list_subjects(
        registry,
        options.make_selections(),
        options.dataset,
        options.labels,
        options.source_is,
        join=further.join,
        source_labels=source_labels,
    )
    require_listed(options.validate, subjects)
    # Subjects that could not even be listed are rejected as well.
    reports = [
        Report(outcome.subject, (Finding(Verdict.REJECT, outcome.message),)) for outcome in broken
    ]
    if options.form == "tsv":
        _print_rows(["subject\tverdict\tmessage", *map(_format_row, reports)])
    with reporting("checking", len(subjects)) as reporter:
        for index, examined in enumerate(examine_all(subjects, OASIS, options.validate)):
            reports.append(examined.report)
            reporter.advance(index + 1, len(subjects), "checking")
            if options.form == "tsv":
                # Each line is printed at once, so that it stays if a later check is interrupted.
                _print_rows([_format_row(examined.report)])
    if options.form == "table":
        _print_table(reports)
    elif options.form == "json":
        write_result(json.dumps([_make_record(report) for report in reports], indent=2))
    return int(any(report.verdict is Verdict.REJECT for report in reports))


def report_line(report: Report) -> str:
    """Return the line of a log about a subject."""
    return f"{report.subject}: {report.verdict} - {report.message}"


def _format_message(report: Report) -> str:
    return with_flags(report.message)


def _format_row(report: Report) -> str:
    return "\t".join(
        printable(cell) for cell in (report.subject, report.verdict, _format_message(report))
    )


def _make_record(report: Report) -> dict[str, object]:
    record = {
        "subject": printable(report.subject),
        "verdict": report.verdict,
        "message": printable(_format_message(report)),
    }
    return {**record, "figures": report.figures}


def _print_rows(rows: Iterable[str]) -> None:
    for row in rows:
        write_result(row)


def _print_table(reports: Iterable[Report]) -> None:
    table = Table("subject", "verdict", "message")
    for report in reports:
        name, message = (
            Text(printable(text), overflow="fold")
            for text in (report.subject, _format_message(report))
        )
        table.add_row(name, Text(report.verdict, _COLOURS[report.verdict]), message)
    console = Console(
        file=get_results_stream(), width=None if get_results_stream().isatty() else _WIDTH
    )
    # `write_result` copes with a reader that has gone.
    with console.capture() as capture:
        console.print(table)
    write_result(capture.get().removesuffix("\n"))
