"""Choose how the voxels of an output are stored: labels as integers, intensities as requested."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ..image.encoding import Encoding
from ..image.volume import Volume, Voxels
from .errors import DatatypeRangeError, RoundingLossError

_FOR_LABELS = ("uint8", "int16", "int32")  # smallest first
_MAX_LOSS = 0.01  # of the range of intensities, by rounding


def choose_datatype(target: Encoding, requested: str | None) -> str:
    """Return the datatype of outputs: the requested one, if there is one.

    Otherwise, intensities are float32 and labels are the smallest integers that hold them.
    """
    if requested is not None:
        return requested
    if target.label_set is None:
        return "float32"
    values = [label.value for label in target.label_set.labels]
    low = min(values)
    high = max(values)
    for datatype in _FOR_LABELS:
        if _holds(datatype, low, high):
            return datatype
    return "float32"


def convert_datatype(volume: Volume, datatype: str, where: object) -> Volume:
    """Return ``volume`` with voxels of a datatype; a note says by how much integers are rounded.

    Nothing is scaled: slope is 1 and intercept 0 for whoever reads the file.

    Raises:
        OasisGanError: If a voxel does not fit, or rounding moves one by more than a hundredth of
            the range of intensities.
    """
    if np.dtype(datatype).kind == "f":
        voxels = volume.voxels.astype(datatype, copy=False)
        return replace(volume, voxels=voxels)
    # Rounded first: 255.4 fits into uint8.
    whole = np.rint(volume.voxels)
    _require_range(whole, datatype, where)
    loss = _measure_loss(whole, volume.voxels, datatype, where)
    notes = volume.notes
    if loss:
        notes = (*notes, f"voxels were rounded to {datatype}, by at most {loss:.2g}")
    return replace(volume, voxels=whole.astype(datatype), notes=notes)


def _measure_loss(whole: Voxels, voxels: Voxels, datatype: str, where: object) -> float:
    """Return the largest change by rounding; raise `RoundingLossError` if it is too large."""
    loss = float(np.abs(whole - voxels).max())
    span = float(np.ptp(voxels))
    if loss > _MAX_LOSS * span:
        raise RoundingLossError(where, datatype, span, loss)
    return loss


def _require_range(whole: Voxels, datatype: str, where: object) -> None:
    """Raise `DatatypeRangeError` unless an integer datatype can hold all voxels."""
    low = float(whole.min())
    high = float(whole.max())
    if not _holds(datatype, low, high):
        limits = np.iinfo(datatype)
        raise DatatypeRangeError(
            where,
            datatype,
            limits=(limits.min, limits.max),
            voxels=(low, high),
        )


def _holds(datatype: str, low: float, high: float) -> bool:
    """Tell whether an integer datatype can hold all numbers of a range."""
    limits = np.iinfo(datatype)
    return bool(limits.min <= low and high <= limits.max)
