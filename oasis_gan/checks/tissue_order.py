"""Whether the greys of an MRI come in the order of the tissues that a label map gives its voxels.

In a T1w means rise from CSF to GM to WM, in a T2w and PD they fall; FLAIR has the fluid darkest and grey matter
brightest. A label map of another coding, read as this one, gives another order: BIDS (1 GM, 2 WM, 3 CSF) read as 1 CSF,
2 GM, 3 WM has "white matter" darkest and "grey matter" brightest in a T1w.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ..image.volume import Voxels
from ..io.label_names import stem_of
from .findings import Finding, Verdict

_FEWEST = 200  # voxels of a tissue
_SPAN = 0.1  # of the largest mean: less is no contrast between tissues
_APART = 0.05  # of the range of the three means, between neighbours in the order
_TISSUES = ("CSF", "GM", "WM")
Order = tuple[str, ...]
"""Tissues from the darkest to the brightest."""
_RISING = ("CSF", "GM", "WM")
_FALLING = ("WM", "GM", "CSF")
_FLAIR = ("CSF", "WM", "GM")
_BIDS_IN_T1W = ("WM", "CSF", "GM")
_T1W = re.compile(r"(?:.*[^a-z0-9])?(?:t1w?|mprage|t1_?brain)", re.IGNORECASE)
_FLAIR_NAME = re.compile(r"(?:.*[^a-z0-9])?flair", re.IGNORECASE)


def check_tissue_order(
    tissues: Voxels, mri: Voxels, mri_path: Path, *, is_known: bool
) -> Iterator[Finding]:
    """Compare the mean intensities of the tissues with the orders that contrasts have.

    Args:
        tissues: 1 CSF, 2 GM, 3 WM, 0 elsewhere.
        mri: Finite intensities on the same grid.
        mri_path: Whose name may tell the contrast.
        is_known: Whether somebody says what the label values mean, or they were presumed.
    """
    samples = [mri[tissues == value] for value in (1, 2, 3)]
    if min(sample.size for sample in samples) < _FEWEST:
        return
    means = np.array([float(sample.mean(dtype=np.float64)) for sample in samples])
    rank = np.argsort(means)
    order = tuple(_TISSUES[index] for index in rank)
    figures = {"tissue_means": [round(float(mean), 4) for mean in means]}
    span = float(np.ptp(means))
    is_clear = span > _SPAN * np.abs(means).max() and bool(
        (np.diff(means[rank]) > _APART * span).all()
    )
    if not is_clear or order in _orders_of(mri_path):
        yield Finding(Verdict.ACCEPT, figures=figures)
        return
    shown = ", ".join(f"{tissue} {mean:.4g}" for tissue, mean in zip(_TISSUES, means, strict=True))
    message = f"the labels contradict the MRI, whose mean intensities are {shown}{_explanation(order, mri_path)}"
    verdict = Verdict.REJECT if order == _BIDS_IN_T1W and not is_known else Verdict.WARN
    yield Finding(verdict, message, figures)


def _orders_of(mri_path: Path) -> tuple[Order, ...]:
    """Return the orders that the contrast of an MRI may have, by its name."""
    stem = stem_of(mri_path)
    if _T1W.fullmatch(stem):
        return (_RISING,)
    if _FLAIR_NAME.fullmatch(stem):
        return (_RISING, _FALLING, _FLAIR)
    return (_RISING, _FALLING)


def _explanation(order: Order, mri_path: Path) -> str:
    if order == _BIDS_IN_T1W:
        return ": are they coded as in BIDS, 1 GM, 2 WM, 3 CSF? say so with `labels` bids"
    if order == _FLAIR and not _T1W.fullmatch(stem_of(mri_path)):
        return ": is it a FLAIR, or are GM and WM exchanged?"
    return ": say with `labels` what they mean"
