"""Giving outputs the contrast of a reference scan instead of the model's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..errors import OasisGanError
from ..image.cleaning import clean
from ..image.content import holds_labels_alone
from ..image.encoding import FittedEncoding
from ..image.intensity import ANCHORS, Window
from ..image.labels import LabelSet
from ..image.skull import sign_of_a_skull
from ..image.volume import CleanVolume, Volume
from ..plugin.datasets import Subject
from ..plugin.models import (
    Computation,
    ModelCard,
    Progress,
    Translation,
    Translator,
    computation_of,
    ignore_progress,
)

_ROUNDS = 100


def apply_contrast(translator: Translator, contrast: FittedEncoding) -> Translator:
    """Return a model whose outputs have another contrast; nothing else about them changes.

    Args:
        translator: A model that makes images.
        contrast: The contrast; see `find_contrast`.
    """
    if isinstance(translator, _Retargetable):
        return translator.with_target(contrast)
    return _Recoloured(translator, contrast)


@runtime_checkable
class _Retargetable(Protocol):
    """A translator that can give its answers in another encoding."""

    def with_target(self, target: FittedEncoding) -> Translator:
        """Return the same model with answers in another encoding."""


@dataclass(frozen=True)
class _Recoloured:
    """A model whose outputs are brought from its own contrast to another afterwards."""

    translator: Translator
    target: FittedEncoding

    @property
    def card(self) -> ModelCard:
        """The card of the model, with the other contrast."""
        return replace(self.translator.card, target=self.target)

    @property
    def computation(self) -> Computation | None:
        """How the model computes, if it says so."""
        return computation_of(self.translator)

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Return what the model makes of its sources, in the other contrast."""
        translation = self.translator.translate(sources, progress)
        volume = translation.volume
        own = self.translator.card.target
        voxels = self.target.decode(own.encode(volume.voxels))
        voxels[~own.support(volume.voxels)] = 0
        return replace(translation, volume=replace(volume, voxels=voxels))


def find_contrast(
    card: ModelCard,
    reference: Volume,
    labels: Volume | None,
    where: object,
    labels_where: object = "tissue map",
) -> Window:
    """Return the contrast of a reference, as a window of the kind that a model was trained with.

    Args:
        card: The card of a model that makes images.
        reference: A scan; without ``labels``, of a brain alone.
        labels: Its tissue map, on its grid; without one, tissues are told apart by their intensities.
        where: The file of the reference.
        labels_where: The file of its tissue map.

    Raises:
        OasisGanError: If the model makes no image, or the two do not fit.
    """
    target = card.target
    # Another kind of image than a window has no contrast that could be taken from a scan.
    if not isinstance(target, Window):
        found = target.describe()
        raise OasisGanError(
            card.name, expected="a model that makes images", found=found, remedy="omit `like`"
        )
    reference = clean(reference, where, "image")
    if holds_labels_alone(reference.voxels):
        remedy = "give the scan, and its label map as `like_labels`"
        raise OasisGanError(
            where, expected="a scan whose contrast to take", found="a label map", remedy=remedy
        )
    label_set = card.source.label_set
    is_anchored = set(ANCHORS.values()) <= set(target.anchors)
    if is_anchored and label_set is not None:
        # Anchored on tissues: those of the reference have to be found.
        return _anchored(reference, labels, label_set, where, labels_where)
    return Window.robust(reference.voxels)


def _anchored(
    reference: Volume,
    labels: Volume | None,
    label_set: LabelSet,
    where: object,
    labels_where: object,
) -> Window:
    """Return the window that is anchored on the tissues of a reference."""
    if labels is None:
        _require_brain_alone(reference, where)
        tissues = tissues_by_intensity(reference.voxels, label_set)
        remedy = "give another reference, or its tissue map as `like_labels`"
    else:
        reference, labels = Subject.aligned(reference, labels)
        reference.geometry.require_same_grid(labels.geometry, labels_where)
        tissues = label_set.clean(labels, labels_where).voxels
        remedy = "give a T1w scan as the reference, and the tissue map that belongs to it"
    return Window.anchored(reference.voxels, tissues, label_set, where, remedy)


def _require_brain_alone(reference: Volume, where: object) -> None:
    """Raise `OasisGanError` if a scan shows more than a brain: its tissues are not those of its intensities then."""
    if not reference.voxels.any():
        raise OasisGanError(
            where,
            expected="a scan of a brain",
            found="nothing but background",
            remedy="give another",
        )
    found = sign_of_a_skull(reference)
    if found:
        expected = "a scan of a brain alone, whose tissues its intensities tell"
        remedy = "give a skull-stripped scan, or its tissue map as `like_labels`"
        raise OasisGanError(where, expected=expected, found=found, remedy=remedy)


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
        moved = np.array(
            [inside[nearest == k].mean() if (nearest == k).any() else centres[k] for k in range(3)]
        )
        if np.allclose(moved, centres, rtol=1e-6):
            break
        centres = moved
    names = np.array([label_set.value_of(name) for name in ANCHORS], np.int32)
    classes = names[np.digitize(values, (centres[1:] + centres[:-1]) / 2)]
    return np.where(values != 0, classes, 0).astype(np.int32)
