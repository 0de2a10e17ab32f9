"""The Pix2Pix plugin trains a U-Net generator against a PatchGAN discriminator (arXiv 1611.07004).

It ships with trained models. TensorFlow is imported only when a model is loaded or trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Literal

from oasis_gan import ModelCard, ModelKind, TrainingData, TrainingRequest, Translator, hookimpl

_HERE = Path(__file__).parent


def card(folder: Path) -> ModelCard:
    """Return the card of the model in ``folder``."""
    from .model_folder import read_model_file

    return read_model_file(folder).card()


def load(
    folder: Path,
    plane: str = "auto",
    texture: float | None = None,
    precision: Literal["auto", "float32", "bfloat16", "float16"] | None = None,
    *,
    uncertainty: bool = False,
    flip: bool = False,
) -> Translator:
    """Return the model in ``folder``, ready to translate.

    Args:
        folder: The model folder.
        plane: The slicing plane; ``all`` averages over all planes that the model was trained in.
            ``auto`` takes the first of them, or the plane of the slices if the volume is thin.
        texture: A number from 0, smooth, to 1, textured; the model's default if not given.
        precision: The precision to compute in; float32 if not given.
        uncertainty: Whether to return a map of the uncertainty beside the volume.
        flip: Whether to average the answers for the head and for its mirror image.
    """
    from .translator import load_translator

    return load_translator(
        folder,
        plane,
        texture,
        precision,
        uncertainty=uncertainty,
        flip=flip,
    )


def train(request: TrainingRequest) -> None:
    """Train a model and write its folder."""
    from oasis_gan_keras import prefer_onednn

    with prefer_onednn():
        from .training import train

    train(request)


def check_settings(settings: Mapping[str, object]) -> TrainingData:
    """Return the data that a training needs; raise `OasisGanError` if a setting is wrong."""
    from .recipe import parse_recipe

    return parse_recipe(settings).data


def check_resume(
    folder: Path,
    before: Mapping[str, object],
    after: Mapping[str, object],
) -> None:
    """Raise `OasisGanError` if the training in ``folder`` cannot be resumed with other settings."""
    import oasis_gan_keras

    from .recipe import parse_recipe

    oasis_gan_keras.check_resume(folder, parse_recipe(before), parse_recipe(after))


def leads() -> bool:
    """Whether this process is the one of several workers that writes the model folder."""
    from oasis_gan_keras import find_workers

    _, index = find_workers()
    return index == 0


def to_onnx(folder: Path, out: Path) -> None:
    """Write the model in ``folder`` as an ONNX file."""
    from .export import to_onnx

    to_onnx(folder, out)


def to_saved_model(folder: Path, out: Path) -> None:
    """Write the model in ``folder`` as a SavedModel folder."""
    from .export import to_saved_model

    to_saved_model(folder, out)


@hookimpl
def oasis_gan_models() -> Iterator[ModelKind]:
    """Offer Pix2Pix and the models that ship with it."""
    from .renamed_settings import RENAMED_SETTINGS

    shipped = {}
    for path in sorted(_HERE.glob("models/*/model.json")):
        folder = path.parent
        shipped[folder.name] = folder
    presets = {path.stem: path for path in sorted(_HERE.glob("recipes/*.toml"))}
    yield ModelKind(
        name="pix2pix",
        summary="U-Net against PatchGAN, slice by slice",
        card=card,
        load=load,
        train=train,
        shipped=shipped,
        presets=presets,
        exports={"onnx": to_onnx, "savedmodel": to_saved_model},
        check_settings=check_settings,
        check_resume=check_resume,
        renamed_settings=RENAMED_SETTINGS,
        leads=leads,
    )
