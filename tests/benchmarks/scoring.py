"""Score what a model makes of a head: beside its T1, as `quality` does, and by re-segmenting it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from typing import Any

import numpy as np
from numpy.typing import NDArray
from quality import PAINT, figures, matched
from segmenter import agreement, segment

from oasis_gan import (
    OASIS,
    OasisGanError,
    Plane,
    Subject,
    Translator,
    Volume,
    Window,
    cut,
    translate,
)


@dataclass(frozen=True)
class Score:
    """The figures of an image, or their means over heads; `segmenter.Agreement` is its FCN-score.

    Args:
        per_pixel: See `segmenter.Agreement`, as for the next two.
        per_class: Likewise.
        iou: Likewise.
        mae: Inside the brain, as for all that follow; contrasts matched.
        psnr: In dB.
        ssim: 3-D.
        histogram: Intersection of the two histograms.
        gradient: Of the image, by that of the real one: the mean of both in-plane axes.
        matched: Share of heads whose contrast could be matched. It cannot where tissue means do
            not rise from CSF to GM to WM; the image is then compared as the model scaled it.
    """

    per_pixel: float
    per_class: float
    iou: float
    mae: float
    psnr: float
    ssim: float
    histogram: float
    gradient: float
    matched: float

    @classmethod
    def mean(cls, scores: Iterable[Score]) -> Score:
        """Return the mean of each figure."""
        return cls(*np.mean([list(asdict(score).values()) for score in scores], axis=0).tolist())


COLUMNS = tuple(field.name for field in fields(Score))


class Head:
    """A held-out head as axial slices: labels, and the real T1."""

    def __init__(self, subject: Subject) -> None:
        self.name = subject.name
        source, target = subject.read_both()
        self._source = OASIS.clean(source, subject.name)
        self._labels = self._slices(self._source)
        self._inside = self._labels > 0
        self._t1 = self._slices(target)
        self.real = matched(self._t1, self._labels)

    @property
    def shown(self) -> int:
        """The slice with most brain in it."""
        return int(self._inside.sum(axis=(1, 2)).argmax())

    def ceiling(self) -> tuple[NDArray[np.float32], Score]:
        """Return the real T1, and its score."""
        return self.real, self._score(self.real, self._t1)

    def painted(self) -> tuple[NDArray[np.float32], Score]:
        """Return each tissue painted with its mean, and the score of that."""
        paint = PAINT[self._labels]
        return paint, self._score(paint, paint)

    def generated(self, translator: Translator) -> tuple[NDArray[np.float32], Score]:
        """Return what a model makes of the labels, in the contrast of `real`, and its score."""
        made = self._slices(self._translate(translator))
        try:
            normal = matched(made, self._labels)
            could_be_matched = 1.0
        except OasisGanError:
            assert isinstance(translator.card.target, Window)
            normal = translator.card.target.encode(made)[..., 0]
            could_be_matched = 0.0
        return normal, self._score(normal, made, could_be_matched)

    def _translate(self, translator: Translator) -> Volume:
        sources = dict.fromkeys(translator.card.sources, self._source)
        return translate(sources, translator, self.name).volume

    def _score(
        self, normal: NDArray[np.float32], made: NDArray[Any], could_be_matched: float = 1.0
    ) -> Score:
        """Compare ``normal`` with the real image, and ``made``, once segmented, with the labels."""
        found = agreement(segment(made, self._inside), self._labels)
        # Of equal images PSNR is infinite.
        with np.errstate(divide="ignore"):
            beside = figures(self.real, normal, self._inside)
        return Score(
            **asdict(found),
            mae=beside["MAE"],
            psnr=beside["PSNR"],
            ssim=beside["SSIM"],
            histogram=beside["histogram"],
            gradient=float(np.mean(beside["gradients"][1:])),
            matched=could_be_matched,
        )

    @staticmethod
    def _slices(volume: Volume) -> NDArray[Any]:
        return np.ascontiguousarray(cut(volume.voxels, volume.geometry, Plane.AXIAL).slices)
