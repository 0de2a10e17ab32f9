"""Whether a scan shows more than a brain.

Tissues can be told apart by their intensities in a brain alone. The signs of more were looked for in thirteen brains,
T1w, T2w, PD and FLAIR, none of which has one: at most 1.92 litres are not background, all faces of the volume are 0,
and from the rim inwards a T1w brain gets brighter, while fat, skull and brain are bright, dark and bright.
"""

from __future__ import annotations

import math

import numpy as np

from .regions import grown, outer_faces, reached_from_the_faces
from .volume import Mask, Volume, Voxels

# Anything smaller is no head, and nothing can be said about it.
_SMALLEST_ML = 10.0
_LARGEST_BRAIN_ML = 2500.0
# How deep fat lies, and the bone below it.
_RIM_MM = 8.0
_SKULL_MM = 18.0
# Shares of the median intensity; the last, of the bright layer's.
_BRIGHT = 0.7
_DARK = 0.6
_DROP = 0.5
_VOXELS = 2**22  # that are looked at
_FEWEST = 50  # voxels of a layer that says something


def find_skull_sign(volume: Volume) -> str:
    """Return what shows that a volume holds more than a brain, such as its size; empty if nothing does.

    Args:
        volume: An image whose background is 0.
    """
    mask = volume.voxels != 0
    millilitres = np.count_nonzero(mask) * math.prod(volume.geometry.spacing) / 1000
    if millilitres < _SMALLEST_ML:
        return ""
    faces = outer_faces(mask.shape)
    full = sum(np.count_nonzero(mask[face]) > mask[face].size / 2 for face in faces)
    if full > len(faces) / 2:
        return "no background of 0 around it"
    if millilitres > _LARGEST_BRAIN_ML:
        return f"{millilitres / 1000:.1f} litres that are not background"
    if _has_a_dark_layer_below_a_bright_one(volume, mask):
        return "a bright rim with a dark layer below it, as fat and skull are"
    return ""


def _has_a_dark_layer_below_a_bright_one(volume: Volume, mask: Mask) -> bool:
    step = math.ceil((mask.size / _VOXELS) ** (1 / 3))
    voxels = volume.voxels[::step, ::step, ::step]
    inside = mask[::step, ::step, ::step]
    if not inside.any():
        return False
    darkest, median = (float(value) for value in np.percentile(voxels[inside], [1, 50]))
    if median <= darkest:
        return False
    thickness = step * float(np.mean(volume.geometry.spacing))
    count = math.ceil(_SKULL_MM / thickness)
    layers = [(layer - darkest) / (median - darkest) for layer in _layers(voxels, inside, count)]
    for index, bright in enumerate(layers[: math.ceil(_RIM_MM / thickness)]):
        below = min(layers[index + 1 :], default=bright)
        if bright > _BRIGHT and below < min(_DARK, _DROP * bright):
            return True
    return False


def _layers(voxels: Voxels, inside: Mask, count: int) -> list[float]:
    """Return the median of each layer of voxels from the outside inwards; holes that are 0 belong to the inside."""
    outside = reached_from_the_faces(~inside)
    medians = []
    for _ in range(count):
        wider = grown(outside)
        layer = wider & ~outside
        if np.count_nonzero(layer) < _FEWEST:
            break
        medians.append(float(np.median(voxels[layer])))
        outside = wider
    return medians
