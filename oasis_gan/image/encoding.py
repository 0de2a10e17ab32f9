"""Bring the values of a volume into the space in which a model works, and back.

`oasis_gan.LabelSet`, `oasis_gan.Window` and `oasis_gan.Percentiles` are encodings. A plugin may
bring its own: all of them are used in the same way.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from .labels import LabelSet
from .volume import Channels, CleanVolume, Content, Mask, Volume, Voxels


@runtime_checkable
class Encoding(Protocol):
    """An encoding defines how the values of a volume enter a model."""

    @property
    def content(self) -> Content:
        """Whether the values are those of a label map or of an image."""

    @property
    def label_set(self) -> LabelSet | None:
        """The set whose values are encoded; None for an image."""

    @property
    def channels(self) -> int:
        """The number of channels that a volume becomes."""

    def describe(self) -> str:
        """Return what the values are in a few words, such as the name of a label set."""

    def identity(self) -> Mapping[str, object]:
        """Return a description that no other encoding has, for JSON."""

    def fit(self, voxels: Voxels) -> FittedEncoding:
        """Return the encoding of one volume.

        An encoding that is the same for all volumes returns itself.
        """

    def find_mask(self, voxels: Voxels) -> Mask:
        """Return the mask of the voxels that are not background."""

    def clean(self, volume: Volume, where: object) -> CleanVolume:
        """Return a volume of values that can be encoded.

        Args:
            volume: The volume as it was read.
            where: What to call it in an error.

        Raises:
            OasisGanError: If it holds a value that cannot be encoded.
        """


@runtime_checkable
class FittedEncoding(Encoding, Protocol):
    """An encoding that is ready to encode and decode."""

    def encode(self, voxels: Voxels) -> Channels:
        """Return channels (..., channels) in [0, 1] for voxels (...); background is 0 in all."""

    def decode(self, channels: Channels) -> NDArray[np.float32]:
        """Return the values (...) of channels (..., channels)."""
