"""The tissue plugin makes a map of three tissues from a T1-weighted MRI and a mask of the brain.

It is not trained: the tissues of a volume are found from that volume alone. SimpleITK is imported
only when a volume is segmented.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oasis_gan import ModelCard, ModelKind, Translator, hookimpl

_SHIPPED = Path(__file__).parent / "models" / "t1w-to-tissues"


def card(folder: Path) -> ModelCard:
    """Return what goes into the model in ``folder``, and what comes out."""
    from .segmenter import read_card

    return read_card(folder)


def load(folder: Path) -> Translator:
    """Return the model in ``folder``, ready to segment."""
    from .segmenter import TissueSegmenter, read_card

    return TissueSegmenter(read_card(folder))


@hookimpl
def oasis_gan_models() -> Iterator[ModelKind]:
    """Offer the Gaussian mixture."""
    yield ModelKind(
        name="gaussian-mixture",
        summary="N4 and a Gaussian mixture with a Markov field: tissues of a T1w",
        card=card,
        load=load,
        shipped={"t1w-to-tissues": _SHIPPED},
    )
