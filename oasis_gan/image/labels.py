"""Label sets define which tissues or structures the values of a label map mean.

A label set brings voxels into the space a model works in, [0, 1] with background on 0, and is
recorded with the model.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .cleaning import clean
from .errors import LabelMissingError, UnknownLabelsError, abbreviate
from .volume import Channels, CleanVolume, Content, Mask, Volume, Voxels

ROUNDING = 1e-4
"""How far a stored label may lie from a whole number."""
_MAX_MARKED = 2**20  # values: more are sorted
_SUMMARISED = 3  # labels, in the summary of a set


@dataclass(frozen=True)
class Label:
    """A value in a label map, which stands for a tissue."""

    value: int
    name: str


@dataclass(frozen=True)
class Structure(Label):
    """A label of a table that says which tissue it counts as: CSF, GM, WM or background."""

    tissue: str = ""


@dataclass(frozen=True, kw_only=True)
class LabelSet:
    """A named set of labels; 0 is background and not listed.

    Raises:
        ValueError: If it is empty, or a value or a name occurs twice, or 0 is listed.
    """

    name: str
    labels: tuple[Label | Structure, ...]
    kind: Literal["labels"] = "labels"

    def __post_init__(self) -> None:
        values = set(self.values)
        names = {label.name for label in self.labels}
        distinct = min(len(values), len(names))
        if not self.labels or 0 in values or distinct < len(self.labels):
            raise ValueError("expected labels of distinct names and values, none of them 0")

    @property
    def values(self) -> list[int]:
        """Return the values of the labels, in their order."""
        return [label.value for label in self.labels]

    @property
    def names(self) -> dict[int, str]:
        """Return the names of the labels, by their values."""
        return {label.value: label.name for label in self.labels}

    @property
    def summary(self) -> str:
        """Return the number of labels and the names of the first few, in one line."""
        count = len(self.labels)
        noun = "label" if count == 1 else "labels"
        names = ", ".join(label.name for label in self.labels[:_SUMMARISED])
        more = ", ..." if count > _SUMMARISED else ""
        return f"{count} {noun}: {names}{more}"

    @property
    def channels(self) -> int:
        """The number of channels that a label map becomes: one a label, none for background."""
        return len(self.labels)

    def value_of(self, name: str) -> int:
        """Return the value of the label called ``name``."""
        for label in self.labels:
            if label.name == name:
                return label.value
        raise LabelMissingError(self.name, name, self.names.values())

    @property
    def content(self) -> Content:
        """Return ``labels``: the values are not intensities."""
        return "labels"

    @property
    def label_set(self) -> LabelSet:
        """Return the label set itself."""
        return self

    def describe(self) -> str:
        """Return the name of the set."""
        return self.name

    def identity(self) -> dict[str, object]:
        """Return a description that no other set has, for JSON."""
        return asdict(self)

    def fit(self, voxels: Voxels) -> LabelSet:
        """Return this set, which is the same for every volume."""
        return self

    def encode(self, voxels: Voxels) -> Channels:
        """Return voxels (...) as one-hot channels (..., labels), all of them 0 on background.

        Channels that are resampled linearly are probabilities, and zero padding is background.
        """
        masks = [voxels == value for value in self.values]
        return np.stack(masks, axis=-1).astype(np.float32)

    def decode(self, channels: Channels) -> NDArray[np.float32]:
        """Return the values (...) of the likeliest labels of channels (..., labels).

        The probability of background is what the channels leave of 1.
        """
        background = 1 - channels.sum(axis=-1, keepdims=True)
        probabilities = np.concatenate([background, channels], axis=-1)
        likeliest = probabilities.argmax(axis=-1)
        values = np.array([0, *self.values], np.float32)
        return np.asarray(values[likeliest])

    def find_mask(self, voxels: Voxels) -> Mask:
        """Return the mask of the voxels with a label."""
        return np.asarray(voxels != 0)

    def clean(self, volume: Volume, where: object) -> CleanVolume:
        """Return ``volume`` with whole label values, all of this set.

        Raises:
            OasisGanError: If it holds a value that is no label of this set, or a voxel within it
                is not finite.
        """
        cleaned = clean(volume, where, "labels")
        voxels = _round_labels(cleaned.voxels)
        unknown = self.find_unknown_values(voxels)
        if not unknown:
            whole = voxels.astype(np.int32, copy=False)
            return replace(cleaned, voxels=whole)
        labels = [f"{label.value} {label.name}" for label in self.labels]
        expected = f"labels {abbreviate(['0 background', *labels])} ({self.name})"
        say = "say with `labels` what they mean"
        remedy = f"give a label map with these values (an MRI is no label map), or {say}"
        raise UnknownLabelsError(where, expected, unknown, remedy)

    def find_unknown_values(self, voxels: Voxels) -> list[float]:
        """Return the values that are no label of this set, in increasing order."""
        known = {0, *self.values}
        return [value for value in find_values(voxels) if value not in known]


def find_values(voxels: Voxels) -> list[int]:
    """Return the distinct values of a label map in increasing order, near whole ones rounded."""
    voxels = _as_integers(_round_labels(voxels))
    if voxels.dtype.kind in "iu" and voxels.size:
        low = int(voxels.min())
        high = int(voxels.max())
        if high - low < _MAX_MARKED:
            return _mark_values(voxels, low, high)
    values = np.unique(voxels).tolist()
    return [int(value) if float(value).is_integer() else value for value in values]


def _mark_values(voxels: Voxels, low: int, high: int) -> list[int]:
    """Return the distinct values between two, many times faster than sorting would."""
    count = high - low + 1
    is_present = np.zeros(count, np.bool_)
    # By slabs, because the wider integers of a whole volume would take memory.
    for slab in voxels:
        is_present[slab.astype(np.int64) - low] = True
    present = low + np.flatnonzero(is_present)
    return present.tolist()


def _as_integers(voxels: Voxels) -> Voxels:
    """Return whole numbers stored as floats as integers, all others unchanged."""
    if voxels.dtype.kind != "f" or not np.isfinite(voxels).all():
        return voxels
    largest = np.abs(voxels).max(initial=0)
    if largest > _MAX_MARKED:
        return voxels
    integers = voxels.astype(np.int32)
    return integers if (integers == voxels).all() else voxels


def _round_labels(voxels: Voxels) -> Voxels:
    """Round what lies near a whole number: labels stored as floats, or scaled by 1.0000001."""
    if voxels.dtype.kind in "iu":
        return voxels
    whole = np.rint(voxels)
    is_near = np.isclose(voxels, whole, rtol=0, atol=ROUNDING)
    return np.where(is_near, whole, voxels)
