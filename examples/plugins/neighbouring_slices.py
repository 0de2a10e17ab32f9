"""A model that sees the slices beside the one that it translates (2.5-D)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np

from oasis_gan import (
    OASIS,
    Canvas,
    Channels,
    Mask,
    ModelCard,
    ModelKind,
    Plane,
    Window,
    hookimpl,
    slicewise,
)

CONTEXT = 1
GREYS = np.array([0.30, 0.55, 0.75], np.float32)
SHARES = np.array([0.25, 0.50, 0.25], np.float32)
CARD = ModelCard(
    name="neighbour-paint",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 1000), (0, 1)),
    output="T1w",
)


def predict(slices: Channels, mask: Mask) -> Channels:
    """Return the mean of three painted slices: the one before, the slice, and the one behind."""
    greys = np.concatenate([share * GREYS for share in SHARES])
    return np.asarray(slices @ greys[:, np.newaxis])


@hookimpl
def oasis_gan_models() -> Iterator[ModelKind]:
    """Offer the model."""
    yield ModelKind(
        name="neighbour-paint",
        summary="Painted tissues, averaged with the slices beside them",
        card=lambda folder: CARD,
        load=lambda folder: slicewise(
            predict,
            CARD,
            planes=[Plane.AXIAL],
            canvas=Canvas(1.0, size=1, multiple=1),
            context=CONTEXT,
        ),
        shipped={"neighbour-paint": Path(__file__).parent},
    )
