"""Tell whether an image shows more than a brain.

Intensities tell tissues apart in a skull-stripped image only. Thirteen brains in T1w, T2w, PD and
FLAIR show none of the signs of a skull: at most 1.92 litres are not background, all faces of the
volume are 0, and a T1w brain gets brighter from the rim inwards, while fat, skull and brain are
bright, dark and bright.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from .regions import count_voxels, dilate, flood_from_faces, measure_face_shares
from .volume import Mask, Volume, Voxels

_MIN_HEAD_ML = 10.0  # anything smaller is no head
_MAX_BRAIN_ML = 2500.0
_RIM_MM = 8.0  # how deep fat lies
_SKULL_MM = 18.0  # how deep bone lies
# Shares of the median intensity.
_BRIGHT = 0.7
_DARK = 0.6
_DROP = 0.5  # share of the intensity of the bright layer
_MAX_VOXELS = 2**22  # more are subsampled
_MIN_LAYER = 50  # voxels: the median of fewer says nothing


def find_skull_sign(volume: Volume) -> str:
    """Return what shows that a volume holds more than a brain, such as its size, or an empty text.

    Args:
        volume: An image whose background is 0.
    """
    mask = volume.voxels != 0
    voxel_mm3 = math.prod(volume.geometry.spacing)
    millilitres = count_voxels(mask) * voxel_mm3 / 1000
    if millilitres < _MIN_HEAD_ML:
        return ""
    shares = measure_face_shares(mask)
    full = sum(share > 0.5 for share in shares)
    if full > len(shares) / 2:
        return "no background of 0 around it"
    if millilitres > _MAX_BRAIN_ML:
        return f"{millilitres / 1000:.1f} litres that are not background"
    if _has_dark_layer_below_bright(volume, mask):
        return "a bright rim with a dark layer below it, as fat and skull are"
    return ""


def _has_dark_layer_below_bright(volume: Volume, mask: Mask) -> bool:
    excess = mask.size / _MAX_VOXELS
    step = math.ceil(excess ** (1 / 3))
    voxels = volume.voxels[::step, ::step, ::step]
    sample = mask[::step, ::step, ::step]
    if not sample.any():
        return False
    spacing = float(np.mean(volume.geometry.spacing))
    thickness = step * spacing
    skull_layers = math.ceil(_SKULL_MM / thickness)
    rim_layers = math.ceil(_RIM_MM / thickness)
    layers = _measure_layers(voxels, sample, skull_layers)
    return _drops_below_rim(layers, rim_layers)


def _measure_layers(voxels: Voxels, mask: Mask, count: int) -> list[float]:
    """Return the intensity of each layer of voxels, from the outside inwards.

    It is a median, on a scale where the darkest voxels are 0 and the median of all is 1. Holes
    in the mask count as part of the head. A volume without contrast has no layers.
    """
    percentiles = np.percentile(voxels[mask], [1, 50])
    darkest, median = percentiles.tolist()
    if median <= darkest:
        return []
    outside = flood_from_faces(~mask)
    layers = []
    for _ in range(count):
        wider = dilate(outside)
        layer = wider & ~outside
        if count_voxels(layer) < _MIN_LAYER:
            break
        intensity = float(np.median(voxels[layer]))
        layers.append((intensity - darkest) / (median - darkest))
        outside = wider
    return layers


def _drops_below_rim(layers: Sequence[float], rim: int) -> bool:
    """Return whether a bright layer among the first few has a dark one below it."""
    for index, bright in enumerate(layers[:rim]):
        inner = layers[index + 1 :]
        darkest = min(inner, default=bright)
        is_dark = darkest < min(_DARK, _DROP * bright)
        if bright > _BRIGHT and is_dark:
            return True
    return False
