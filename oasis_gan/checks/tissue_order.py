"""Check that the mean intensities of the labelled tissues have an order that an MRI can have.

In a T1w scan the means rise from CSF to GM to WM; in T2w and PD scans they fall. In FLAIR, CSF is
darkest and GM is brightest. A label map that is read with the wrong label set gives another order.
If a map of BIDS (1 GM, 2 WM, 3 CSF) is read as 1 CSF, 2 GM, 3 WM, the "white matter" of a T1w scan
is darkest and its "grey matter" brightest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ..image.volume import Voxels
from ..io.label_names import stem_of
from .findings import Finding, accept, reject, warn

Order = tuple[str, ...]
"""Tissues from the darkest to the brightest."""
Means = NDArray[np.float64]
_FEWEST_VOXELS = 200  # of each tissue
_SMALLEST_RANGE = 0.1  # of the means, as a share of the largest: less is no contrast
_SMALLEST_STEP = 0.05  # between neighbours in the order, as a share of the range
_TISSUES = ("CSF", "GM", "WM")
_RISING = ("CSF", "GM", "WM")
_FALLING = ("WM", "GM", "CSF")
_FLAIR = ("CSF", "WM", "GM")
_BIDS_IN_T1W = ("WM", "CSF", "GM")
"""What a T1w scan shows if a label map of BIDS is read as 1 CSF, 2 GM, 3 WM."""
_T1W = re.compile(r"(?:.*[^a-z0-9])?(?:t1w?|mprage|t1_?brain)", re.IGNORECASE)
_FLAIR_NAME = re.compile(r"(?:.*[^a-z0-9])?flair", re.IGNORECASE)


def check_tissue_order(
    tissues: Voxels,
    mri: Voxels,
    mri_path: Path,
    *,
    is_known: bool,
) -> Iterator[Finding]:
    """Compare the mean intensities of the tissues with the orders that contrasts have.

    Args:
        tissues: 1 CSF, 2 GM, 3 WM, 0 elsewhere.
        mri: Finite intensities on the same grid.
        mri_path: The MRI's file; its name may say which contrast it has.
        is_known: Whether the meaning of the label values was given, not presumed.
    """
    means = _measure_means(tissues, mri)
    if means is None:
        return
    rounded = [round(mean, 4) for mean in means.tolist()]
    figures = {"tissue_means": rounded}
    order = _sort_tissues(means)
    if order in _list_possible_orders(mri_path) or not _is_clear(means):
        yield accept(**figures)
        return
    message = _describe_contradiction(means, order, mri_path)
    # The word of a user or a layout may be doubted in a warning, but is never overruled.
    if order == _BIDS_IN_T1W and not is_known:
        yield reject(message, **figures)
    else:
        yield warn(message, **figures)


def _measure_means(tissues: Voxels, mri: Voxels) -> Means | None:
    """Return the mean intensity of each tissue, or None if there are too few voxels of one."""
    samples = [mri[tissues == value] for value in (1, 2, 3)]
    fewest = min(sample.size for sample in samples)
    if fewest < _FEWEST_VOXELS:
        return None
    means = [sample.mean(dtype=np.float64) for sample in samples]
    return np.array(means)


def _sort_tissues(means: Means) -> Order:
    """Return the tissues from the darkest to the brightest."""
    darkest_first = np.argsort(means)
    return tuple(_TISSUES[index] for index in darkest_first)


def _is_clear(means: Means) -> bool:
    """Tell whether three means differ enough to have an order."""
    value_range = float(np.ptp(means))
    smallest_range = _SMALLEST_RANGE * np.abs(means).max()
    if not value_range > smallest_range:
        return False
    steps = np.diff(np.sort(means))
    return bool(steps.min() > _SMALLEST_STEP * value_range)


def _list_possible_orders(mri_path: Path) -> tuple[Order, ...]:
    """Return the orders that an MRI may have, as far as its file name tells."""
    if _is_t1w(mri_path):
        return (_RISING,)
    # FLAIR needs a name that says so: a T1w with GM and WM exchanged has the same order.
    if _FLAIR_NAME.fullmatch(stem_of(mri_path)):
        return (_RISING, _FALLING, _FLAIR)
    return (_RISING, _FALLING)


def _is_t1w(mri_path: Path) -> bool:
    """Return whether the name of an MRI says that it is a T1w."""
    return _T1W.fullmatch(stem_of(mri_path)) is not None


def _describe_contradiction(means: Means, order: Order, mri_path: Path) -> str:
    """Return a sentence on means whose order no MRI has."""
    shown = _describe_means(means)
    explanation = _explain(order, mri_path)
    return f"the labels contradict the MRI, whose mean intensities are {shown}{explanation}"


def _describe_means(means: Means) -> str:
    """Return the mean of each tissue with its name, such as ``CSF 310``."""
    named = zip(_TISSUES, means, strict=True)
    return ", ".join(f"{tissue} {mean:.4g}" for tissue, mean in named)


def _explain(order: Order, mri_path: Path) -> str:
    """Return a likely reason for an order of tissues that no MRI has, and what to do."""
    if order == _BIDS_IN_T1W:
        return ": are they coded as in BIDS, 1 GM, 2 WM, 3 CSF? say so with `labels` bids"
    if order == _FLAIR and not _is_t1w(mri_path):
        return ": is it a FLAIR, or are GM and WM exchanged?"
    return ": say with `labels` what they mean"
