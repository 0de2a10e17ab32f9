"""Pix2Pix plugin: a U-Net generator trained against a PatchGAN discriminator (arXiv 1611.07004), and trained weights.

TensorFlow is imported when a model is loaded or trained, not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oasis_gan import ModelCard, ModelKind, TrainingRequest, Translator, hookimpl

_MODELS = Path(__file__).parent / "models"


def card(folder: Path) -> ModelCard:
    """Return what the model in ``folder`` was trained on."""
    from .store import read_card

    return read_card(folder).card()


def load(folder: Path) -> Translator:
    """Return the model in ``folder``, ready to translate."""
    from .translator import Pix2PixTranslator

    return Pix2PixTranslator(folder)


def train(request: TrainingRequest) -> None:
    """Train a model and write its folder."""
    from .training import train

    train(request)


@hookimpl
def oasis_gan_models() -> Iterator[ModelKind]:
    """Offer Pix2Pix, and the models that ship with it."""
    shipped = {path.parent.name: path.parent for path in sorted(_MODELS.glob("*/model.json"))}
    yield ModelKind("pix2pix", "U-Net against PatchGAN, slice by slice", card, load, train, shipped)
