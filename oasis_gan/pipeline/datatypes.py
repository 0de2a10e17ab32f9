"""How the voxels of an output are stored: labels as integers, intensities as the user wants them."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..errors import OasisGanError
from ..image.encoding import Encoding
from ..image.volume import Volume

_FOR_LABELS = ("uint8", "int16", "int32")  # smallest first
_MAX_LOSS = 0.01  # of the range of intensities, by rounding


def datatype_of(target: Encoding, requested: str | None) -> str:
    """Return the datatype that was asked for; without one intensities are float32, labels the smallest integers."""
    if requested is not None:
        return requested
    if target.label_set is None:
        return "float32"
    values = [label.value for label in target.label_set.labels]
    return next((name for name in _FOR_LABELS if _holds(name, min(values), max(values))), "float32")


def stored_as(volume: Volume, datatype: str, where: object) -> Volume:
    """Return ``volume`` with voxels of a datatype; integers are the nearest, and a note says what that changed.

    Nothing is scaled: slope is 1 and intercept 0 for whoever reads the file.

    Raises:
        OasisGanError: If a voxel does not fit, or rounding moves one by more than a hundredth of their range.
    """
    voxels = volume.voxels
    kind = np.dtype(datatype)
    if kind.kind == "f":
        return replace(volume, voxels=voxels.astype(kind, copy=False))
    whole = np.rint(voxels)
    low = float(whole.min())
    high = float(whole.max())
    if not _holds(datatype, low, high):
        limits = np.iinfo(kind)
        expected = f"voxels from {limits.min} to {limits.max} for {datatype}"
        found = f"{low:g} to {high:g}"
        raise OasisGanError(where, expected=expected, found=found, remedy="use `dtype` float32")
    lost = float(np.abs(whole - voxels).max())
    span = float(np.ptp(voxels))
    if lost > _MAX_LOSS * span:
        found = f"a range of {span:.3g}, and a voxel {lost:.2g} from the nearest"
        expected = f"intensities that whole numbers tell apart for {datatype}"
        raise OasisGanError(where, expected=expected, found=found, remedy="use `dtype` float32")
    note = (f"voxels were rounded to {datatype}, by at most {lost:.2g}",) if lost else ()
    return replace(volume, voxels=whole.astype(kind), notes=(*volume.notes, *note))


def _holds(datatype: str, low: float, high: float) -> bool:
    limits = np.iinfo(datatype)
    return bool(limits.min <= low and high <= limits.max)
