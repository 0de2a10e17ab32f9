"""Giving outputs the contrast of a reference scan instead of the model's own."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from .errors import OasisGanError
from .intensity import ANCHORS, Window
from .labels import LabelSet
from .models import Computation, ModelCard, Translator, computation_of
from .volume import Channels, Mask, Volume

_ROUNDS = 100


@dataclass(frozen=True)
class Like:
    """A model whose outputs have another contrast: what it generates is the same, the intensities it means are not."""

    translator: Translator
    card: ModelCard

    @classmethod
    def reference(cls, translator: Translator, reference: Volume, labels: Volume | None, where: Path) -> Like:
        """Take the contrast of a scan.

        Args:
            translator: A model that makes images.
            reference: A scan of a brain alone: what is outside it must be 0.
            labels: Its tissue map, on its grid; without one, tissues are told apart by their intensities.
            where: The file of the reference.

        Raises:
            OasisGanError: If the model makes no image, or the two do not fit.
        """
        card = translator.card
        if not isinstance(card.target, Window):
            raise OasisGanError(card.name, expected="a model that makes images", found="labels", remedy="omit --like")
        window = Window.robust(reference.voxels)
        # Anchored on tissues: those of the reference have to be found.
        if set(ANCHORS.values()) <= set(card.target.anchors) and isinstance(card.source, LabelSet):
            if labels is None:
                tissues: NDArray[np.generic] = tissues_by_intensity(reference.voxels, card.source)
            else:
                reference.geometry.require_same_grid(labels.geometry, where)
                tissues = card.source.clean(labels, where).voxels
            window = Window.anchored(reference.voxels, tissues, card.source, where)
        return cls(translator, replace(card, target=window))

    @property
    def computation(self) -> Computation | None:
        """How the model computes, if it says so."""
        return computation_of(self.translator)

    def translate(self, slices: Channels, wanted: Mask) -> Channels:
        """Return what the model makes of slices, where it is wanted."""
        return self.translator.translate(slices, wanted)


def tissues_by_intensity(voxels: NDArray[np.generic], label_set: LabelSet) -> NDArray[np.int32]:
    """Return a label map of the three tissues of a T1w by intensity alone: k-means in one dimension.

    Args:
        voxels: Intensities, 0 outside the brain.
        label_set: What CSF, GM and WM are called in the result.
    """
    values = np.asarray(voxels, np.float64)
    inside = values[values != 0]
    # From the quarters of the histogram on; k-means in one dimension settles within some tens of rounds.
    centres = np.percentile(inside, [10, 45, 85]) if inside.size else np.zeros(3)
    for _ in range(_ROUNDS):
        nearest = np.digitize(inside, (centres[1:] + centres[:-1]) / 2)
        moved = np.array([inside[nearest == k].mean() if (nearest == k).any() else centres[k] for k in range(3)])
        if np.allclose(moved, centres, rtol=1e-6):
            break
        centres = moved
    names = np.array([label_set.value_of(name) for name in ANCHORS], np.int32)
    classes = names[np.digitize(values, (centres[1:] + centres[:-1]) / 2)]
    return np.where(values != 0, classes, 0).astype(np.int32)
