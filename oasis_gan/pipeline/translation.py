"""Translating one volume: cut, encode, fit, translate, bring back, decode, join."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from ..errors import OasisGanError
from ..image.canvas import Fit
from ..image.choices import Plane
from ..image.intensity import Window
from ..image.labels import LabelSet
from ..image.slicing import SliceStack, cut, join
from ..image.volume import Channels, Mask, Volume
from ..plugin.models import Translator

BATCH = 8
"""Slices that are in flight at once: enough to keep the cores busy, few enough to stay small."""


def translate(
    volume: Volume,
    translator: Translator,
    planes: Sequence[Plane | str],
    where: object = "volume",
    advance: Callable[[float], None] = lambda fraction: None,
) -> Volume:
    """Return ``volume`` translated slice by slice, on its own grid, as float32.

    What is background in the source is exactly 0 in the result. Slices without anything in them are not computed.

    Args:
        volume: What the translator's card calls its source: label values, or intensities.
        translator: A trained model.
        planes: In which to slice, also by name; with more than one each voxel is the mean of what they make of it.
        where: What to call the volume in an error.
        advance: Called with the fraction that is done, after each batch of slices.

    Raises:
        OasisGanError: If the volume holds what the model was not trained on or is too large for a canvas, or the model
            gives no finite answer.
    """
    card = translator.card
    planes = _known_planes(planes)
    source = card.source.clean(volume, where)
    contrast, support = card.source.fitted(source.voxels), card.source.support(source.voxels)
    channels = np.zeros((*source.geometry.shape, card.target.channels), np.float32)
    for done, plane in enumerate(planes):
        stack = cut(source.voxels, source.geometry, plane)
        fit = Fit.around(card.source.support(stack.slices), stack.spacing, card.canvas, where)
        generated = _generated(stack, fit, translator, contrast, partial(_advance, advance, done, len(planes)))
        channels += join(stack.with_slices(generated))
    voxels = np.zeros(source.geometry.shape, np.float32)
    made = channels[support] / np.float32(len(planes))
    if card.histogram and isinstance(card.source, LabelSet):
        made = card.histogram.matched(made[:, 0], source.voxels[support], card.source)[:, np.newaxis]
    voxels[support] = card.target.decode(made)
    if not np.isfinite(voxels).all():
        raise OasisGanError(where, expected="finite voxels from the model", found="NaN or Inf", remedy="train it again")
    return Volume(voxels, source.geometry, source.notes)


def _known_planes(planes: Sequence[Plane | str]) -> tuple[Plane, ...]:
    """Return planes that may be given by name."""
    names = [planes] if isinstance(planes, str) else list(planes)
    known = {plane.value: plane for plane in Plane}
    wrong = [str(name) for name in names if name not in known]
    if wrong or not names:
        expected, found = f"some of {', '.join(known)}", ", ".join(wrong) or "none"
        raise OasisGanError("planes", expected=expected, found=found, remedy="name the planes to slice in")
    return tuple(known[name] for name in names)


def _advance(advance: Callable[[float], None], done: int, of: int, part: float) -> None:
    """Pass on how far a plane is, as a part of all planes."""
    advance((done + part) / of)


def _generated(
    stack: SliceStack, fit: Fit, translator: Translator, contrast: LabelSet | Window, advance: Callable[[float], None]
) -> Channels:
    """Return what the model makes of a stack: (slices, rows, columns, target channels) in [0, 1]."""
    card = translator.card
    support = card.source.support(stack.slices)
    occupied = np.flatnonzero(support.any(axis=(1, 2)))
    result = np.zeros((*stack.slices.shape, card.target.channels), np.float32)
    for first in range(0, len(occupied), BATCH):
        batch = occupied[first : first + BATCH]
        encoded = fit.apply(contrast.encode(stack.slices[batch]))
        wanted = fit.wanted(support[batch])
        # What a model gives elsewhere must not reach the result, not even as the end that undoing cuts off at.
        result[batch] = fit.undo(np.where(wanted[..., np.newaxis], _answer(translator, encoded, wanted), 0))
        advance(min(first + BATCH, len(occupied)) / len(occupied))
    return result


def _answer(translator: Translator, encoded: Channels, mask: Mask) -> Channels:
    """Return what the model makes of a batch of slices, once it has the shape and the type that it should.

    Raises:
        OasisGanError: If it has not: NumPy would spread a single number over a whole slice without a word.
    """
    card = translator.card
    answer = np.asarray(translator.translate(encoded, mask))
    expected = (*encoded.shape[:3], card.target.channels)
    if answer.shape != expected:
        raise _wrong_answer(card.name, f"an answer of shape {expected}", str(answer.shape))
    if answer.dtype.kind in "OcSUMm":
        raise _wrong_answer(card.name, "an answer in real numbers", str(answer.dtype))
    return answer.astype(np.float32, copy=False)


def _wrong_answer(model: str, expected: str, found: str) -> OasisGanError:
    return OasisGanError(f"model {model}", expected=expected, found=found, remedy="fix the model, or its plugin")
