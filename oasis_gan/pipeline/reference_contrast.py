"""Give outputs the contrast of a reference scan instead of the model's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from ..image.cleaning import clean
from ..image.content import is_certainly_label_map
from ..image.encoding import FittedEncoding
from ..image.intensity import ANCHORS, Window
from ..image.labels import LabelSet
from ..image.skull import find_skull_sign
from ..image.volume import CleanVolume, Volume
from ..plugin.datasets import Subject
from ..plugin.models import (
    UNCERTAINTY,
    Computation,
    ModelCard,
    Progress,
    Translation,
    Translator,
    computation_of,
    ignore_progress,
)
from .errors import (
    EmptyReferenceError,
    LabelsAsReferenceError,
    NoContrastError,
    SkullInReferenceError,
)

_Floats = NDArray[np.float64]
_ROUNDS = 100  # of k-means, at most


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
        maps = dict(translation.maps)
        if UNCERTAINTY in maps:
            maps[UNCERTAINTY] = self._recolour_deviation(volume, maps[UNCERTAINTY])
        return replace(translation, volume=replace(volume, voxels=voxels), maps=maps)

    def _recolour_deviation(self, volume: Volume, deviation: Volume) -> Volume:
        """Return a standard deviation in the units of the other contrast.

        It is half of the difference between the intensities one deviation above and below.
        """
        own = self.translator.card.target
        above = self.target.decode(own.encode(volume.voxels + deviation.voxels))
        below = self.target.decode(own.encode(volume.voxels - deviation.voxels))
        half = np.where(deviation.voxels > 0, np.abs(above - below) / 2, 0)
        return replace(deviation, voxels=half.astype(np.float32))


def find_contrast(
    card: ModelCard,
    reference: Volume,
    labels: Volume | None,
    where: object,
    labels_where: object = "tissue map",
) -> Window:
    """Return the contrast of a reference, as a window of the same kind as the model's.

    Args:
        card: The card of a model that makes images.
        reference: A scan; it must be skull-stripped if ``labels`` is None.
        labels: Its tissue map, on its grid; if None, tissues are estimated from the intensities.
        where: The file of the reference.
        labels_where: The file of its tissue map.

    Raises:
        OasisGanError: If the model makes no image, or the two do not fit.
    """
    target = card.target
    # Another kind of image than a window has no contrast that could be taken from a scan.
    if not isinstance(target, Window):
        raise NoContrastError(card.name, target.describe())
    reference = clean(reference, where, "image")
    if is_certainly_label_map(reference.voxels):
        raise LabelsAsReferenceError(where)
    label_set = card.source.label_set
    is_anchored = set(ANCHORS.values()) <= set(target.anchors)
    if is_anchored and label_set is not None:
        # Anchored on tissues: those of the reference have to be found.
        return _anchored(reference, labels, label_set, where, labels_where)
    return Window.from_percentiles(reference.voxels)


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
    return Window.from_tissues(reference.voxels, tissues, label_set, where, remedy)


def _require_brain_alone(reference: Volume, where: object) -> None:
    """Raise `OasisGanError` unless a scan shows a brain and nothing else.

    In anything else, intensities do not tell the tissues.
    """
    if not reference.voxels.any():
        raise EmptyReferenceError(where)
    sign = find_skull_sign(reference)
    if sign:
        raise SkullInReferenceError(where, sign)


def tissues_by_intensity(voxels: NDArray[np.generic], label_set: LabelSet) -> NDArray[np.int32]:
    """Return a label map of the three tissues of a T1w scan, estimated by k-means.

    Args:
        voxels: Intensities, 0 outside the brain.
        label_set: The label set of the result, which has CSF, GM and WM.
    """
    values = np.asarray(voxels, np.float64)
    is_brain = values != 0
    centres = _cluster(values[is_brain])
    labels = np.array([label_set.value_of(name) for name in ANCHORS], np.int32)
    tissues = labels[_nearest(values, centres)]
    return np.where(is_brain, tissues, 0).astype(np.int32)


def _cluster(values: _Floats) -> _Floats:
    """Return the centres of three clusters of intensities, in rising order."""
    if values.size == 0:
        return np.zeros(3)
    # In one dimension, k-means settles within some tens of rounds.
    centres = np.percentile(values, [10, 45, 85])
    for _ in range(_ROUNDS):
        moved = _move(centres, values)
        if np.allclose(moved, centres, rtol=1e-6):
            break
        centres = moved
    return centres


def _move(centres: _Floats, values: _Floats) -> _Floats:
    """Move each centre to the mean of the values that are nearest to it."""
    nearest = _nearest(values, centres)
    moved = centres.copy()
    for index in range(len(centres)):
        members = values[nearest == index]
        if members.size:
            moved[index] = members.mean()
    return moved


def _nearest(values: _Floats, centres: _Floats) -> NDArray[np.intp]:
    """Return the index of the centre that is nearest to each value."""
    borders = (centres[1:] + centres[:-1]) / 2
    return np.digitize(values, borders)
