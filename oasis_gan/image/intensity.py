"""Encode images: map intensities, which every scanner scales differently, to [0, 1].

Like a label set, these encodings map background to 0 and are recorded with the model.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from . import cleaning
from .errors import ContrastError, EmptyVolumeError
from .labels import LabelSet
from .volume import Channels, CleanVolume, Content, Mask, Volume, Voxels

ANCHORS = {"CSF": 0.30, "GM": 0.55, "WM": 0.75}
"""Where `Window.from_tissues` puts the mean of each tissue."""
_HEADROOM = 1.5  # times the mean of white matter: the intensity that lands on 1


class _ImageEncoding:
    """What the encodings of images have in common."""

    channels: ClassVar[int] = 1
    label_set: ClassVar[None] = None
    content: ClassVar[Content] = "image"

    def describe(self) -> str:
        """Return what the values are in one word."""
        return "image"

    def find_mask(self, voxels: Voxels) -> Mask:
        """Return the mask of the voxels that are not background."""
        return np.asarray(voxels != 0)


@dataclass(frozen=True)
class Window(_ImageEncoding):
    """An encoding that maps intensities to [0, 1] piecewise linearly, and back.

    Args:
        values: Increasing intensities, in the unit of the volume.
        anchors: Where in [0, 1] each of them lands, increasing.

    Raises:
        ValueError: If the two differ in length, are not strictly increasing, or not finite.
    """

    values: tuple[float, ...]
    anchors: tuple[float, ...]
    kind: Literal["window"] = "window"

    def __post_init__(self) -> None:
        knots = np.array([self.values, self.anchors])
        is_finite = bool(np.isfinite(knots).all())
        if knots.shape[1] < 2 or not is_finite or (np.diff(knots) <= 0).any():
            raise ValueError("expected two or more finite, strictly increasing values and anchors")

    @classmethod
    def from_percentiles(
        cls,
        voxels: Voxels,
        low: float = 0.5,
        high: float = 99.5,
    ) -> Window:
        """Return the window that maps two percentiles of the non-zero voxels to 0 and 1.

        Raises:
            OasisGanError: If all voxels are 0.
        """
        inside = voxels[voxels != 0]
        if inside.size == 0:
            raise EmptyVolumeError("image")
        percentiles = np.percentile(inside, [low, high])
        bottom, top = percentiles.tolist()
        if not top > bottom:
            # A volume of one value still has a window: that value lands on 1.
            bottom = top - max(abs(top), 1.0)
        return cls(values=(bottom, top), anchors=(0.0, 1.0))

    @classmethod
    def from_tissues(
        cls,
        voxels: Voxels,
        labels: Voxels,
        label_set: LabelSet,
        where: object = "image",
        remedy: str = "give a T1w scan and the tissue map that belongs to it",
    ) -> Window:
        """Return the window that maps the mean of each tissue to its place in `ANCHORS`.

        Two scanners show the same tissue in different greys. Such a window gives it the same
        value, so that a network learns the anatomy and not the scanner. Background lands on 0, and
        1.5 times the mean of white matter on 1. If intensities fall below 0, as z-scores do, the
        scale does not end at 0: the lines through the means are extended instead.

        Args:
            voxels: Intensities, any shape.
            labels: Label values, of the same shape.
            label_set: What the values mean; it must name CSF, GM and WM.
            where: What to call the image in an error.
            remedy: What to do about an error.

        Raises:
            OasisGanError: If a tissue is missing, or the means do not increase from CSF to GM to
                WM as in a T1w.
        """
        means = []
        for name in ANCHORS:
            value = label_set.value_of(name)
            means.append(_average(voxels[labels == value]))
        # Written so that the NaN of a tissue that is missing is refused too.
        if not (np.diff(means) > 0).all():
            by_tissue = dict(zip(ANCHORS, means, strict=True))
            raise ContrastError(where, by_tissue, remedy)
        low = 0.0
        high = means[-1] * _HEADROOM
        if means[0] <= 0:
            low, high = _extend_lines(means)
        return cls(
            values=(low, *means, high),
            anchors=(0.0, *ANCHORS.values(), 1.0),
        )

    @classmethod
    def average(cls, windows: Sequence[Window]) -> Window:
        """Return the window half-way between windows that share their anchors."""
        rows = [window.values for window in windows]
        mean = np.mean(rows, axis=0)
        return cls(tuple(mean.tolist()), windows[0].anchors)

    def identity(self) -> dict[str, object]:
        """Return a description that no other encoding has, for JSON."""
        return asdict(self)

    def fit(self, voxels: Voxels) -> Window:
        """Return this window, which is the same for every volume."""
        return self

    def encode(self, voxels: Voxels) -> Channels:
        """Return voxels (...) as channels (..., 1) in [0, 1].

        Zero stays zero, and what lies outside the window lands on its ends.
        """
        inside = np.interp(voxels, self.values, self.anchors)
        encoded = np.where(voxels == 0, 0, inside)
        return encoded[..., np.newaxis].astype(np.float32)

    def decode(self, channels: Channels) -> NDArray[np.float32]:
        """Return the intensities (...) of channels (..., 1).

        Within the window this is the inverse of `encode`.
        """
        encoded = channels[..., 0]
        intensities = np.interp(encoded, self.anchors, self.values)
        return intensities.astype(np.float32)

    def clean(self, volume: Volume, where: object) -> CleanVolume:
        """Return ``volume`` as an image with finite voxels, unchanged if it is clean already.

        Raises:
            OasisGanError: If no voxel is finite.
        """
        return cleaning.clean(volume, where, "image")


@dataclass(frozen=True)
class Percentiles(_ImageEncoding):
    """An encoding that gives each volume a window of its own, from percentiles.

    It suits models that learnt from images: scanners differ in scale, percentiles do not.

    Args:
        low: Percentile of the non-zero voxels that lands on 0.
        high: Percentile of the non-zero voxels that lands on 1.
    """

    low: float = 0.5
    high: float = 99.5
    kind: Literal["percentiles"] = "percentiles"

    def identity(self) -> dict[str, object]:
        """Return a description that no other encoding has, for JSON."""
        return asdict(self)

    def fit(self, voxels: Voxels) -> Window:
        """Return the window of a volume."""
        return Window.from_percentiles(voxels, self.low, self.high)

    def clean(self, volume: Volume, where: object) -> CleanVolume:
        """Return ``volume`` as an image with finite voxels, as `Window.clean` does.

        Raises:
            OasisGanError: If no voxel is finite, or all of them are 0.
        """
        cleaned = cleaning.clean(volume, where, "image")
        if not cleaned.voxels.any():
            raise EmptyVolumeError(where)
        return cleaned


def _average(intensities: Voxels) -> float:
    """Return the mean of intensities; NaN if there are none."""
    if not intensities.size:
        return np.nan
    return float(intensities.mean(dtype=np.float64))


def _extend_lines(means: Sequence[float]) -> tuple[float, float]:
    """Return the intensities that land on 0 and on 1, on the lines through the means of tissues."""
    csf, gm, wm = means
    csf_anchor, gm_anchor, wm_anchor = ANCHORS.values()
    low = csf - csf_anchor * (gm - csf) / (gm_anchor - csf_anchor)
    high = wm + (1 - wm_anchor) * (wm - gm) / (wm_anchor - gm_anchor)
    return low, high
