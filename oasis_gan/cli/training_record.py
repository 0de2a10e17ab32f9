"""Record what a training was asked for, and the sides of its split."""

from __future__ import annotations

from pathlib import Path

from ..checks.splitting import Split, write_split
from .training_folder import TrainingRun


class TrainingRecord:
    """What the folder of a training says about it: what was asked for, and the sides of the split.

    A resumed training is recorded once its first step is done: one that cannot be done leaves the
    folder as it was.
    """

    def __init__(self, out: Path, run: TrainingRun, sides: Split) -> None:
        self.out = out
        self.run = run
        self.sides = sides
        self._written = False

    def write(self) -> None:
        """Write it, once."""
        if not self._written:
            write_split(self.out, self.sides)
            self.run.write(self.out)
            self._written = True
