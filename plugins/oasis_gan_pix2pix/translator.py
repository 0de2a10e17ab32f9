"""A trained generator, ready to translate volumes slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from oasis_gan_keras import hardware
from oasis_gan_keras.backend import start_devices, tf
from oasis_gan_keras.hardware import RequestedPrecision
from oasis_gan_keras.variables import require_shapes

from oasis_gan import (
    AUTO_PLANE,
    Computation,
    Histogram,
    LabelSet,
    OasisGanError,
    SlicewiseTranslator,
    slicewise,
)

from . import model_folder
from .blueprint import Blueprint, blueprint
from .folding import fold
from .inference import Inference
from .weight_shapes import weight_shapes


def load_translator(
    folder: Path,
    plane: str = AUTO_PLANE,
    texture: float | None = None,
    precision: RequestedPrecision | None = None,
) -> SlicewiseTranslator:
    """Return the model in a folder, ready to translate volumes.

    Args:
        folder: The model folder.
        plane: The plane to slice in, ``all`` for the mean of all that the model was trained in, or ``auto``.
        texture: See `StoredGenerator`.
        precision: See `StoredGenerator`.

    Raises:
        OasisGanError: If the folder cannot be trusted, or its weights do not fit its architecture.
    """
    generator = StoredGenerator(folder, texture, precision)
    file = generator.file
    finish = None
    name, source = next(iter(file.named_sources.items()))
    if file.histogram and source.label_set is not None:
        strength = 1.0 if generator.texture is None else generator.texture
        finish = HistogramMatching(file.histogram.at(strength), source.label_set, name)
    return slicewise(
        generator.generate,
        file.card(),
        planes=file.planes,
        canvas=file.canvas,
        plane=plane,
        context=file.context,
        finish=finish,
        computation=generator.computation,
    )


@dataclass(frozen=True)
class HistogramMatching:
    """The last step over a whole volume: its intensities get the distribution that a scan of its tissues would have.

    Args:
        histogram: The distribution in each tissue, and how far intensities are brought to it.
        label_set: What the labels of the source mean.
        source: The name of the source that holds the labels.
    """

    histogram: Histogram
    label_set: LabelSet
    source: str

    def __call__(
        self, channels: NDArray[np.float32], sources: Mapping[str, NDArray[Any]]
    ) -> NDArray[np.float32]:
        """Return matched intensities (voxels, 1) for those that were generated."""
        return self.histogram.matched(channels[:, 0], sources[self.source], self.label_set)[
            :, np.newaxis
        ]


class StoredGenerator:
    """The generator in a model folder. Inference is deterministic: the same slices always look the same.

    Args:
        folder: The model folder.
        texture: Between the smooth end of the model, 0, and the textured one, 1; what the model says if not given.
        precision: To compute in; float32 if not given, and where the precision does not work on this machine.
            Between bfloat16 and float32 the default model's outputs have a PSNR of at least 50 dB.

    Raises:
        OasisGanError: If the folder cannot be trusted, or its weights do not fit its architecture.
    """

    def __init__(
        self,
        folder: Path,
        texture: float | None = None,
        precision: RequestedPrecision | None = None,
    ) -> None:
        stored = model_folder.read_model(folder)
        start_devices()
        self.file = stored.file
        settings = self.file.generator
        if self.file.canvas.multiple % 2**settings.levels:
            found = f"{self.file.canvas.multiple}"
            expected = (
                f"canvas.multiple divisible by {2**settings.levels} for {settings.levels} levels"
            )
            raise OasisGanError(
                folder / model_folder.MODEL_JSON,
                expected=expected,
                found=found,
                remedy="retrain the model",
            )
        plan = blueprint(settings, self.file.source_channels, self.file.target.channels)
        require_shapes(weight_shapes(plan), stored.weights, folder / model_folder.WEIGHTS)
        self.texture = self._choose_texture(texture)
        with np.errstate(all="ignore"):
            weights = stored.at(1.0 if self.texture is None else self.texture)
        chosen = hardware.choose_precision(precision or hardware.DEFAULT_PRECISION)
        self.precision = chosen.precision
        self.computation = Computation(
            precision=chosen.precision,
            software=hardware.engine_versions(),
            threads=hardware.thread_count(),
            note=chosen.note,
        )
        self.inference = Inference(
            *_fold(plan, weights, folder / model_folder.WEIGHTS), self.precision
        )
        self._parts = 1  # in which a batch is computed

    def _choose_texture(self, requested: float | None) -> float | None:
        """Return the texture to generate; None if the model has no choice."""
        if self.file.texture is None or requested is None:
            return self.file.texture
        return requested

    def generate(
        self, slices: NDArray[np.float32], mask: NDArray[np.bool_] | None = None
    ) -> NDArray[np.float32]:
        """Return generated slices (n, rows, columns, target channels) in [0, 1].

        A batch that a device's memory does not hold is halved until it does, and so are those after it.

        Args:
            slices: (n, rows, columns, source channels) in [0, 1].
            mask: The pixels (n, rows, columns) that are needed; all of them if not given.

        Raises:
            OasisGanError: If the memory does not hold a single slice.
        """
        try:
            parts = [
                part for part in np.array_split(np.arange(len(slices)), self._parts) if len(part)
            ]
            made = [
                self.inference(slices[part], None if mask is None else mask[part]) for part in parts
            ]
            return np.concatenate(made)
        except tf.errors.ResourceExhaustedError:
            if self._parts >= len(slices):
                expected = f"memory for a slice of {slices.shape[1]} x {slices.shape[2]}"
                remedy = "free some, or hide the GPU: CUDA_VISIBLE_DEVICES="
                raise OasisGanError(
                    "device", expected=expected, found="too little", remedy=remedy
                ) from None
        self._parts *= 2
        return self.generate(slices, mask)


def _fold(
    plan: Blueprint, weights: model_folder.Weights, where: Path
) -> tuple[Blueprint, dict[str, NDArray[Any]]]:
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
            raise OasisGanError(
                where, expected=expected, found=f"{name} beyond it", remedy=model_folder.REMEDY
            )
    return folded_plan, folded_weights
