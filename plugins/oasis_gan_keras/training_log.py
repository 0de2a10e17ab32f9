"""What one sees of a training: its losses as a table and as curves, and what the generator makes at some steps."""

from __future__ import annotations

import csv
from collections.abc import Mapping, Sequence
from io import StringIO
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from oasis_gan import OasisGanError, write_atomically

from .metrics import VALIDATION
from .tensorboard_writer import TensorBoardWriter

TABLE, CURVES, SAMPLES, BOARD = "losses.csv", "curves.png", "samples", "tensorboard"

Slices = NDArray[np.float32]


class TrainingLog:
    """The files in a model folder that show how its training went.

    A training that is taken up again at a step leaves the same table and pictures as one that never stopped: what an
    earlier run left of later steps is dropped first.

    Args:
        out: The model folder; made if needed.
        columns: Of the table: the step, then the losses, behind `VALIDATION` where they are taken on held-out slices.
        resumed_at: The last step that counts of what is there; 0 begins anew.
        tensorboard: Whether to write the same for TensorBoard.
        changed_at: The steps after which settings were changed: the curves show them.

    Raises:
        OasisGanError: If the table there is of another training, or TensorBoard is wanted and not installed.
        OSError: As the file system says.
    """

    def __init__(
        self,
        out: Path,
        columns: Sequence[str],
        resumed_at: int = 0,
        tensorboard: bool = False,
        changed_at: Sequence[int] = (),
    ) -> None:
        self._changed_at = changed_at
        self._out, self._columns, self._losses = out, tuple(columns), tuple(columns[1:])
        self._board = TensorBoardWriter(out / BOARD) if tensorboard else None
        out.mkdir(parents=True, exist_ok=True)
        self._forget(resumed_at)

    def row(self, step: int, values: Mapping[str, float]) -> None:
        """Add a row to the table; figures that were not taken at this step are left empty.

        Raises:
            ValueError: If a value has no column.
        """
        if not set(values) <= set(self._losses):
            raise ValueError(f"expected some of {self._losses}, got {tuple(values)}")
        path = self._out / TABLE
        cells = [f"{values[name]:.6g}" if name in values else "" for name in self._losses]
        # Closed after each row: a process that is killed loses none.
        with path.open("a", encoding="utf-8", newline="") as file:
            head = "" if file.tell() else _line(self._columns)
            file.write(head + _line([str(step), *cells]))
        if self._board is not None:
            self._board.scalars(
                step, {"/".join(_parted(name)): value for name, value in values.items()}
            )

    def draw_curves(self) -> None:
        """Draw the table: a panel for each loss that is not 0 throughout, with its training and validation values."""
        rows = self._rows()
        if not rows:
            return
        # Slow to import.
        from . import drawing

        panels: dict[str, dict[str, tuple[NDArray[np.float64], NDArray[np.float64]]]] = {}
        table = np.array([[float(cell or "nan") for cell in row] for row in rows])
        for name, values in zip(self._losses, table.T[1:], strict=True):
            loss, part = _parted(name)
            there = np.isfinite(values)
            if there.any() and values[there].any():
                panels.setdefault(loss, {})[part] = table[there, 0], values[there]
        if panels:
            write_atomically(self._out / CURVES, drawing.curves(panels, self._changed_at))

    def samples(self, step: int, columns: Sequence[tuple[str, Slices]]) -> None:
        """Draw slices side by side: what went in, came out, and should have.

        Args:
            step: After which they were made.
            columns: Captions, and slices (n, rows, columns, channels) in [0, 1].
        """
        from . import drawing

        folder = self._out / SAMPLES
        folder.mkdir(exist_ok=True)
        png = drawing.sheet(columns)
        write_atomically(folder / f"step-{step:07}.png", png)
        if self._board is not None:
            self._board.picture(step, SAMPLES, png)

    def _forget(self, resumed_at: int) -> None:
        """Drop rows and pictures of later steps, and a last line that was not written to its end."""
        for picture in (self._out / SAMPLES).glob("step-*.png"):
            number = picture.stem.removeprefix("step-")
            if number.isdecimal() and int(number) > resumed_at:
                picture.unlink()
        path = self._out / TABLE
        if not resumed_at:
            path.unlink(missing_ok=True)
        elif path.exists():
            rows = [row for row in self._rows() if int(row[0]) <= resumed_at]
            write_atomically(
                path, "".join(map(_line, [self._columns, *rows] if rows else [])).encode()
            )

    def _rows(self) -> list[list[str]]:
        """Return the cells of all whole rows below the header."""
        path = self._out / TABLE
        whole = path.read_text("utf-8", "replace").rpartition("\n")[0] if path.exists() else ""
        head, *rows = list(csv.reader(StringIO(whole))) or [list(self._columns)]
        if tuple(head) != self._columns or any(
            len(row) != len(head) or not row[0].isdecimal() for row in rows
        ):
            expected, remedy = (
                f"a table of {', '.join(self._columns)}",
                "remove it, or train into another folder",
            )
            raise OasisGanError(path, expected=expected, found="another", remedy=remedy)
        return rows


def _parted(name: str) -> tuple[str, str]:
    """Return which loss a column is of, and which slices it was taken on."""
    loss = name.removeprefix(VALIDATION)
    return loss, "training" if loss == name else "validation"


def _line(cells: Sequence[str]) -> str:
    packed = StringIO()
    csv.writer(packed, lineterminator="\n").writerow(cells)
    return packed.getvalue()
