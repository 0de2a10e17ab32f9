"""Small MeshNet models, and the shipped one."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_meshnet
import safetensors.numpy
from numpy.typing import NDArray
from oasis_gan_meshnet.model_folder import Layer, Weights

SHIPPED = oasis_gan_meshnet.list_shipped_models()["t1w-to-structures"]
LAYERS = (
    Layer(name="first", kernel=3, dilation=1, filters=4),
    Layer(name="second", kernel=3, dilation=2, filters=5),
    Layer(name="third", kernel=3, dilation=4, filters=4),
    Layer(name="output", kernel=1, dilation=1, filters=3),
)
LABELS = ("Background", "Thalamus", "Lateral-Ventricle")


def make_weights(seed: int = 0) -> Weights:
    """Return weights of `LAYERS` with which no label is everywhere the likeliest."""
    rng = np.random.default_rng(seed)
    weights = {}
    channels = 1
    for layer in LAYERS:
        shape = (layer.kernel, layer.kernel, layer.kernel, channels, layer.filters)
        scale = np.sqrt(2 / np.prod(shape[:4]))
        weights[f"{layer.name}/kernel"] = rng.normal(0, scale, shape).astype(np.float32)
        weights[f"{layer.name}/bias"] = rng.normal(0, 0.1, layer.filters).astype(np.float32)
        channels = layer.filters
    return weights


def save_model(folder: Path, arrays: Weights, **changes: Any) -> Path:  # noqa: ANN401 - any JSON
    """Write a model folder of `LAYERS`, and return it.

    Args:
        folder: Made here.
        arrays: The weights, which ``model.json`` vouches for.
        changes: Fields of ``model.json`` to replace.
    """
    folder.mkdir(parents=True)
    contiguous = {name: np.ascontiguousarray(array) for name, array in arrays.items()}
    data = safetensors.numpy.save(contiguous)
    (folder / "weights.safetensors").write_bytes(data)
    content = {
        "format": 1,
        "kind": "meshnet",
        "name": "tiny",
        "version": "1",
        "layers": [layer.model_dump() for layer in LAYERS],
        "label_set": "tiny-structures",
        "labels": LABELS,
        "weights": {"bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()},
        "origin": "a test",
    }
    (folder / "model.json").write_text(json.dumps({**content, **changes}))
    return folder


def convolve(
    x: NDArray[Any], kernel: NDArray[Any], bias: NDArray[Any], dilation: int
) -> NDArray[Any]:
    """Return the convolution (x, y, z, filters) of (x, y, z, channels): sums over the kernel."""
    reach = kernel.shape[0] // 2 * dilation
    padded = np.pad(x, [(reach, reach)] * 3 + [(0, 0)])
    total = np.zeros((*x.shape[:3], kernel.shape[-1])) + bias
    for offset in np.ndindex(kernel.shape[:3]):
        start = [step * dilation for step in offset]
        x_part, y_part, z_part = (
            slice(first, first + size) for first, size in zip(start, x.shape[:3], strict=True)
        )
        total += padded[x_part, y_part, z_part] @ kernel[offset]
    return np.asarray(total)


def compute_probabilities(volume: NDArray[Any], weights: Weights) -> NDArray[Any]:
    """Return MeshNet's answer for a volume (x, y, z) in float64, computed by NumPy."""
    reach = sum(layer.reach for layer in LAYERS)
    # So wide that what lies beyond it is not seen by any voxel of the volume.
    x = np.pad(volume, reach)[..., np.newaxis].astype(np.float64)
    for layer in LAYERS:
        kernel = weights[f"{layer.name}/kernel"]
        x = convolve(x, kernel, weights[f"{layer.name}/bias"], layer.dilation)
        if layer is not LAYERS[-1]:
            x = np.where(x > 0, x, np.expm1(np.minimum(x, 0)))
    inside = (slice(reach, -reach),) * 3
    exponentials = np.exp(x - x.max(axis=-1, keepdims=True))[inside]
    return np.asarray(exponentials / exponentials.sum(axis=-1, keepdims=True))
