"""Foresee how long a run takes and how much it writes, from what earlier runs have measured."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path

from .ledger import Row

_MOST_SIZES = 100  # of outputs that are measured, which is enough for a mean


@dataclass(frozen=True)
class Rates:
    """The rates say what one subject costs.

    Args:
        seconds: The mean time from reading a subject to having written it; None if no subject has
            been done yet.
        bytes: The mean size of an output with its sidecar; None if there is no output yet.
    """

    seconds: float | None
    bytes: float | None

    @classmethod
    def measure(cls, rows: Collection[Row], folder: Path) -> Rates:
        """Measure the subjects that a table lists.

        Args:
            rows: The rows of the table.
            folder: The folder of the table.
        """
        seconds = [float(row.seconds) for row in rows if _is_number(row.seconds)]
        outputs = [folder / row.output for row in rows if row.output]
        sizes = [_measure_output(path) for path in outputs[:_MOST_SIZES] if path.is_file()]
        return cls(_mean(seconds), _mean(sizes))


def _measure_output(volume: Path) -> int:
    """Return the size of a volume and of the files beside it that have its name."""
    stem = volume.name.split(".")[0]
    return sum(path.stat().st_size for path in volume.parent.glob(f"{stem}.*"))


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _mean(values: Iterable[float]) -> float | None:
    numbers = list(values)
    return sum(numbers) / len(numbers) if numbers else None
