"""Record a training in its model folder: a table of losses, curves and pictures."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oasis_gan import write_atomically

from .errors import OtherTableError
from .metrics import VALIDATION
from .tensorboard_writer import TensorBoardWriter

TABLE = "losses.csv"
CURVES = "curves.png"
SAMPLES = "samples"
TENSORBOARD = "tensorboard"

Slices = NDArray[np.float32]
Values = NDArray[np.float64]
_Curves = dict[str, tuple[Values, Values]]


class TrainingLog:
    """The files in a model folder that show how its training went.

    A resumed training leaves the same table and pictures as one that never stopped: the rows and
    pictures of later steps are removed first.

    Args:
        out: The model folder; it is created if needed.
        columns: The columns of the table: the step, then the losses. `VALIDATION` is the prefix of
            those that are measured on held-out slices.
        resumed_at: The last step whose row is kept; 0 starts a new table.
        tensorboard: Whether to write the same for TensorBoard.
        changed_at: The steps after which settings were changed, which the curves mark.

    Raises:
        OtherTableError: If there is a table of another training.
        NoTensorBoardError: If TensorBoard is requested and not installed.
        OSError: If a file cannot be read or written.
    """

    def __init__(
        self,
        out: Path,
        columns: Sequence[str],
        resumed_at: int = 0,
        tensorboard: bool = False,
        changed_at: Sequence[int] = (),
    ) -> None:
        self._out = out
        self._columns = tuple(columns)
        self._losses = self._columns[1:]
        self._changed_at = changed_at
        self._tensorboard = TensorBoardWriter(out / TENSORBOARD) if tensorboard else None
        out.mkdir(parents=True, exist_ok=True)
        self._drop_pictures_after(resumed_at)
        self._drop_rows_after(resumed_at)

    def add_row(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row to the table; losses that were not measured at this step are left empty.

        Raises:
            ValueError: If a value has no column.
        """
        if not set(values) <= set(self._losses):
            raise ValueError(f"expected some of {self._losses}, got {tuple(values)}")
        cells = [f"{values[name]:.6g}" if name in values else "" for name in self._losses]
        # The file is closed after each row, so that a killed process loses none.
        with (self._out / TABLE).open("a", encoding="utf-8", newline="") as file:
            is_empty = file.tell() == 0
            header = _format_row(self._columns) if is_empty else ""
            file.write(header + _format_row([str(step), *cells]))
        if self._tensorboard is not None:
            scalars = {}
            for name, value in values.items():
                loss, kind = _split_name(name)
                scalars[f"{loss}/{kind}"] = value
            self._tensorboard.add_scalars(step, scalars)

    def draw_curves(self) -> None:
        """Draw the table, with one panel for each loss that is not always 0."""
        rows = self._read_rows()
        panels = self._arrange_panels(rows) if rows else {}
        if not panels:
            return
        # Importing Matplotlib is slow.
        from . import drawing

        png = drawing.draw_curves(panels, self._changed_at)
        write_atomically(self._out / CURVES, png)

    def _arrange_panels(self, rows: Sequence[Sequence[str]]) -> dict[str, _Curves]:
        """Return the curves of each loss that is not always 0, by the name of the loss."""
        panels: dict[str, _Curves] = {}
        table = np.array([_parse_numbers(row) for row in rows])
        steps = table[:, 0]
        for name, values in zip(self._losses, table.T[1:], strict=True):
            loss, kind = _split_name(name)
            is_measured = np.isfinite(values)
            if values[is_measured].any():
                panel = panels.setdefault(loss, {})
                panel[kind] = (steps[is_measured], values[is_measured])
        return panels

    def draw_samples(self, step: int, columns: Sequence[tuple[str, Slices]]) -> None:
        """Draw source, generated and real slices side by side.

        Args:
            step: The number of updates after which they were generated.
            columns: The captions and the slices (n, rows, columns, channels) in [0, 1].
        """
        from . import drawing

        folder = self._out / SAMPLES
        folder.mkdir(exist_ok=True)
        png = drawing.draw_comparison_grid(columns)
        write_atomically(folder / f"step-{step:07}.png", png)
        if self._tensorboard is not None:
            self._tensorboard.add_picture(step, SAMPLES, png)

    def _drop_pictures_after(self, step: int) -> None:
        """Remove the pictures of later steps."""
        for picture in (self._out / SAMPLES).glob("step-*.png"):
            number = picture.stem.removeprefix("step-")
            if number.isdecimal() and int(number) > step:
                picture.unlink()

    def _drop_rows_after(self, step: int) -> None:
        """Remove the rows of later steps, and a last row that is incomplete."""
        path = self._out / TABLE
        if not step:
            path.unlink(missing_ok=True)
            return
        if not path.exists():
            return
        lines = [_format_row(row) for row in self._read_rows() if int(row[0]) <= step]
        if lines:
            lines.insert(0, _format_row(self._columns))
        write_atomically(path, "".join(lines).encode())

    def _read_rows(self) -> list[list[str]]:
        """Return the cells of all complete rows below the header."""
        path = self._out / TABLE
        if not path.exists():
            return []
        complete, _, _ = path.read_text("utf-8", "replace").rpartition("\n")
        rows = list(csv.reader(StringIO(complete)))
        if not rows:
            return []
        header, *rows = rows
        if tuple(header) != self._columns or not all(map(self._is_row, rows)):
            raise OtherTableError(path, self._columns)
        return rows

    def _is_row(self, cells: Sequence[str]) -> bool:
        return len(cells) == len(self._columns) and cells[0].isdecimal()


def _split_name(name: str) -> tuple[str, str]:
    """Return the loss that a column shows, and whether it is of ``training`` or ``validation``."""
    loss = name.removeprefix(VALIDATION)
    kind = "training" if loss == name else "validation"
    return loss, kind


def _parse_numbers(cells: Sequence[str]) -> list[float]:
    """Return the numbers in a row, NaN where nothing was measured."""
    return [float(cell or "nan") for cell in cells]


def _format_row(cells: Sequence[str]) -> str:
    row = StringIO()
    csv.writer(row, lineterminator="\n").writerow(cells)
    return row.getvalue()
