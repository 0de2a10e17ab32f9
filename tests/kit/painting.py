"""A model that paints each tissue in one grey: the smallest that makes images of labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from oasis_gan import (
    ANCHORS,
    AUTO_PLANE,
    OASIS,
    Canvas,
    Channels,
    Mask,
    ModelCard,
    Plane,
    SlicewiseTranslator,
    Translator,
    Window,
    plane_option,
    slicewise,
)
from oasis_gan.pipeline.slicewise import Predict
from oasis_gan.plugin.model_references import ModelReference, hash_card

GREYS = np.array([[grey] for grey in ANCHORS.values()], np.float32)
ANCHORED = Window((0, 10, 20, 30, 45), (0, *ANCHORS.values(), 1))

PAINT_PLUGIN = """
import os
import time
from pathlib import Path
import numpy as np
from oasis_gan import (
    OASIS, Canvas, ModelCard, ModelKind, Plane, Window, hookimpl, plane_option, slicewise
)

PLANES = (Plane.AXIAL, Plane.CORONAL)
CARD = ModelCard(
    name="paint", version="1", sources={"labels": OASIS}, target=Window((0, 1000), (0, 1)),
    output="T1w", weights_sha256="0" * 64, options=(plane_option(PLANES),),
)

def paint(slices, mask):
    time.sleep(float(os.environ.get("PAINT_SECONDS", 0)))
    return slices @ np.array([[0.30], [0.55], [0.75]], np.float32)

def card(folder):
    return CARD

def load(folder, plane="auto"):
    canvas = Canvas(1.0, size=1, multiple=1)
    return slicewise(paint, CARD, planes=PLANES, canvas=canvas, plane=plane)

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="paint", summary="One grey a tissue", card=card, load=load, shipped={"paint": Path()}
    )
"""
"""A plugin file with such a model, which takes ``PAINT_SECONDS`` for each volume."""


def paint(slices: Channels, mask: Mask) -> Channels:
    """Return the grey of each pixel's tissue."""
    return np.asarray(slices @ GREYS)


def painter(
    target: Window = ANCHORED,
    *,
    predict: Predict = paint,
    planes: Sequence[Plane] = (Plane.AXIAL,),
    plane: str = AUTO_PLANE,
    canvas: Canvas | None = None,
) -> SlicewiseTranslator:
    """Return a model that paints each tissue with its anchor."""
    card = ModelCard(
        name="paint",
        version="1",
        sources={"labels": OASIS},
        target=target,
        output="T1w",
        weights_sha256="0" * 64,
        options=(plane_option(planes),),
    )
    canvas = canvas or Canvas(1.0, size=1, multiple=1)
    return slicewise(predict, card, planes=planes, canvas=canvas, plane=plane)


@dataclass(frozen=True, kw_only=True)
class LoadedModel(ModelReference):
    """A reference to a model of this process, which nobody else could load."""

    translator: Translator

    @classmethod
    def at_hand(cls, translator: Translator) -> LoadedModel:
        """Return the reference to a model."""
        card = translator.card
        return cls(
            kind=card.name, folder=Path(), card_sha256=hash_card(card), translator=translator
        )

    def load(self) -> Translator:
        """Return the model."""
        return self.translator
