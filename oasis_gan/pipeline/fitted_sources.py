"""The sources of one subject, as a model of slices sees them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from ..image.encoding import FittedEncoding
from ..image.slicing import SliceStack, cut
from ..image.volume import Channels, CleanVolume, Geometry, Mask, Volume, Voxels
from ..plugin.models import ModelCard
from .passes import Pass

Indices = NDArray[np.intp]


@dataclass(frozen=True, eq=False)
class EncodedStack:
    """The slices of a source in one plane, and how a model sees them."""

    stack: SliceStack
    encoding: FittedEncoding

    def encode(self, indices: Indices) -> Channels:
        """Return the channels of some slices; those beyond the ends are background."""
        slices = self.stack.slices
        inside = (indices >= 0) & (indices < len(slices))
        nearest = np.clip(indices, 0, len(slices) - 1)
        encoded = self.encoding.encode(slices[nearest])
        # Nearly every batch: it need not be copied.
        if inside.all():
            return encoded
        return np.where(inside[:, np.newaxis, np.newaxis, np.newaxis], encoded, 0)


@dataclass(frozen=True, eq=False)
class FittedSources:
    """The sources of one subject, and how a model sees them.

    Args:
        volumes: The sources by name, in the order of the card.
        encodings: Their encodings, fitted to their values, in the same order.
        mask: The voxels of the first source that are not background.
    """

    volumes: Mapping[str, CleanVolume]
    encodings: Sequence[FittedEncoding]
    mask: Mask

    @classmethod
    def fit(cls, card: ModelCard, volumes: Mapping[str, CleanVolume]) -> FittedSources:
        """Fit the encodings of a model to the sources of one subject."""
        first = next(iter(volumes.values()))
        return cls(
            volumes=volumes,
            encodings=[card.sources[name].fit(volume.voxels) for name, volume in volumes.items()],
            mask=card.source.find_mask(first.voxels),
        )

    @property
    def first(self) -> CleanVolume:
        """The first source, whose grid that of the result is."""
        return next(iter(self.volumes.values()))

    @property
    def grid(self) -> Geometry:
        """Where the voxels of the result lie."""
        return self.first.geometry

    @cached_property
    def values_inside(self) -> dict[str, Voxels]:
        """The values that each source has inside the mask, by name."""
        return {name: volume.voxels[self.mask] for name, volume in self.volumes.items()}

    def cut(self, one: Pass) -> list[EncodedStack]:
        """Cut each source into the slices of a pass."""
        stacks = []
        for volume, encoding in zip(self.volumes.values(), self.encodings, strict=True):
            stack = one.turn(cut(volume.voxels, volume.geometry, one.plane))
            stacks.append(EncodedStack(stack, encoding))
        return stacks

    def make_volume(self, values: Voxels, notes: tuple[str, ...] = ()) -> Volume:
        """Return a volume on the grid of the result that is 0 outside the mask."""
        voxels = np.zeros(self.mask.shape, np.float32)
        voxels[self.mask] = values
        return Volume(voxels, self.grid, notes)
