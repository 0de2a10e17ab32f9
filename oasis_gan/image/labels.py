"""What the values of a label map mean: tissues or structures.

A label set brings voxels into the space a model works in, [0, 1] with background on 0, and is recorded with it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from .cleaning import clean
from .errors import LabelMissingError, UnusableVolumeError
from .volume import Channels, CleanVolume, Content, Mask, Volume, Voxels

ROUNDING = 1e-4
"""How far a stored label may lie from a whole number."""
_MARKED = 2**20  # values: more are sorted
_SHOWN = 8  # values, or labels, that an error lists
_SUMMARISED = 3  # labels, in the summary of a set


@dataclass(frozen=True)
class Label:
    """A value in a label map, and the tissue it stands for."""

    value: int
    name: str


@dataclass(frozen=True)
class Structure(Label):
    """A label of which a table says itself what tissue it counts as: CSF, GM, WM or background."""

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
        values = {label.value for label in self.labels}
        names = {label.name for label in self.labels}
        if not self.labels or 0 in values or min(len(values), len(names)) < len(self.labels):
            raise ValueError("expected labels of distinct names and values, none of them 0")

    @property
    def summary(self) -> str:
        """How many labels there are, and the first of them: one line."""
        count = (
            f"{len(self.labels)} label" if len(self.labels) == 1 else f"{len(self.labels)} labels"
        )
        names = ", ".join(label.name for label in self.labels[:_SUMMARISED])
        more = ", ..." if len(self.labels) > _SUMMARISED else ""
        return f"{count}: {names}{more}"

    @property
    def channels(self) -> int:
        """How many channels a label map becomes: one a label, none for the background."""
        return len(self.labels)

    def value_of(self, name: str) -> int:
        """Return the value of the label called ``name``."""
        for label in self.labels:
            if label.name == name:
                return label.value
        raise LabelMissingError(self.name, name, [label.name for label in self.labels])

    @property
    def content(self) -> Content:
        """Labels, not an image."""
        return "labels"

    @property
    def label_set(self) -> LabelSet:
        """The set itself."""
        return self

    def describe(self) -> str:
        """Return the name of the set."""
        return self.name

    def identity(self) -> dict[str, object]:
        """Return what tells this set from any other, for JSON."""
        return asdict(self)

    def fit(self, voxels: Voxels) -> LabelSet:
        """Return this set: it is the same for every volume."""
        return self

    def encode(self, voxels: Voxels) -> Channels:
        """Return (..., labels) one-hot channels, all of them 0 on background.

        Resampled linearly they are probabilities, and zero padding is background.
        """
        return np.stack([voxels == label.value for label in self.labels], axis=-1).astype(
            np.float32
        )

    def decode(self, channels: Channels) -> NDArray[np.float32]:
        """Return the value of the likeliest label; background has what the channels leave of 1."""
        background = 1 - channels.sum(axis=-1, keepdims=True)
        likeliest = np.concatenate([background, channels], axis=-1).argmax(axis=-1)
        values = np.array([0, *(label.value for label in self.labels)], np.float32)
        return np.asarray(values[likeliest])

    def support(self, voxels: Voxels) -> Mask:
        """Return where there is a label."""
        return np.asarray(voxels != 0)

    def clean(self, volume: Volume, where: object) -> CleanVolume:
        """Return ``volume`` with whole label values, all of this set.

        Raises:
            OasisGanError: If it holds a value that is no label of this set, or a voxel within it is not finite.
        """
        cleaned = clean(volume, where, "labels")
        voxels = _whole_where_near(cleaned.voxels)
        strange = self.unknown_values(voxels)
        if not strange:
            return replace(cleaned, voxels=voxels.astype(np.int32, copy=False))
        labels = [f"{label.value} {label.name}" for label in self.labels]
        known = abbreviate(["0 background", *labels])
        found = abbreviate([f"{value:g}" for value in strange])
        say = "say with `labels` what they mean"
        remedy = f"give a label map with these values (an MRI is no label map), or {say}"
        raise UnusableVolumeError(where, f"labels {known} ({self.name})", found, remedy)

    def unknown_values(self, voxels: Voxels) -> list[float]:
        """Return the values that are no label of this set, in their order."""
        known = {0, *(label.value for label in self.labels)}
        return [value for value in values_of(voxels) if value not in known]


def values_of(voxels: Voxels) -> list[int]:
    """Return the distinct values of a label map in their order, near whole ones rounded."""
    voxels = _as_integers(_whole_where_near(voxels))
    if voxels.dtype.kind in "iu" and voxels.size:
        low = int(voxels.min())
        high = int(voxels.max())
        # Marking what is there is many times faster than sorting, where the values are those of labels.
        if high - low < _MARKED:
            there = np.zeros(high - low + 1, np.bool_)
            for slab in voxels:
                there[slab.astype(np.int64) - low] = True
            return [int(value) + low for value in np.flatnonzero(there)]
    return [
        int(value) if float(value).is_integer() else value for value in np.unique(voxels).tolist()
    ]


def _as_integers(voxels: Voxels) -> Voxels:
    """Return whole numbers stored as floats as integers, all others as they are."""
    if (
        voxels.dtype.kind != "f"
        or not np.isfinite(voxels).all()
        or np.abs(voxels).max(initial=0) > _MARKED
    ):
        return voxels
    integers = voxels.astype(np.int32)
    return integers if (integers == voxels).all() else voxels


def abbreviate(things: Sequence[str]) -> str:
    """Return the first few of ``things`` on a line, and whether there are more."""
    return ", ".join(things[:_SHOWN]) + (", ..." if len(things) > _SHOWN else "")


def _whole_where_near(voxels: Voxels) -> Voxels:
    """Round what lies near a whole number: labels stored as floats, or scaled by 1.0000001."""
    if voxels.dtype.kind in "iu":
        return voxels
    whole = np.rint(voxels)
    return np.where(np.isclose(voxels, whole, rtol=0, atol=ROUNDING), whole, voxels)
