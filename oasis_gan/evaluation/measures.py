"""Define what is measured. A measure without a value has a reason in its place, never NaN."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from ..image.choices import Plane


class Undefined(str):
    """Why a measure has no value."""

    __slots__ = ()


Value = float | Undefined
"""A finite number, infinity (the PSNR of equal volumes), or why there is none."""
Scores = Mapping[str, Value]
"""Values by the key of their measure."""
Curve = list[float | None]
"""A value for each slice of a volume; None where there is none."""

CONSTANT = Undefined("the real scan is constant there")
OUT_OF_RANGE = Undefined("the intensities are too large or too small to compute with")
NOTED = Undefined("a note of the certificate says why")
"""Stands for a figure that a certificate lacks."""


@dataclass(frozen=True)
class Measure:
    """A measure that compares two volumes.

    Args:
        key: Its name in TSV and JSON.
        title: Its name in a table, with the unit.
        digits: Decimals in a table.
        signed: Whether a table shows the sign of what is above 0 too.
    """

    key: str
    title: str
    digits: int
    signed: bool = False

    def format(self, value: Value) -> str:
        """Return a value as a table shows it."""
        if isinstance(value, Undefined):
            return "n/a"
        sign = "+" if self.signed else "-"
        return f"{value:{sign}.{self.digits}f}"


AXES = {
    Plane.SAGITTAL: "left_right",
    Plane.CORONAL: "posterior_anterior",
    Plane.AXIAL: "inferior_superior",
}
"""By plane, the direction across its slices."""

IMAGE_MEASURES = (
    Measure("mae", "MAE", 4),
    Measure("rmse", "RMSE", 4),
    Measure("psnr", "PSNR (dB)", 2),
    Measure("ssim", "SSIM, 3-D", 3),
    *(Measure(f"ssim_{plane}", f"SSIM, {plane} slices", 3) for plane in AXES),
    Measure("ms_ssim", "MS-SSIM, 3-D", 3),
    Measure("ncc", "NCC", 3),
    Measure("histogram", "histogram intersection", 3),
    *(
        Measure(f"gradient_{axis}", f"gradient ratio, {axis.replace('_', '-')}", 3)
        for axis in AXES.values()
    ),
)
"""How an output compares with a real scan."""
DISCONTINUITY_MEASURES = (
    *(Measure(axis, f"discontinuity, {axis.replace('_', '-')}", 3) for axis in AXES.values()),
    *(
        Measure(f"worst_{axis}", f"worst step, {axis.replace('_', '-')}", 3)
        for axis in AXES.values()
    ),
)
"""How much the slices of an output stand out, compared with those of a real scan."""
FAITHFULNESS_MEASURES = (
    Measure("dice", "Dice", 3),
    Measure("hausdorff95", "Hausdorff distance, 95 % (mm)", 2),
    Measure("volume_bias_ml", "volume bias (ml)", 2, signed=True),
    Measure("volume_bias_percent", "volume bias (%)", 1, signed=True),
)
"""How a segmentation compares with what is expected: a label map, or the real scan segmented."""


@dataclass(frozen=True)
class Section:
    """Measures that are taken together.

    Args:
        key: Its name in TSV and JSON.
        title: Its name in a table.
        measures: The measures in the order in which they are shown.
    """

    key: str
    title: str
    measures: tuple[Measure, ...]

    @property
    def keys(self) -> tuple[str, ...]:
        """Return the keys of its measures."""
        return tuple(measure.key for measure in self.measures)

    @property
    def columns(self) -> list[str]:
        """Return the names of its columns in TSV."""
        return [f"{self.key}_{key}" for key in self.keys]


SECTIONS = (
    Section("raw", "intensities as they are", IMAGE_MEASURES),
    Section("matched", "contrasts matched", IMAGE_MEASURES),
    Section("discontinuity", "slices, 1 as in the real scan", DISCONTINUITY_MEASURES),
    Section("continuity", "slices, 1 as in the smoothed label map", DISCONTINUITY_MEASURES),
    Section("faithfulness", "output segmented again, against its label map", FAITHFULNESS_MEASURES),
    Section(
        "ceiling",
        "real scan segmented likewise, against the label map",
        FAITHFULNESS_MEASURES,
    ),
    Section("typical", "real heads segmented likewise, their mean", FAITHFULNESS_MEASURES),
    Section("agreement", "output against the real scan, both segmented", FAITHFULNESS_MEASURES),
)
"""All that is measured, in the order in which it is shown."""


def catch_overflow(value: float) -> Value:
    """Return a computed value, or the reason if arithmetic has overflowed."""
    return float(value) if math.isfinite(value) else OUT_OF_RANGE


def json_value(value: Value) -> float | None:
    """Return a value as JSON can hold it: infinity and what is not defined are null."""
    if isinstance(value, Undefined) or not math.isfinite(value):
        return None
    return value


def tsv_value(value: Value) -> str:
    """Return a value for a table of tab-separated columns: ``n/a`` as in BIDS if there is none."""
    if isinstance(value, Undefined):
        return "n/a"
    return f"{value:.7g}"
