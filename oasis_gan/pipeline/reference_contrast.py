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
from ..image.volume import CleanVolume, Volume, Voxels
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
_FIRST_CENTRES = (10, 45, 85)  # percentiles of the intensities of a brain


def apply_contrast(translator: Translator, target: FittedEncoding) -> Translator:
    """Return a translator whose outputs have another contrast and do not differ otherwise.

    Args:
        translator: A translator that makes images.
        target: The encoding that gives outputs the contrast; see `find_contrast`.
    """
    if isinstance(translator, _Retargetable):
        return translator.with_target(target)
    return _Recoloured(translator, target)


@runtime_checkable
class _Retargetable(Protocol):
    """A translator that can give its answers in another encoding."""

    def with_target(self, target: FittedEncoding) -> Translator:
        """Return the same translator with answers in another encoding."""


@dataclass(frozen=True)
class _Recoloured:
    """A translator whose outputs are converted to another contrast afterwards."""

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
        original = translation.volume
        voxels = self._recolour(original.voxels)
        is_background = ~self.translator.card.target.find_mask(original.voxels)
        # Background is 0 in every contrast.
        voxels[is_background] = 0
        volume = replace(original, voxels=voxels)
        maps = dict(translation.maps)
        if UNCERTAINTY in maps:
            maps[UNCERTAINTY] = self._recolour_deviation(original, maps[UNCERTAINTY])
        return replace(translation, volume=volume, maps=maps)

    def _recolour(self, voxels: Voxels) -> NDArray[np.float32]:
        """Return intensities in the other contrast."""
        channels = self.translator.card.target.encode(voxels)
        return self.target.decode(channels)

    def _recolour_deviation(self, volume: Volume, deviation: Volume) -> Volume:
        """Return a standard deviation in the units of the other contrast.

        It is half of the difference between the intensities one deviation above and below.
        """
        above = self._recolour(volume.voxels + deviation.voxels)
        below = self._recolour(volume.voxels - deviation.voxels)
        half = np.abs(above - below) / 2
        voxels = np.where(deviation.voxels > 0, half, 0).astype(np.float32)
        return replace(deviation, voxels=voxels)


def find_contrast(
    card: ModelCard,
    reference: Volume,
    labels: Volume | None,
    where: object,
    labels_where: object = "tissue map",
) -> Window:
    """Return a window that gives outputs the contrast of a reference.

    The window is of the same kind as that of the model.

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
    # Only a window can express the contrast of a scan.
    if not isinstance(target, Window):
        raise NoContrastError(card.name, target.describe())
    reference = clean(reference, where, "image")
    if is_certainly_label_map(reference.voxels):
        raise LabelsAsReferenceError(where)
    label_set = card.source.label_set
    is_anchored = set(ANCHORS.values()) <= set(target.anchors)
    if is_anchored and label_set is not None:
        # The window is anchored on tissues, so the tissues of the reference have to be found.
        return _anchor_on_tissues(reference, labels, label_set, where, labels_where)
    return Window.from_percentiles(reference.voxels)


def _anchor_on_tissues(
    reference: Volume,
    labels: Volume | None,
    label_set: LabelSet,
    where: object,
    labels_where: object,
) -> Window:
    """Return the window that is anchored on the tissues of a reference."""
    if labels is None:
        _require_skull_stripped(reference, where)
        tissues = estimate_tissues(reference.voxels, label_set)
        remedy = "give another reference, or its tissue map as `like_labels`"
    else:
        reference, labels = Subject.align(reference, labels)
        reference.geometry.require_same_grid(labels.geometry, labels_where)
        tissues = label_set.clean(labels, labels_where).voxels
        remedy = "give a T1w scan as the reference, and the tissue map that belongs to it"
    return Window.from_tissues(reference.voxels, tissues, label_set, where, remedy)


def _require_skull_stripped(reference: Volume, where: object) -> None:
    """Raise `OasisGanError` unless a scan shows a brain and nothing else.

    Intensities tell tissues apart only within the brain.
    """
    if not reference.voxels.any():
        raise EmptyReferenceError(where)
    sign = find_skull_sign(reference)
    if sign:
        raise SkullInReferenceError(where, sign)


def estimate_tissues(voxels: NDArray[np.generic], label_set: LabelSet) -> NDArray[np.int32]:
    """Return a label map of the three tissues of a T1w scan, estimated by k-means.

    Args:
        voxels: Intensities, 0 outside the brain.
        label_set: The label set of the result, which has CSF, GM and WM.
    """
    values = np.asarray(voxels, np.float64)
    is_brain = values != 0
    centres = _find_centres(values[is_brain])
    nearest = _find_nearest(centres, values)
    labels = np.array([label_set.value_of(name) for name in ANCHORS], np.int32)
    return np.where(is_brain, labels[nearest], 0).astype(np.int32)


def _find_centres(values: _Floats) -> _Floats:
    """Return the centres of three clusters of intensities, in rising order."""
    if values.size == 0:
        return np.zeros(3)
    # In one dimension, k-means settles within some tens of rounds.
    centres = np.percentile(values, _FIRST_CENTRES)
    for _ in range(_ROUNDS):
        new_centres = _move_centres(centres, values)
        if np.allclose(new_centres, centres, rtol=1e-6):
            break
        centres = new_centres
    return centres


def _move_centres(centres: _Floats, values: _Floats) -> _Floats:
    """Move each centre to the mean of the values that are nearest to it."""
    nearest = _find_nearest(centres, values)
    new_centres = centres.copy()
    for index in range(len(centres)):
        members = values[nearest == index]
        if members.size:
            new_centres[index] = members.mean()
    return new_centres


def _find_nearest(centres: _Floats, values: _Floats) -> NDArray[np.intp]:
    """Return the index of the centre that is nearest to each value."""
    borders = (centres[1:] + centres[:-1]) / 2
    return np.digitize(values, borders)
