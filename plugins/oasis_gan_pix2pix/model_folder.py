"""Read and write model folders: ``model.json`` and the weights, none of which is ever executed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from oasis_gan_keras.limits import MAX_CONTEXT, MAX_NAME, MAX_OUTPUT, find_largest_canvas
from oasis_gan_keras.sentences import describe_wrong_file
from oasis_gan_keras.setting_types import SourceName
from oasis_gan_keras.settings import Settings, require_unique_planes, setting_error
from pydantic import Field, ValidationError, field_validator, model_validator

from oasis_gan import (
    Canvas,
    Histogram,
    LabelSet,
    ModelCard,
    Option,
    Percentiles,
    Plane,
    Window,
    flip_option,
    is_mirror_symmetric,
    plane_option,
    require_unique_keys,
    uncertainty_option,
    write_atomically,
)

from .calibration import UncertaintyCalibration
from .errors import ModelFolderError, NotFiniteWeightsError
from .packing import SMOOTH, Weights, find_prefix, pack, split
from .recipe import GeneratorSettings
from .renamed_settings import RENAMED_SETTINGS

MODEL_JSON = "model.json"
WEIGHTS = "weights.safetensors"
_MAX_JSON = 2**20  # bytes
_MAX_WEIGHTS = 2**30  # bytes
_LARGEST = 1e30  # the largest intensity of an output: float32 holds it and results computed from it
MAX_FURTHER = 99
"""The largest number of further weights in a model folder."""

SourceEncoding = Annotated[LabelSet | Percentiles | Window, Field(discriminator="kind")]
TargetEncoding = Annotated[LabelSet | Window, Field(discriminator="kind")]


class WeightsFile(Settings):
    """The file that holds the weights, with its size and checksum."""

    file: Literal["weights.safetensors"] = "weights.safetensors"
    bytes: int = Field(gt=0, le=_MAX_WEIGHTS)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ModelFile(Settings):
    """The content that ``model.json`` holds."""

    renamed: ClassVar[Mapping[str, str]] = {
        earlier: present
        for earlier, present in RENAMED_SETTINGS.items()
        if earlier.startswith("generator.")
    }

    format: Literal[1] = 1
    kind: Literal["pix2pix"] = "pix2pix"
    name: str = Field(max_length=MAX_NAME)
    version: str = Field(max_length=MAX_NAME)
    output: str = Field(pattern=r"^[A-Za-z0-9]+$", max_length=MAX_OUTPUT)
    source: SourceEncoding | None = None
    sources: dict[SourceName, SourceEncoding] = Field({})
    target: TargetEncoding
    planes: tuple[Plane, ...] = Field(min_length=1)
    context: int = Field(0, ge=0, le=MAX_CONTEXT)
    canvas: Canvas
    generator: GeneratorSettings
    texture: float | None = Field(None, ge=0, le=1)
    histogram: Histogram | None = None
    uncertainty: UncertaintyCalibration | None = None
    weights: WeightsFile
    further_weights: int = Field(0, ge=0, le=MAX_FURTHER)
    training: dict[str, Any]
    software: dict[str, str]

    @field_validator("planes")
    @classmethod
    def _each_once(cls, planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
        """Reject repeated planes."""
        return require_unique_planes(planes)

    @model_validator(mode="after")
    def _describes_a_model(self) -> Self:
        """Reject an impossible model before memory is allocated for its canvas."""
        if (self.source is None) == (not self.sources):
            expected = "one source, or several named ones"
            raise setting_error("source", expected, "both" if self.sources else "none")
        self.card()
        # The core rejects an impossible canvas, for every kind of model.
        if min(self.canvas.size, self.canvas.multiple) >= 1:
            self._require_canvas()
        if isinstance(self.target, Window):
            self._require_finite_outputs(self.target)
        return self

    @staticmethod
    def _require_finite_outputs(target: Window) -> None:
        """Reject intensities that would overflow in what is computed from an output."""
        largest = max(map(abs, target.values))
        if largest > _LARGEST:
            raise setting_error(
                "target.values",
                f"intensities of up to {_LARGEST:g}",
                target.values,
            )

    def _require_canvas(self) -> None:
        full_size_channels = (
            self.source_channels + self.target.channels + self.generator.full_size_filters
        )
        largest = find_largest_canvas(full_size_channels)
        pixels = self.canvas.round_up(0)
        if pixels > largest:
            raise setting_error(
                "canvas",
                f"one of up to {largest} pixels for this generator",
                pixels,
            )

    @property
    def _note(self) -> str:
        """A note about a model whose training was interrupted; empty for a finished model."""
        step = self.training.get("step")
        steps = self.training.get("steps")
        is_unfinished = self.training.get("finished") is False
        if is_unfinished and isinstance(step, int) and isinstance(steps, int):
            return f"its training is not finished: trained for {step} of {steps} steps"
        return ""

    @property
    def unused(self) -> set[str]:
        """The fields to leave out of the file, because earlier versions do not know them."""
        optional = ("source", "sources", "context", "uncertainty", "further_weights")
        return {name for name in optional if not getattr(self, name)}

    @property
    def named_sources(self) -> dict[str, SourceEncoding]:
        """Return the sources by name, in the order of channels.

        A single source is named ``labels`` or ``image``.
        """
        if self.source is None:
            return self.sources
        return {self.source.content: self.source}

    @property
    def source_channels(self) -> int:
        """The channels that the generator reads: all sources of a slice and its neighbours."""
        slices = 2 * self.context + 1
        return slices * sum(source.channels for source in self.named_sources.values())

    @property
    def is_random(self) -> bool:
        """Whether the generator has noise or dropout when it translates."""
        settings = self.generator
        return settings.noise or (settings.dropout > 0 and settings.inference_in_training_mode)

    @property
    def _has_no_sides(self) -> bool:
        """Whether the model may translate the mirror image of a head."""
        encodings = (*self.named_sources.values(), self.target)
        return all(is_mirror_symmetric(encoding) for encoding in encodings)

    @property
    def _has_several_answers(self) -> bool:
        """Whether the uncertainty can be computed: from planes, weights, mirror images or noise."""
        has_several = (
            len(self.planes) > 1 or self.further_weights or self.is_random or self._has_no_sides
        )
        return bool(has_several) and isinstance(self.target, Window)

    def card(self) -> ModelCard:
        """Return the card of the model for the tool."""
        details = {"histogram": self.histogram.identity()} if self.histogram else {}
        return ModelCard(
            name=self.name,
            version=self.version,
            sources=self.named_sources,
            target=self.target,
            output=self.output,
            weights_sha256=self.weights.sha256,
            options=tuple(self._list_options()),
            details=details,
            note=self._note,
        )

    def _list_options(self) -> Iterator[Option]:
        """Yield the options of the model."""
        yield plane_option(self.planes)
        if self.texture is not None:
            yield Option(
                name="texture",
                help="Choose from 0, smooth and closest to the truth on average, to 1, textured "
                "like a scan.",
                default=self.texture,
                minimum=0,
                maximum=1,
            )
        yield Option(
            name="precision",
            help="Choose the arithmetic: bfloat16 is faster on processors that support it, auto "
            "uses it only there.",
            default="float32",
            choices=("float32", "bfloat16", "auto"),
        )
        if self._has_several_answers:
            yield uncertainty_option()
        if self._has_no_sides:
            yield flip_option()


@dataclass(frozen=True)
class StoredModel:
    """The checked content that a model folder holds, with one of its weights.

    Args:
        file: The content of ``model.json``.
        weights: The weights of the textured end, by name.
        smooth: The weights of the smooth end, by name; empty if there is none.
    """

    file: ModelFile
    weights: Weights
    smooth: Weights

    def blend(self, texture: float) -> Weights:
        """Return weights between the smooth end, 0, and the textured one, 1.

        See section 3.4 of ESRGAN, arXiv 1809.00219.
        """
        if not self.smooth or texture == 1:
            return self.weights
        blended = {}
        for name, textured in self.weights.items():
            smooth = self.smooth[name].astype(np.float32)
            blended[name] = smooth + np.float32(texture) * (textured - smooth)
        return blended


def write_model(
    folder: Path,
    weights: Weights,
    smooth: Weights,
    further: Sequence[StoredModel] = (),
    **fields: Any,  # noqa: ANN401
) -> None:
    """Write a model folder: first the weights, then the ``model.json`` with their checksum.

    Args:
        folder: The folder; it is created if needed.
        weights: The weights by name.
        smooth: The weights of the smooth end of texture, with the same names; empty if there is
            none.
        further: Models whose weights are stored too, as further weights.
        fields: The other fields of `ModelFile`.

    Raises:
        NotFiniteWeightsError: If a weight is not finite.
        OSError: If a file cannot be written.
    """
    stored = pack(weights, smooth)
    for number, model in enumerate(further, start=1):
        stored |= pack(model.weights, model.smooth, find_prefix(number))
    for weight in stored.values():
        if not np.isfinite(weight).all():
            raise NotFiniteWeightsError(folder)
    data = safetensors.numpy.save(stored)
    weights_file = WeightsFile(
        bytes=len(data),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    fields["further_weights"] = len(further)
    file = ModelFile(weights=weights_file, **fields)
    text = file.model_dump_json(indent=2, exclude=file.unused) + "\n"
    folder.mkdir(parents=True, exist_ok=True)
    # A folder without a model.json is no model, so an interruption leaves nothing that loads.
    write_atomically(folder / WEIGHTS, data)
    write_atomically(folder / MODEL_JSON, text.encode())


def read_model_file(folder: Path) -> ModelFile:
    """Read the ``model.json`` of a model folder, without the weights.

    Raises:
        ModelFolderError: If it does not describe a Pix2Pix model.
    """
    path = folder / MODEL_JSON
    data = _read_bytes(path, _MAX_JSON)
    require_unique_keys(data, path)
    try:
        return ModelFile.model_validate_json(data)
    except ValidationError as error:
        found = describe_wrong_file(error)
        raise ModelFolderError(path, expected="a Pix2Pix model", found=found) from None


def read_model(folder: Path, number: int = 0) -> StoredModel:
    """Read a model folder, and check that its weights are whole, finite and consistent.

    Args:
        folder: The model folder.
        number: Which of its weights to return, from 0 for the first.

    Raises:
        ModelFolderError: If a file is not as it was written.
    """
    file = read_model_file(folder)
    path = folder / WEIGHTS
    stored = split(_read_weights(path, file.weights))
    prefixes = {find_prefix(index) for index in range(1 + file.further_weights)}
    if stored.keys() != prefixes:
        expected = f"the weights of {len(prefixes)} networks"
        raise ModelFolderError(path, expected=expected, found=f"those of {len(stored)}")
    weights = stored[find_prefix(number)]
    smooth = {
        name.removeprefix(SMOOTH): weights.pop(name)
        for name in list(weights)
        if name.startswith(SMOOTH)
    }
    _require_ends(file, weights, smooth, path)
    return StoredModel(file, weights, smooth)


def _require_ends(file: ModelFile, weights: Weights, smooth: Weights, path: Path) -> None:
    """Raise `ModelFolderError` unless weights have a smooth end exactly if there is a texture."""
    if file.texture is None:
        if smooth:
            raise ModelFolderError(path, expected="no smooth weights", found="others")
    elif not smooth or _list_shapes(weights) != _list_shapes(smooth):
        raise ModelFolderError(
            path,
            expected="smooth and textured weights of the same shapes",
            found="others",
        )


def _read_weights(path: Path, file: WeightsFile) -> dict[str, NDArray[Any]]:
    """Return the weights by name, checking size, checksum and finiteness."""
    data = _read_bytes(path, file.bytes)
    if hashlib.sha256(data).hexdigest() != file.sha256:
        expected = f"{file.bytes} bytes with SHA-256 {file.sha256[:12]}..."
        raise ModelFolderError(path, expected=expected, found="others")
    try:
        weights = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise ModelFolderError(path, expected="safetensors", found=str(error)) from None
    for name, weight in weights.items():
        if not np.isfinite(weight).all():
            found = f"NaN or Inf in {name}"
            raise ModelFolderError(path, expected="finite weights", found=found)
    return weights


def _list_shapes(weights: Weights) -> dict[str, tuple[int, ...]]:
    return {name: weight.shape for name, weight in weights.items()}


def _read_bytes(path: Path, limit: int) -> bytes:
    """Return the content of a regular file of at most ``limit`` bytes."""
    if not path.is_file():
        raise ModelFolderError(path, expected="a file of a model folder", found="no such file")
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise ModelFolderError(path, expected=f"at most {limit} bytes", found="more")
    return data
