"""Read the scores that segmenters reach on real heads, for outputs without a real scan.

The figures in ``ceiling.json`` were measured by ``tests/benchmarks/ceiling.py``, which writes that
file.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from .measures import FAITHFULNESS_MEASURES, Scores, Undefined, Value

_FILE = Path(__file__).with_name("ceiling.json")
_NO_VALUE = Undefined("no head has a value")


class Figure(BaseModel):
    """A measure over the heads that have it."""

    heads: int
    mean: float
    lowest: float
    highest: float


class CeilingFile(BaseModel):
    """What was measured, and how."""

    heads: tuple[str, ...]
    command: str
    oasis_gan: str
    segmenters: dict[str, dict[str, dict[str, Figure]]]


@cache
def read_ceiling() -> CeilingFile:
    """Return what was measured on real heads."""
    return CeilingFile.model_validate_json(_FILE.read_bytes())


def find_typical_scores(segmenter: str) -> dict[str, Scores]:
    """Return by region what a segmenter reaches on real heads on average.

    Nothing if it was not measured.

    Args:
        segmenter: Its name and version.
    """
    regions = read_ceiling().segmenters.get(segmenter, {})
    return {name: _read_means(figures) for name, figures in regions.items()}


def describe_ceiling() -> dict[str, Any]:
    """Return where the figures come from, for JSON."""
    return read_ceiling().model_dump(mode="json", include={"heads", "command", "oasis_gan"})


def _read_means(figures: dict[str, Figure]) -> dict[str, Value]:
    means: dict[str, Value] = {}
    for measure in FAITHFULNESS_MEASURES:
        key = measure.key
        means[key] = figures[key].mean if key in figures else _NO_VALUE
    return means
