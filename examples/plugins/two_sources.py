"""A model of two sources: it needs a T1w and a T2w of each subject, and makes a FLAIR of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from oasis_gan import (
    Canvas,
    Channels,
    Mask,
    ModelCard,
    ModelKind,
    Percentiles,
    Plane,
    Window,
    hookimpl,
    slicewise,
)

CARD = ModelCard(
    name="t1-t2-to-flair",
    version="1",
    sources={"t1": Percentiles(), "t2": Percentiles()},
    target=Window((0, 1000), (0, 1)),
    output="FLAIR",
)
WEIGHTS = np.array([[0.25], [0.75]], np.float32)


def predict(slices: Channels, mask: Mask) -> Channels:
    """Return a weighted sum of both sources; their channels stand in the order of the card."""
    return np.asarray(slices @ WEIGHTS)


@hookimpl
def oasis_gan_models() -> Iterator[ModelKind]:
    """Offer the model: `slicewise` makes a translator of volumes of it."""
    yield ModelKind(
        name="weighted-sum",
        summary="A weighted sum of two contrasts",
        card=lambda folder: CARD,
        load=lambda folder: slicewise(
            predict, CARD, planes=[Plane.AXIAL], canvas=Canvas(1.0, size=1, multiple=1)
        ),
        shipped={"t1-t2-to-flair": Path(__file__).parent},
    )
