"""A model of whole volumes: it sees all three dimensions at once, and no slices."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np

import oasis_gan as og

GREYS = np.array([0.0, 0.30, 0.55, 0.75], np.float32)
ROUNDS = og.Option(name="rounds", help="How often neighbours are averaged.", default=1, minimum=0)
CARD = og.ModelCard(
    name="blurred-paint",
    version="1",
    sources={"labels": og.OASIS},
    target=og.Window((0, 1000), (0, 1)),
    output="T1w",
    options=(ROUNDS,),
)


@dataclass(frozen=True)
class BlurredPaint:
    """Paints each tissue in one grey, and averages neighbours in all three dimensions."""

    rounds: int = 1
    card = CARD

    def translate(
        self, sources: Mapping[str, og.CleanVolume], progress: og.Progress = og.ignore_progress
    ) -> og.Translation:
        """Return the painted volume, on the grid of the labels."""
        labels = sources["labels"]
        painted = GREYS[labels.voxels]
        for done in range(self.rounds):
            for axis in range(3):
                shifted = (np.roll(painted, step, axis) for step in (-1, 0, 1))
                painted = np.mean(list(shifted), axis=0)
            progress((done + 1) / self.rounds)
        values = CARD.target.decode(painted[..., np.newaxis])
        voxels = np.where(labels.voxels > 0, values, 0)
        return og.Translation(volume=og.Volume(voxels, labels.geometry, labels.notes))


@og.hookimpl
def oasis_gan_models() -> Iterator[og.ModelKind]:
    """Offer the model; it has no weights, so that any folder will do."""
    yield og.ModelKind(
        name="blurred-paint",
        summary="Painted tissues, averaged in three dimensions",
        card=lambda folder: CARD,
        load=lambda folder, rounds=1: BlurredPaint(rounds),
        shipped={"blurred-paint": Path(__file__).parent},
    )
