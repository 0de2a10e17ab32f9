"""A trained generator, ready to translate slices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras import hardware
from oasis_gan_keras.backend import start_devices, tf
from oasis_gan_keras.hardware import RequestedPrecision
from oasis_gan_keras.variables import require_shapes

from oasis_gan import Computation, ModelCard, OasisGanError

from . import store
from .blueprint import Blueprint, blueprint
from .folding import fold
from .inference import Inference
from .weight_shapes import weight_shapes


class Pix2PixTranslator:
    """The generator in a model folder. Inference is deterministic: the same slices always look the same.

    Args:
        folder: The model folder.
        texture: Between the smooth end of the model, 0, and the textured one, 1; what the model says if not given.
        precision: To compute in; float32 if not given, and where the precision does not work on this machine.
            Between bfloat16 and float32 the default model's outputs have a PSNR of at least 50 dB.

    Raises:
        OasisGanError: If the folder cannot be trusted, or its weights do not fit its architecture.
    """

    def __init__(self, folder: Path, texture: float | None = None, precision: RequestedPrecision | None = None) -> None:
        stored = store.read_model(folder)
        start_devices()
        self._card = stored.file.card(texture)
        settings = stored.file.generator
        if self._card.canvas.multiple % 2**settings.levels:
            found = f"{self._card.canvas.multiple}"
            expected = f"canvas.multiple divisible by {2**settings.levels} for {settings.levels} levels"
            raise OasisGanError(folder / store.CARD, expected=expected, found=found, remedy="mend or retrain it")
        plan = blueprint(settings, self._card.source.channels, self._card.target.channels)
        require_shapes(weight_shapes(plan), stored.weights, folder / store.WEIGHTS)
        with np.errstate(all="ignore"):
            weights = stored.at(1.0 if self._card.texture is None else self._card.texture)
        chosen = hardware.choose_precision(precision or hardware.TRANSLATING)
        self.precision = chosen.precision
        self.computation = Computation(
            precision=chosen.precision,
            software=hardware.engine_versions(),
            threads=hardware.thread_count(),
            note=chosen.note,
        )
        self.inference = Inference(*_fold(plan, weights, folder / store.WEIGHTS), self.precision)
        self._parts = 1  # in which a batch is computed

    @property
    def card(self) -> ModelCard:
        """What it was trained on."""
        return self._card

    def translate(self, slices: NDArray[np.float32], wanted: NDArray[np.bool_] | None = None) -> NDArray[np.float32]:
        """Return generated slices (n, rows, columns, target channels) in [0, 1], where they are ``wanted``.

        A batch that a device's memory does not hold is halved until it does, and so are those after it.

        Raises:
            OasisGanError: If the memory does not hold a single slice.
        """
        try:
            parts = [part for part in np.array_split(np.arange(len(slices)), self._parts) if len(part)]
            made = [self.inference(slices[part], None if wanted is None else wanted[part]) for part in parts]
            return np.concatenate(made)
        except tf.errors.ResourceExhaustedError:
            if self._parts >= len(slices):
                found, remedy = "too little", "free some, or hide the GPU: CUDA_VISIBLE_DEVICES="
                expected = f"memory for a slice of {slices.shape[1]} x {slices.shape[2]}"
                raise OasisGanError("device", expected=expected, found=found, remedy=remedy) from None
        self._parts *= 2
        return self.translate(slices, wanted)


def _fold(plan: Blueprint, weights: store.Weights, where: Path) -> tuple[Blueprint, dict[str, NDArray[Any]]]:
    expected, remedy = "the weights of this architecture", "take settings and weights of one model"
    try:
        # Weights may be anybody's: what overflows is looked for in the result.
        with np.errstate(all="ignore"):
            folded_plan, folded_weights = fold(plan, weights)
    except ValueError as error:
        raise OasisGanError(where, expected=expected, found=str(error), remedy=remedy) from None
    for name, weight in folded_weights.items():
        if not np.isfinite(weight).all():
            expected = "weights that float32 holds"
            raise OasisGanError(where, expected=expected, found=f"{name} beyond it", remedy=store.REMEDY)
    return folded_plan, folded_weights
