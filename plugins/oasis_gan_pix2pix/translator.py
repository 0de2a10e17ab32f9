"""A trained generator, ready to translate slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from oasis_gan import ModelCard, OasisGanError

from . import networks, store
from .backend import keras, tf


class Pix2PixTranslator:
    """The generator in a model folder. Inference is deterministic: no dropout, no batch statistics.

    Raises:
        OasisGanError: If the folder cannot be trusted, or its weights do not fit its architecture.
    """

    def __init__(self, folder: Path) -> None:
        stored = store.read_model(folder)
        self._card = stored.file.card()
        settings = stored.file.generator
        if self._card.canvas.multiple % 2**settings.levels:
            found = f"{self._card.canvas.multiple}"
            expected = f"canvas.multiple divisible by {2**settings.levels} for {settings.levels} levels"
            raise OasisGanError(folder / store.CARD, expected=expected, found=found, remedy="mend or retrain it")
        model = networks.generator(settings, self._card.source.channels, self._card.target.channels)
        set_weights(model, stored.weights, folder / store.WEIGHTS)
        self._generate = tf.function(lambda x: model(x, training=False) / 2 + 0.5)

    @property
    def card(self) -> ModelCard:
        """What it was trained on."""
        return self._card

    def translate(self, slices: NDArray[np.float32]) -> NDArray[np.float32]:
        """Return generated slices (n, rows, columns, target channels) in [0, 1]."""
        return np.asarray(self._generate(tf.constant(slices)), np.float32)


def get_weights(model: keras.Model) -> dict[str, NDArray[Any]]:
    """Return the weights of a network by the names of its layers."""
    return {variable.path: np.asarray(variable) for variable in model.variables if "seed" not in variable.path}


def set_weights(model: keras.Model, weights: store.Weights, where: Path) -> None:
    """Give a network its weights, once names and shapes agree.

    Raises:
        OasisGanError: If they do not.
    """
    wanted = {name: tuple(value.shape) for name, value in get_weights(model).items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    if wanted != given:
        strange = sorted(set(wanted.items()) ^ set(given.items()))[0][0]
        expected = f"{strange} of shape {wanted.get(strange, 'none')}"
        remedy = "take model.json and weights of one model"
        raise OasisGanError(where, expected=expected, found=str(given.get(strange, "none")), remedy=remedy)
    for variable in model.variables:
        if variable.path in weights:
            variable.assign(weights[variable.path].astype(np.float32))
