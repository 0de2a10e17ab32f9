"""An evaluation as a table on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ..errors import printable
from ..evaluation.evaluating import Evaluation
from ..evaluation.measures import IMAGE_MEASURES
from .streams import results_stream, write_result

_WIDTH = 160  # columns of a table that goes to a file
_TITLES = {"raw": "intensities as they are", "matched": "contrasts matched"}


def print_evaluation(evaluation: Evaluation) -> None:
    """Write a table of one output: a row a measure, a column a tissue."""
    table = Table(title=Text(printable(evaluation.subject)), title_justify="left")
    table.add_column("measure")
    for name, region in evaluation.regions.items():
        table.add_column(f"{name}\n{region.volume_ml:.1f} ml", justify="right")
    for contrast, images in evaluation.images.items():
        low, high = evaluation.bounds[contrast]
        table.add_section()
        table.add_row(Text(f"{_TITLES[contrast]}, range {low:g} to {high:g}", "bold"))
        for measure in IMAGE_MEASURES:
            cells = [measure.format(scores[measure.key]) for scores in images.regions.values()]
            table.add_row(measure.title, *cells)
    table.caption = Text(f"compared {evaluation.mask}")
    table.caption_justify = "left"
    print_table(table)


def print_table(table: Table) -> None:
    """Write a table to standard output."""
    console = Console(file=results_stream(), width=None if results_stream().isatty() else _WIDTH)
    # Through `write_result`, which knows what to do when nobody reads.
    with console.capture() as capture:
        console.print(table)
    write_result(capture.get().removesuffix("\n"))
