"""The MeshNet plugin makes a map of brain structures from a T1-weighted MRI.

The network was trained and published by others (brainchop, https://github.com/neuroneural/brainchop).
It has seen no output of the models here that make images, so it can judge them. TensorFlow is
imported only when a model is loaded.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from oasis_gan import LabelSet, ModelCard, ModelKind, Translator, hookimpl

_SHIPPED = Path(__file__).parent / "models"


def card(folder: Path) -> ModelCard:
    """Return what goes into the model in ``folder``, and what comes out."""
    from .model_folder import read_model_file

    return read_model_file(folder).card()


def load(folder: Path) -> Translator:
    """Return the model in ``folder``, ready to segment."""
    from oasis_gan_keras import prefer_onednn, return_memory

    # TensorFlow alone has no dilated convolutions in 3-D for processors.
    # A layer of a whole head needs more than 1 GB, which what follows can use again.
    with prefer_onednn(), return_memory():
        from .segmenter import load_segmenter

        return load_segmenter(folder)


def list_shipped_models() -> dict[str, Path]:
    """Return the folders of the models that ship with this plugin, by name."""
    folders = [path.parent for path in sorted(_SHIPPED.glob("*/model.json"))]
    return {folder.name: folder for folder in folders}


@hookimpl
def oasis_gan_models() -> Iterator[ModelKind]:
    """Offer MeshNet, and the models that ship with it."""
    yield ModelKind(
        name="meshnet",
        summary="Dilated 3-D convolutions that segment a whole T1w at once",
        card=card,
        load=load,
        shipped=list_shipped_models(),
    )


@hookimpl
def oasis_gan_label_sets() -> Iterator[LabelSet]:
    """Offer what the outputs of the shipped models hold, so that they can be sources of others."""
    from .model_folder import read_model_file

    for folder in list_shipped_models().values():
        yield read_model_file(folder).make_label_set()
