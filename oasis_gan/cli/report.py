"""Make pages that show outputs: ``oasis-gan report``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING

from ..errors import one_line, printable
from ..evaluation.certificates import evaluate_once
from ..evaluation.libraries import require_libraries
from ..evaluation.outputs import Output, list_outputs
from ..evaluation.reading import read_files
from ..plugin.foreign import foreign_code
from ..report.libraries import require_report_libraries
from .choosing import load_registry
from .evaluation_tasks import TaskFinder, TaskOptions
from .flags import with_flags
from .progress import Reporter, reporting
from .uncertainty_map import read_uncertainty

if TYPE_CHECKING:
    from ..report.reporting import IndexRow


@dataclass(frozen=True, kw_only=True)
class ReportOptions(TaskOptions):
    """The options that ``oasis-gan report`` takes."""

    outputs: tuple[Path, ...]


def report_command(options: ReportOptions) -> int:
    """Make a page for each output, and the index of a folder.

    Returns:
        The exit status: 0, or 1 if some pages could not be made.

    Raises:
        OasisGanError: If the options cannot be followed.
        OSError: If the file system fails.
    """
    require_report_libraries()
    require_libraries()
    outputs = list_outputs(options.outputs)
    registry = load_registry(options.plugin_files)
    folder = next((path for path in options.outputs if path.is_dir()), None)
    with TemporaryDirectory(prefix="oasis-gan-") as scratch:
        finder = TaskFinder(options, registry, Path(scratch), needs_comparison=False)
        finder.require_enough(outputs)
        return _report_all(outputs, finder, folder)


def _report_all(outputs: Sequence[Output], finder: TaskFinder, folder: Path | None) -> int:
    # Imported here, after a missing Jinja would have been reported.
    from ..report.reporting import write_index

    rows = []
    with reporting("reporting", len(outputs)) as reporter:
        for index, output in enumerate(outputs):
            reporter.advance(index, len(outputs), f"reporting on {output.name}")
            rows.append(_report_one(output, finder, folder or output.path.parent, reporter))
        if folder is not None:
            reporter.write_result(write_index(folder, rows))
    return int(any(row.message for row in rows))


def _report_one(output: Output, finder: TaskFinder, folder: Path, reporter: Reporter) -> IndexRow:
    """Make the page of an output and return its row of the index, which says why if it failed."""
    from ..report.reporting import IndexRow, make_index_row, write_page

    try:
        with foreign_code(output.path):
            task = finder.find_task(output)
            volumes = read_files(task)
            evaluation = evaluate_once(task, volumes)
            uncertainty = read_uncertainty(finder.registry, output.path, volumes.output)
            page = write_page(output.path, volumes, evaluation, uncertainty)
    # Readers may come from any plugin.
    except Exception as error:  # noqa: BLE001
        message = with_flags(one_line(error))
        reporter.log(f"{output.name}: failed - {message}")
        return IndexRow(printable(output.name), message=printable(message))
    reporter.write_result(page)
    return make_index_row(folder, page, evaluation)
