"""A translator that segments: T1w in, labels out."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import numpy as np
from oasis_gan_keras import ChosenPrecision, describe_computation

from oasis_gan import (
    CleanVolume,
    ModelCard,
    Progress,
    Translation,
    Volume,
    Voxels,
    ignore_progress,
)

from .conforming import ConformedGrid, Labels
from .model_folder import ModelFile, Weights, read_model_file, read_weights
from .network import MeshNet

_CONFORMED = 0.05  # of the work
_SEGMENTED = 0.95


def load_segmenter(folder: Path) -> MeshNetSegmenter:
    """Return the model in a folder, ready to segment.

    Raises:
        OasisGanError: If the folder cannot be trusted.
    """
    model = read_model_file(folder)
    return MeshNetSegmenter(model, read_weights(folder, model))


class MeshNetSegmenter:
    """A translator that makes labels from a T1w, on the grid of the T1w.

    Args:
        model: The description of the network.
        weights: Its weights, by name.
    """

    def __init__(self, model: ModelFile, weights: Weights) -> None:
        self._card = model.card()
        self._network = MeshNet(model.layers, weights)
        self.computation = describe_computation(ChosenPrecision("float32"))

    @property
    def card(self) -> ModelCard:
        """What goes in, and what comes out."""
        return self._card

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Return the labels of a T1w, whole numbers on its own grid.

        Raises:
            OasisGanError: If the volume is empty, or larger than any head.
        """
        ((name, source),) = sources.items()
        encoding = self._card.sources[name]
        window = encoding.fit(source.voxels)
        scaled = window.encode(source.voxels)[..., 0]
        mask = encoding.find_mask(source.voxels)
        grid = ConformedGrid.from_mask(mask, source.geometry)
        labels = self._segment(scaled, grid, progress)
        progress(1.0)
        voxels = labels.astype(np.int32)
        volume = Volume(voxels, source.geometry, source.notes)
        return Translation(volume=volume)

    def _segment(self, voxels: Voxels, grid: ConformedGrid, progress: Progress) -> Labels:
        conformed = grid.conform(voxels)
        progress(_CONFORMED)
        if not grid.resamples:
            return grid.restore(self._network.predict_labels(conformed))
        probabilities = self._network.predict_probabilities(conformed)
        progress(_SEGMENTED)
        return grid.restore_likeliest(probabilities)
