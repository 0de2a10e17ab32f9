"""Combine trained models into one, which averages their answers.

    python -m oasis_gan_pix2pix.ensemble OUT MODEL MODEL...

The new folder is a model like any other: one file holds all weights, and one SHA-256 covers them.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from oasis_gan import OasisGanError

from .errors import DifferentModelError, NotOneNetworkError, TooFewModelsError
from .model_folder import MAX_FURTHER, ModelFile, StoredModel, read_model, write_model

_SHARED = (
    "output",
    "source",
    "sources",
    "target",
    "planes",
    "context",
    "canvas",
    "generator",
    "texture",
    "histogram",
)
"""The fields of ``model.json`` in which models must agree to be combined."""


@click.command()
@click.argument("out", type=click.Path(path_type=Path))
@click.argument("models", nargs=-1, type=click.Path(path_type=Path))
def main(out: Path, models: tuple[Path, ...]) -> None:
    """Combine MODELS, folders that differ in their seed, into one model folder OUT."""
    try:
        combine(models, out)
    except (OasisGanError, OSError) as error:
        raise click.ClickException(str(error)) from None
    click.echo(out)


def combine(folders: Sequence[Path], out: Path) -> None:
    """Write a model folder with the weights of several models.

    The new model has no calibration of its uncertainty, because its answers spread otherwise.

    Args:
        folders: The folders of the models; the first gives the name and the version.
        out: The new folder.

    Raises:
        OasisGanError: If a folder cannot be trusted, a training is not finished, or the models
            differ in more than their weights.
        OSError: If a file cannot be written.
    """
    most = 1 + MAX_FURTHER
    if not 2 <= len(folders) <= most:
        raise TooFewModelsError(most, len(folders))
    models = [read_model(folder) for folder in folders]
    first, *further = models
    for folder, model in zip(folders, models, strict=True):
        _require_one_network(folder, model.file)
        _require_same(folder, model.file, folders[0], first.file)
    fields = {field: getattr(first.file, field) for field in _SHARED}
    write_model(
        out,
        first.weights,
        first.smooth,
        further,
        name=first.file.name,
        version=first.file.version,
        software=first.file.software,
        training={"combined": [_describe(model) for model in models]},
        **fields,
    )


def _require_one_network(folder: Path, file: ModelFile) -> None:
    """Raise `NotOneNetworkError` unless a folder holds one network, fully trained."""
    if file.further_weights:
        found = f"those of {1 + file.further_weights}"
        raise NotOneNetworkError(folder, found, "name the models that it was combined from")
    if file.training.get("finished") is False:
        raise NotOneNetworkError(folder, "a training that is not finished", "resume it first")


def _require_same(folder: Path, file: ModelFile, first_folder: Path, first: ModelFile) -> None:
    """Raise `DifferentModelError` unless two models differ in nothing but their weights."""
    description = file.model_dump(mode="json")
    expected = first.model_dump(mode="json")
    for field in _SHARED:
        if description[field] != expected[field]:
            raise DifferentModelError(folder, field, first_folder)


def _describe(model: StoredModel) -> dict[str, object]:
    """Return where weights come from, for the ``model.json`` of the new model."""
    file = model.file
    return {
        "name": file.name,
        "version": file.version,
        "weights_sha256": file.weights.sha256,
        "training": file.training,
    }


if __name__ == "__main__":
    main()
