"""A Pix2Pix model on disk: a folder with ``model.json`` and its weights; nothing in it is ever executed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from oasis_gan_keras.limits import MAX_CONTEXT, MAX_NAME, MAX_OUTPUT, largest_canvas
from oasis_gan_keras.sentences import describe_expected, find_field
from oasis_gan_keras.settings import Settings, require_unique_planes, setting_error
from oasis_gan_keras.training_settings import SourceName
from pydantic import Field, ValidationError, field_validator, model_validator

from oasis_gan import (
    Canvas,
    Histogram,
    LabelSet,
    ModelCard,
    OasisGanError,
    Option,
    Percentiles,
    Plane,
    Window,
    plane_option,
    require_unique_keys,
    write_atomically,
)

from .recipe import GeneratorSettings

MODEL_JSON, WEIGHTS = "model.json", "weights.safetensors"
_MAX_CARD, _MAX_WEIGHTS = 2**20, 2**30
_LARGEST = 1e30  # intensity that an output may have: float32 holds it, and what is computed of it
_STORED = np.float16  # half the size; the output stays closer to float32 than a scanner's noise
REMEDY = "take a whole copy of the model folder, or train it again"

Source = Annotated[LabelSet | Percentiles | Window, Field(discriminator="kind")]
Target = Annotated[LabelSet | Window, Field(discriminator="kind")]
Weights = Mapping[str, NDArray[Any]]
_SMOOTH = "smooth/"  # what the names of the smooth end's weights begin with


class WeightsFile(Settings):
    """Which file the weights are in, and how to tell that it is the right one."""

    file: Literal["weights.safetensors"] = "weights.safetensors"
    bytes: int = Field(gt=0, le=_MAX_WEIGHTS)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ModelFile(Settings):
    """What ``model.json`` holds."""

    format: Literal[1] = 1
    kind: Literal["pix2pix"] = "pix2pix"
    name: str = Field(max_length=MAX_NAME)
    version: str = Field(max_length=MAX_NAME)
    output: str = Field(pattern=r"^[A-Za-z0-9]+$", max_length=MAX_OUTPUT)
    source: Source | None = None
    sources: dict[SourceName, Source] = Field({})
    target: Target
    planes: tuple[Plane, ...] = Field(min_length=1)
    context: int = Field(0, ge=0, le=MAX_CONTEXT)
    canvas: Canvas
    generator: GeneratorSettings
    texture: float | None = Field(None, ge=0, le=1)
    histogram: Histogram | None = None
    weights: WeightsFile
    training: dict[str, Any]
    software: dict[str, str]

    @field_validator("planes")
    @classmethod
    def _each_once(cls, planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
        """Refuse a plane that is named twice."""
        return require_unique_planes(planes)

    @model_validator(mode="after")
    def _describes_a_model(self) -> Self:
        """Refuse what no model can be, before anything asks for its card or takes memory for its canvas."""
        if (self.source is None) == (not self.sources):
            expected = "one source, or several named ones"
            raise setting_error("source", expected, "both" if self.sources else "none")
        self.card()
        # What is no canvas at all is refused for every kind of model.
        if min(self.canvas.size, self.canvas.multiple) >= 1:
            self._require_canvas()
        if isinstance(self.target, Window) and max(map(abs, self.target.values)) > _LARGEST:
            raise setting_error(
                "target.values", f"intensities of up to {_LARGEST:g}", self.target.values
            )
        return self

    def _require_canvas(self) -> None:
        largest = largest_canvas(
            self.source_channels + self.target.channels + self.generator.full_size_filters
        )
        pixels = self.canvas.pixels(0)
        if pixels > largest:
            raise setting_error(
                "canvas", f"one of up to {largest} pixels for this generator", pixels
            )

    @property
    def _note(self) -> str:
        """What should be known of a model whose training was interrupted."""
        step, steps = self.training.get("step"), self.training.get("steps")
        if (
            self.training.get("finished") is not False
            or not isinstance(step, int)
            or not isinstance(steps, int)
        ):
            return ""
        return f"its training is not finished: trained for {step} of {steps} steps"

    @property
    def unused(self) -> set[str]:
        """The fields that are left out when the file is written: earlier versions do not know them."""
        fields = {"source": self.source, "sources": self.sources, "context": self.context}
        return {name for name, value in fields.items() if not value}

    @property
    def named_sources(self) -> dict[str, Source]:
        """What goes in, by name, in the order of channels. A single source is called ``labels`` or ``image``."""
        return self.sources if self.source is None else {self.source.content: self.source}

    @property
    def source_channels(self) -> int:
        """Channels that the generator reads: all sources of a slice and of its neighbours on each side."""
        return (2 * self.context + 1) * sum(
            source.channels for source in self.named_sources.values()
        )

    def card(self) -> ModelCard:
        """Return what the tool has to know."""
        return ModelCard(
            name=self.name,
            version=self.version,
            sources=self.named_sources,
            target=self.target,
            output=self.output,
            weights_sha256=self.weights.sha256,
            options=tuple(self._options()),
            details={"histogram": self.histogram.identity()} if self.histogram else {},
            note=self._note,
        )

    def _options(self) -> Iterator[Option]:
        """Yield what the user may choose."""
        yield plane_option(self.planes)
        if self.texture is not None:
            yield Option(
                name="texture",
                help="From 0, smooth and closest to the truth on average, to 1, textured like a scan.",
                default=self.texture,
                minimum=0,
                maximum=1,
            )
        yield Option(
            name="precision",
            help="Arithmetic: bfloat16 is faster on processors that support it, auto uses it only there.",
            default="float32",
            choices=("float32", "bfloat16", "auto"),
        )


@dataclass(frozen=True)
class StoredModel:
    """A model folder's content, checked."""

    file: ModelFile
    weights: Weights
    smooth: Weights

    def at(self, texture: float) -> Weights:
        """Return the weights between the smooth end, 0, and the textured one, 1 (ESRGAN, arXiv 1809.00219, 3.4)."""
        if not self.smooth or texture == 1:
            return self.weights
        ends = {
            name: (self.smooth[name].astype(np.float32), self.weights[name])
            for name in self.weights
        }
        return {
            name: smooth + np.float32(texture) * (textured - smooth)
            for name, (smooth, textured) in ends.items()
        }


def write_model(folder: Path, weights: Weights, smooth: Weights, **fields: Any) -> None:  # noqa: ANN401
    """Write a model folder: the weights first, then the card that vouches for them.

    Args:
        folder: Made if it is not there.
        weights: By name.
        smooth: Those of the smooth end of texture, of the same names; empty if there is none.
        fields: The other fields of `ModelFile`.

    Raises:
        OasisGanError: If a weight is not finite.
        OSError: As the file system says.
    """
    both = {**weights, **{f"{_SMOOTH}{name}": weight for name, weight in smooth.items()}}
    stored = {name: np.asarray(weight, _STORED) for name, weight in both.items()}
    if not all(np.isfinite(weight).all() for weight in stored.values()):
        remedy = "lower the learning rate and train again"
        raise OasisGanError(folder, expected="finite weights", found="NaN or Inf", remedy=remedy)
    data = safetensors.numpy.save(stored)
    vouched = WeightsFile(bytes=len(data), sha256=hashlib.sha256(data).hexdigest())
    model = ModelFile(weights=vouched, **fields)
    folder.mkdir(parents=True, exist_ok=True)
    write_atomically(folder / WEIGHTS, data)
    write_atomically(
        folder / MODEL_JSON, (model.model_dump_json(indent=2, exclude=model.unused) + "\n").encode()
    )


def read_model_file(folder: Path) -> ModelFile:
    """Read what a model folder says of itself, without its weights.

    Raises:
        OasisGanError: If it is no Pix2Pix model.
    """
    path = folder / MODEL_JSON
    data = _bytes(path, _MAX_CARD)
    require_unique_keys(data, path)
    try:
        return ModelFile.model_validate_json(data)
    except ValidationError as error:
        details = error.errors()[0]
        field = find_field(details) or "the file"
        found = f"{field}, where {describe_expected(details)} was expected"
        if details["type"] == "extra_forbidden":
            found = f"{field}, which no such model has"
        raise OasisGanError(path, expected="a Pix2Pix model", found=found, remedy=REMEDY) from None


def read_model(folder: Path) -> StoredModel:
    """Read a model folder, checking size, checksum and finiteness.

    Raises:
        OasisGanError: If anything in it is not as it was written.
    """
    model, path = read_model_file(folder), folder / WEIGHTS
    data = _bytes(path, model.weights.bytes)
    if hashlib.sha256(data).hexdigest() != model.weights.sha256:
        expected = f"{model.weights.bytes} bytes with SHA-256 {model.weights.sha256[:12]}..."
        raise OasisGanError(path, expected=expected, found="others", remedy=REMEDY)
    try:
        weights = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise OasisGanError(path, expected="safetensors", found=str(error), remedy=REMEDY) from None
    strange = [name for name, weight in weights.items() if not np.isfinite(weight).all()]
    if strange:
        raise OasisGanError(
            path, expected="finite weights", found=f"NaN or Inf in {strange[0]}", remedy=REMEDY
        )
    smooth = {
        name.removeprefix(_SMOOTH): weights.pop(name)
        for name in list(weights)
        if name.startswith(_SMOOTH)
    }
    shapes = [{name: weight.shape for name, weight in end.items()} for end in (weights, smooth)]
    if (model.texture is not None) != bool(smooth) or (smooth and shapes[0] != shapes[1]):
        expected = (
            "two ends of texture, alike"
            if model.texture is not None
            else "weights without a smooth end"
        )
        raise OasisGanError(path, expected=expected, found="others", remedy=REMEDY)
    return StoredModel(model, weights, smooth)


def _bytes(path: Path, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes."""
    if not path.is_file():
        raise OasisGanError(
            path, expected="a file of a model folder", found="no such file", remedy=REMEDY
        )
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise OasisGanError(path, expected=f"at most {limit} bytes", found="more", remedy=REMEDY)
    return data
