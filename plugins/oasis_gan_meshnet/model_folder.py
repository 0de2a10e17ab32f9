"""A MeshNet model on disk has a description in ``model.json``, and ``weights.safetensors``."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
import safetensors
import safetensors.numpy
from numpy.typing import NDArray
from oasis_gan_keras import Settings, describe_wrong_file, require_shapes
from pydantic import Field, ValidationError, field_validator

from oasis_gan import Label, LabelSet, ModelCard, require_unique_keys

from .errors import ChecksumError, LabelCountError, UnusableModelError
from .scaling import ScaledIntensities

MODEL_JSON = "model.json"
WEIGHTS = "weights.safetensors"
_MAX_MODEL_JSON = 2**20  # bytes
_MAX_WEIGHTS = 2**26  # bytes

Weights = Mapping[str, NDArray[np.float32]]
Shape = tuple[int, ...]
Names = tuple[str, ...]


class Layer(Settings):
    """A 3-D convolution with a bias; all layers but the last are followed by an ELU.

    The padding is ``same``; the kernel is (kernel, kernel, kernel, channels in, filters).
    """

    name: str = Field(pattern=r"^[a-z0-9_]+$", max_length=64)
    kernel: Literal[1, 3]
    dilation: int = Field(ge=1, le=32)
    filters: int = Field(ge=1, le=256)

    @property
    def reach(self) -> int:
        """Return how many voxels to each side affect a voxel of the output."""
        return self.kernel // 2 * self.dilation


Layers = tuple[Layer, ...]


class WeightsFile(Settings):
    """The file that holds the weights, with its size and checksum."""

    file: Literal["weights.safetensors"] = "weights.safetensors"
    bytes: int = Field(gt=0, le=_MAX_WEIGHTS)
    sha256: str = Field(pattern="^[0-9a-f]{64}$")


class ModelFile(Settings):
    """What ``model.json`` holds.

    ``labels`` are the names of the network's outputs in their order; the first is background.
    """

    format: Literal[1] = 1
    kind: Literal["meshnet"] = "meshnet"
    name: str = Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)
    version: str = Field(pattern=r"^[A-Za-z0-9.+-]+$", max_length=100)
    layers: Layers = Field(min_length=1, max_length=64)
    label_set: str = Field(pattern=r"^[A-Za-z0-9._-]+$", max_length=100)
    labels: Names = Field(min_length=2, max_length=256)
    weights: WeightsFile
    origin: str = Field(max_length=1000)

    @field_validator("layers")
    @classmethod
    def _require_distinct_names(cls, layers: Layers) -> Layers:
        """Refuse two layers of one name, which would share their weights."""
        names = {layer.name for layer in layers}
        if len(names) < len(layers):
            raise ValueError("layers of distinct names")
        return layers

    @field_validator("labels")
    @classmethod
    def _require_distinct_labels(cls, labels: Names) -> Names:
        """Refuse labels that nobody could tell apart, or that would not fit into a table."""
        distinct = {label for label in labels if label.isprintable() and label.strip()}
        if len(distinct) < len(labels):
            raise ValueError("labels of distinct, printable names")
        return labels

    def make_label_set(self) -> LabelSet:
        """Return what the values of an output mean."""
        structures = enumerate(self.labels[1:], start=1)
        labels = [Label(value, name) for value, name in structures]
        return LabelSet(name=self.label_set, labels=tuple(labels))

    def card(self) -> ModelCard:
        """Return what the tool has to know."""
        return ModelCard(
            name=self.name,
            version=self.version,
            sources={"t1w": ScaledIntensities()},
            target=self.make_label_set(),
            output="dseg",
            weights_sha256=self.weights.sha256,
        )

    def list_weight_shapes(self) -> dict[str, Shape]:
        """Return the shape of each weight, by name."""
        shapes: dict[str, Shape] = {}
        channels = 1
        for layer in self.layers:
            size = layer.kernel
            filters = layer.filters
            shapes[f"{layer.name}/kernel"] = (size, size, size, channels, filters)
            shapes[f"{layer.name}/bias"] = (filters,)
            channels = filters
        return shapes


def read_model_file(folder: Path) -> ModelFile:
    """Read what a model folder says of itself, without its weights.

    Raises:
        OasisGanError: If it is no MeshNet model.
    """
    path = folder / MODEL_JSON
    data = _read(path, _MAX_MODEL_JSON)
    require_unique_keys(data, path)
    try:
        model = ModelFile.model_validate_json(data)
    except ValidationError as error:
        found = describe_wrong_file(error)
        raise UnusableModelError(path, "a MeshNet model", found) from None
    _require_a_channel_for_each_label(model, path)
    return model


def read_weights(folder: Path, model: ModelFile) -> Weights:
    """Read the weights of a model: their size, checksum, names, shapes and values are checked.

    Raises:
        OasisGanError: If anything is not as the model says.
    """
    path = folder / WEIGHTS
    published = model.weights
    data = _read(path, published.bytes)
    if hashlib.sha256(data).hexdigest() != published.sha256:
        raise ChecksumError(path, published.bytes, published.sha256)
    weights = _parse_weights(path, data)
    require_shapes(model.list_weight_shapes(), weights, path)
    return weights


def _require_a_channel_for_each_label(model: ModelFile, path: Path) -> None:
    filters = model.layers[-1].filters
    labels = len(model.labels)
    if labels != filters:
        raise LabelCountError(path, filters, labels)


def _parse_weights(path: Path, data: bytes) -> Weights:
    """Return arrays of finite float32 numbers."""
    try:
        weights: dict[str, NDArray[Any]] = safetensors.numpy.load(data)
    except (safetensors.SafetensorError, KeyError, ValueError) as error:
        raise UnusableModelError(path, "safetensors", str(error)) from None
    for name, weight in weights.items():
        _require_finite_float32(name, weight, path)
    return weights


def _require_finite_float32(name: str, weight: NDArray[Any], path: Path) -> None:
    if weight.dtype != np.float32:
        raise UnusableModelError(path, "weights in float32", f"{name} in {weight.dtype}")
    if not np.isfinite(weight).all():
        raise UnusableModelError(path, "finite weights", f"NaN or Inf in {name}")


def _read(path: Path, limit: int) -> bytes:
    """Read a regular file of at most ``limit`` bytes."""
    if not path.is_file():
        raise UnusableModelError(path, "a file of a model folder", "no such file")
    with path.open("rb") as file:
        data = file.read(limit + 1)
    if len(data) > limit:
        raise UnusableModelError(path, f"at most {limit} bytes", "more")
    return data
