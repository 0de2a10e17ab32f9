"""A fixed segmenter: what the FCN is to the paper's FCN-score (section 4.1), for T1-weighted heads.

It sees greys and the brain's mask, knows nothing of the labels, and is the same for every image:
three classes by Otsu's thresholds (Otsu 1979, https://doi.org/10.1109/TSMC.1979.4310076), then
rounds in which each class is a Gaussian of its own mean and width and each voxel goes to the
likeliest, until nothing changes. It was chosen on the real T1 of the held-out heads, the ceiling,
before any model was scored, and is not to be tuned afterwards: k-means, priors by the size of a
class and smoothing with neighbours agreed less with the labels.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import SimpleITK
from numpy.typing import NDArray

Labels = NDArray[np.integer[Any]]
CLASSES = (1, 2, 3)
"""CSF, GM and WM: in a T1 from dark to bright, and so in the label maps."""
_ROUNDS = 10  # scans are settled after 7
_BINS = 256
_CLIPPED = (0.5, 99.5)  # percentiles
_NARROWEST = 1e-3  # a class, of the range of greys: paint has no width


@dataclass(frozen=True)
class Agreement:
    """How far a segmentation agrees with the labels in the brain: the paper's figures, 0 to 1.

    Args:
        per_pixel: Share of voxels with the right label.
        per_class: That share in each tissue, their mean.
        iou: Intersection over union of each tissue, their mean.
    """

    per_pixel: float
    per_class: float
    iou: float


def segment(voxels: NDArray[Any], mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    """Return CSF (1), GM (2) and WM (3) of a T1-weighted volume, 0 outside the brain."""
    greys = voxels[mask].astype(np.float32)
    greys = np.clip(greys, *np.percentile(greys, _CLIPPED))
    classes = _by_thresholds(greys)
    for _ in range(_ROUNDS):
        classes = _likeliest(greys, classes)
    found = np.zeros(voxels.shape, np.uint8)
    found[mask] = classes
    return found


def agreement(found: Labels, labels: Labels) -> Agreement:
    """Compare a segmentation with the labels where there are labels."""
    mask = labels > 0
    hits, unions, sizes = (
        np.array(
            [np.count_nonzero(of(found == value, labels == value) & mask) for value in CLASSES]
        )
        for of in (np.logical_and, np.logical_or, lambda _, there: there)
    )
    shares = [float((hits / np.maximum(of, 1)).mean()) for of in (sizes, unions)]
    return Agreement(float(hits.sum() / mask.sum()), *shares)


def _by_thresholds(greys: NDArray[np.float32]) -> NDArray[np.uint8]:
    # A picture of one row: the filter has no mask, and the background is not to be a class.
    row = SimpleITK.GetImageFromArray(greys[np.newaxis])
    found = SimpleITK.OtsuMultipleThresholds(row, len(CLASSES) - 1, 0, _BINS)
    return np.asarray(SimpleITK.GetArrayFromImage(found)[0] + 1, np.uint8)


def _likeliest(greys: NDArray[np.float32], classes: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Return the class of each grey: the likeliest of the Gaussians of the present members.

    A class without members stays empty.
    """
    narrowest = max(float(np.ptp(greys)) * _NARROWEST, 1e-6)
    costs = np.full((len(CLASSES), len(greys)), np.inf, np.float32)
    for cost, value in zip(costs, CLASSES, strict=True):
        members = greys[classes == value]
        if members.size:
            mean = float(members.mean(dtype=np.float64))
            width = max(float(members.std(dtype=np.float64)), narrowest)
            cost[:] = ((greys - mean) / width) ** 2 / 2 + np.log(width)
    return np.asarray(costs.argmin(axis=0) + 1, np.uint8)
