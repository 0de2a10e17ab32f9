"""A plugin file with the model "thirds": two thresholds segment, without training or TensorFlow."""

from __future__ import annotations

THIRDS = """
from pathlib import Path

import numpy as np

from oasis_gan import (
    Label,
    LabelSet,
    ModelCard,
    ModelKind,
    Percentiles,
    Translation,
    Volume,
    hookimpl,
)

LABELS = LabelSet(
    name="thirds",
    labels=(Label(1, "Lateral-Ventricle"), Label(2, "Thalamus"), Label(3, "White-Matter")),
)
CARD = ModelCard(
    name="thirds", version="2", sources={"t1w": Percentiles()}, target=LABELS, output="dseg",
    weights_sha256="1" * 64,
)


class Thirds:
    card = CARD

    def translate(self, sources, progress=None):
        volume = sources["t1w"]
        labels = np.digitize(volume.voxels, (100, 425, 650)).astype(np.int32)
        return Translation(volume=Volume(labels, volume.geometry))


@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="thirds", summary="Cuts greys in three", card=lambda folder: CARD,
        load=lambda folder: Thirds(), shipped={"thirds": Path()},
    )
"""
