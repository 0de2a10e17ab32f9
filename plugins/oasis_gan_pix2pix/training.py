"""Train Pix2Pix with `oasis_gan_keras`."""

from __future__ import annotations

from functools import partial

import oasis_gan_keras
from oasis_gan_keras import Preparation, TrainableModel, TrainedModel

from oasis_gan import TrainingRequest

from . import model_folder
from .prediction import LinearPrediction
from .recipe import Recipe, parse_recipe
from .trainer import SMOOTH_END, Pix2PixTrainer


def train(request: TrainingRequest) -> None:
    """Train on ``request.subjects`` and write the model folder ``request.out``.

    Raises:
        OasisGanError: If the recipe or the data cannot be used, or a loss or gradient is no longer
            finite.
        OSError: If a file cannot be read or written.
    """
    recipe = parse_recipe(request.recipe)
    model = TrainableModel(
        build=partial(_build_trainer, recipe),
        write=partial(_write_model, recipe),
        files=(model_folder.MODEL_JSON, model_folder.WEIGHTS),
    )
    oasis_gan_keras.train(request, recipe, model)


def _build_trainer(recipe: Recipe, preparation: Preparation) -> Pix2PixTrainer:
    """Build the trainer, with a linear prediction that is fitted to a sample of the slices."""
    sample = preparation.pairs.sample()
    prediction = LinearPrediction.fit(sample, recipe.mask_channels)
    return Pix2PixTrainer(
        recipe=recipe,
        prediction=prediction,
        steps=preparation.steps,
        replicas=preparation.replicas,
        precision=preparation.precision,
    )


def _write_model(recipe: Recipe, trained: TrainedModel) -> None:
    """Write a model folder."""
    smooth = trained.snapshots.get(SMOOTH_END, {})
    source = None if recipe.sources else recipe.encodings[recipe.source]
    model_folder.write_model(
        trained.folder,
        trained.weights,
        smooth,
        texture=recipe.pretraining.default_texture if smooth else None,
        name=recipe.name,
        version=recipe.version,
        output=recipe.output,
        source=source,
        sources=recipe.encodings if recipe.sources else {},
        target=trained.target,
        planes=recipe.planes,
        context=recipe.context,
        histogram=trained.histogram,
        canvas=recipe.canvas,
        generator=recipe.generator,
        training=trained.training,
        software=trained.software,
    )
