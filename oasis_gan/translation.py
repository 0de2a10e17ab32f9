"""Translating one volume: cut, encode, fit, translate, bring back, decode, join."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from .errors import OasisGanError
from .models import Translator
from .resampling import Fit
from .slicing import Plane, cut, join
from .volume import Volume

BATCH = 8
"""Slices that are in flight at once: enough to keep the cores busy, few enough to stay small."""


def translate(
    volume: Volume,
    translator: Translator,
    plane: Plane,
    where: object = "volume",
    advance: Callable[[float], None] = lambda fraction: None,
) -> Volume:
    """Return ``volume`` translated slice by slice, on its own grid, as float32.

    What is background in the source is exactly 0 in the result. Slices without anything in them are not computed.

    Args:
        volume: What the translator's card calls its source: label values, or intensities.
        translator: A trained model.
        plane: In which to slice.
        where: What to call the volume in an error.
        advance: Called with the fraction that is done, after each batch of slices.

    Raises:
        OasisGanError: If the volume holds what the model was not trained on, or the model gives no finite answer.
    """
    card = translator.card
    source = card.source.clean(volume, where)
    stack = cut(source.voxels, source.geometry, plane)
    support = card.source.support(stack.slices)
    fit = Fit.around(support, stack.spacing, card.canvas)
    occupied = np.flatnonzero(support.any(axis=(1, 2)))
    result = np.zeros(stack.slices.shape, np.float32)
    for first in range(0, len(occupied), BATCH):
        batch = occupied[first : first + BATCH]
        generated = translator.translate(fit.apply(card.source.encode(stack.slices[batch])))
        result[batch] = np.where(support[batch], card.target.decode(fit.undo(generated)), 0)
        advance(min(first + BATCH, len(occupied)) / len(occupied))
    if not np.isfinite(result).all():
        raise OasisGanError(where, expected="finite voxels from the model", found="NaN or Inf", remedy="train it again")
    return Volume(join(stack.with_slices(result)), source.geometry, source.notes)
