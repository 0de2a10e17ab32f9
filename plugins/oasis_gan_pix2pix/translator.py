"""Load a trained generator and translate volumes with it, slice by slice."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
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
    FurtherWeights,
    Histogram,
    LabelSet,
    SlicewiseTranslator,
    slicewise,
)

from . import model_folder
from .blueprint import Blueprint, make_blueprint
from .errors import (
    CanvasNotDivisibleError,
    DeviceMemoryError,
    ImpossibleWeightsError,
    TooLargeWeightError,
)
from .folding import fold
from .inference import Inference
from .packing import Weights
from .weight_shapes import list_weight_shapes


def load_translator(
    folder: Path,
    plane: str = AUTO_PLANE,
    texture: float | None = None,
    precision: RequestedPrecision | None = None,
    *,
    uncertainty: bool = False,
    flip: bool = False,
) -> SlicewiseTranslator:
    """Return the model in a folder, ready to translate volumes.

    Args:
        folder: The model folder.
        plane: The slicing plane, ``all`` to average over all planes that the model was trained in,
            or ``auto``.
        texture: See `StoredGenerator`.
        precision: See `StoredGenerator`.
        uncertainty: Whether to return a map of the uncertainty too.
        flip: Whether to average the answers for the head and for its mirror image.

    Raises:
        OasisGanError: If the folder cannot be trusted, or its weights do not fit its architecture.
    """
    generator = StoredGenerator(folder, texture, precision)
    file = generator.file
    first = _answer_with(generator)
    further = []
    for number in range(1, 1 + file.further_weights):
        other = StoredGenerator(folder, texture, precision, number)
        further.append(_answer_with(other))
    return slicewise(
        first.predict,
        file.card(),
        planes=file.planes,
        canvas=file.canvas,
        plane=plane,
        context=file.context,
        finish=_make_histogram_matching(generator),
        computation=generator.computation,
        uncertainty=uncertainty,
        uncertainty_scale=_find_scale(generator),
        redraw=first.redraw,
        flip=flip,
        further_weights=further,
    )


def _answer_with(generator: StoredGenerator) -> FurtherWeights:
    """Return how a generator answers for slices, and how with other noise."""
    redraw = partial(generator.generate, draw=1) if generator.file.is_random else None
    return FurtherWeights(generator.generate, redraw)


def _make_histogram_matching(generator: StoredGenerator) -> HistogramMatching | None:
    """Return the last step of a model with a histogram whose first source is a label map."""
    histogram = generator.file.histogram
    name, source = next(iter(generator.file.named_sources.items()))
    if histogram is None or source.label_set is None:
        return None
    return HistogramMatching(
        histogram=histogram.scale_strength(generator.strength),
        label_set=source.label_set,
        source=name,
    )


def _find_scale(generator: StoredGenerator) -> float:
    """Return the factor for the uncertainty of a generator; 1 if it was not calibrated."""
    calibration = generator.file.uncertainty
    return calibration.scale_at(generator.texture) if calibration else 1.0


@dataclass(frozen=True)
class HistogramMatching:
    """A last step that gives each tissue of a volume the intensity distribution of a scan.

    Args:
        histogram: The distribution in each tissue, and how far to match it.
        label_set: The meaning of the source's labels.
        source: The name of the source that holds the labels.
    """

    histogram: Histogram
    label_set: LabelSet
    source: str

    def __call__(
        self,
        channels: NDArray[np.float32],
        sources: Mapping[str, NDArray[Any]],
    ) -> NDArray[np.float32]:
        """Return the generated intensities (voxels, 1), matched to the distribution."""
        labels = sources[self.source]
        intensities = self.histogram.match(channels[:, 0], labels, self.label_set)
        return intensities[:, np.newaxis]


class StoredGenerator:
    """The generator that a model folder holds.

    It is deterministic: the same slices always get the same translation.

    Args:
        folder: The model folder.
        texture: A number from 0, the smooth end of the model, to 1, the textured end; the model's
            default if not given.
        precision: The precision to compute in; float32 if not given, and where the precision does
            not work on this machine. Between bfloat16 and float32 the default model's outputs have
            a PSNR of at least 50 dB.
        number: Which of the weights in the folder to use, from 0 for the first.

    Raises:
        OasisGanError: If the folder cannot be trusted, or its weights do not fit its architecture.
    """

    def __init__(
        self,
        folder: Path,
        texture: float | None = None,
        precision: RequestedPrecision | None = None,
        number: int = 0,
    ) -> None:
        stored = model_folder.read_model(folder, number)
        start_devices()
        self.file = stored.file
        plan = _make_plan(self.file, folder)
        weights_path = folder / model_folder.WEIGHTS
        require_shapes(list_weight_shapes(plan), stored.weights, weights_path)
        self.texture = self._choose_texture(texture)
        with np.errstate(all="ignore"):
            weights = stored.blend(self.strength)
        chosen = hardware.choose_precision(precision or hardware.DEFAULT_PRECISION)
        self.precision = chosen.precision
        self.computation = hardware.describe_computation(chosen)
        folded_plan, folded_weights = _fold(plan, weights, weights_path)
        self.inference = Inference(folded_plan, folded_weights, self.precision)
        self._parts = 1  # the number of parts in which a batch is computed

    @property
    def strength(self) -> float:
        """The texture to generate; 1, all of it, if the model offers no choice."""
        return 1.0 if self.texture is None else self.texture

    def _choose_texture(self, requested: float | None) -> float | None:
        """Return the texture to generate; None if the model offers no choice."""
        if self.file.texture is None or requested is None:
            return self.file.texture
        return requested

    def generate(
        self,
        slices: NDArray[np.float32],
        mask: NDArray[np.bool_] | None = None,
        draw: int = 0,
    ) -> NDArray[np.float32]:
        """Return generated slices (n, rows, columns, target channels) in [0, 1].

        A batch that does not fit into the memory of the device is divided until it does, and so are
        later batches.

        Args:
            slices: Source slices (n, rows, columns, source channels) in [0, 1].
            mask: The pixels to compute, (n, rows, columns); all of them if not given.
            draw: See `Inference`.

        Raises:
            DeviceMemoryError: If a single slice does not fit into the memory.
        """
        try:
            return self._generate_in_parts(slices, mask, draw)
        except tf.errors.ResourceExhaustedError:
            if self._parts >= len(slices):
                _, rows, columns, _ = slices.shape
                raise DeviceMemoryError(rows, columns) from None
        self._parts *= 2
        return self.generate(slices, mask, draw)

    def _generate_in_parts(
        self,
        slices: NDArray[np.float32],
        mask: NDArray[np.bool_] | None,
        draw: int,
    ) -> NDArray[np.float32]:
        """Return generated slices, computed in as many parts as the device needs."""
        generated = []
        numbers = np.arange(len(slices))
        for part in np.array_split(numbers, self._parts):
            # A later batch may have fewer slices than there are parts.
            if len(part):
                part_mask = None if mask is None else mask[part]
                answer = self.inference(slices[part], part_mask, draw)
                generated.append(answer)
        return np.concatenate(generated)


def _make_plan(file: model_folder.ModelFile, folder: Path) -> Blueprint:
    """Return the blueprint of the generator of a model, after checking that its canvas fits."""
    settings = file.generator
    multiple = file.canvas.multiple
    if multiple % settings.multiple:
        path = folder / model_folder.MODEL_JSON
        raise CanvasNotDivisibleError(path, multiple, settings.levels)
    return make_blueprint(
        settings,
        channels_in=file.source_channels,
        channels_out=file.target.channels,
    )


def _fold(
    plan: Blueprint,
    weights: Weights,
    where: Path,
) -> tuple[Blueprint, dict[str, NDArray[Any]]]:
    """Fold a generator, and check its weights."""
    try:
        # The weights may come from anywhere, so an overflow is looked for in the result.
        with np.errstate(all="ignore"):
            folded_plan, folded_weights = fold(plan, weights)
    except ValueError as error:
        raise ImpossibleWeightsError(where, str(error)) from None
    for name, weight in folded_weights.items():
        if not np.isfinite(weight).all():
            raise TooLargeWeightError(where, name)
    return folded_plan, folded_weights
