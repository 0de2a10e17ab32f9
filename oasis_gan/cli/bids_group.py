"""Sum up a BIDS derivative: a table of all subjects, and an index of their pages."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from ..errors import printable
from ..io.endings import sidecar_of
from ..io.files import write_atomically
from ..report.libraries import require_report_libraries
from .bids_records import OutputRecord, read_failures, read_records
from .streams import write_result

TABLE = "group_T1w.tsv"
_HEADER = (
    "participant_id",
    "session_id",
    "status",
    "output",
    "source",
    "model",
    "version",
    "precision",
    "message",
)
_UNKNOWN = "n/a"


def summarise(folder: Path) -> int:
    """Write the table and the index of all subjects, and print their paths.

    Returns:
        The exit status: 0, or 1 if the last run on some subject failed.

    Raises:
        OasisGanError: If there is no output, or Jinja2 is not installed.
        OSError: If the file system fails.
    """
    require_report_libraries()
    records = read_records(folder)
    failures = read_failures(folder / "subjects.tsv")
    write_result(_write_table(folder, records, failures))
    write_result(_write_index(folder, records, failures))
    return int(bool(failures))


def _write_table(
    folder: Path, records: Sequence[OutputRecord], failures: Mapping[str, str]
) -> Path:
    """Write the table, and return its path."""
    rows = [_make_row(record, folder) for record in records]
    rows += [_make_failed_row(name, message) for name, message in failures.items()]
    lines = ["\t".join(_HEADER)]
    for row in rows:
        cells = [printable(row.get(column) or _UNKNOWN) for column in _HEADER]
        lines.append("\t".join(cells))
    path = folder / TABLE
    write_atomically(path, ("\n".join(lines) + "\n").encode())
    return path


def _make_row(record: OutputRecord, folder: Path) -> dict[str, str]:
    """Return the cells of an output by their columns."""
    run = record.run
    return {
        "participant_id": record.read_entity("sub"),
        "session_id": record.read_entity("ses"),
        "status": "done",
        "output": record.path.relative_to(folder).as_posix(),
        "source": run.source.file,
        "model": run.model.name,
        "version": run.model.version,
        "precision": run.precision or "",
        "message": "; ".join(run.notes),
    }


def _make_failed_row(name: str, message: str) -> dict[str, str]:
    """Return the cells of a subject without an output."""
    parts = name.split("_")
    return {
        "participant_id": parts[0] if parts[0].startswith("sub-") else name,
        "session_id": next((part for part in parts if part.startswith("ses-")), ""),
        "status": "failed",
        "message": message,
    }


def _write_index(
    folder: Path, records: Sequence[OutputRecord], failures: Mapping[str, str]
) -> Path:
    """Write the index, and return its path."""
    # Imported here, after a missing Jinja would have been reported.
    from ..report.reporting import IndexRow, write_index

    rows = []
    for record in records:
        page = sidecar_of(record.path).with_suffix(".html")
        link = page.relative_to(folder).as_posix() if page.exists() else ""
        notes = len(record.run.notes)
        rows.append(IndexRow(printable(record.path.name), link, notes=notes))
    rows += [IndexRow(printable(name), message=message) for name, message in failures.items()]
    return write_index(folder, rows)
