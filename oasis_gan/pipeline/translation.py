"""Translating the volumes of one subject, and checking what the model makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ..errors import OasisGanError
from ..image.volume import CleanVolume, Volume
from ..plugin.models import (
    VOLUME,
    ModelCard,
    Progress,
    Translation,
    Translator,
    ignore_progress,
)


def translate(
    sources: Mapping[str, Volume],
    translator: Translator,
    where: object = VOLUME,
    progress: Progress = ignore_progress,
) -> Translation:
    """Return what a model makes of the volumes of one subject, on the grid of the first one.

    Args:
        sources: A volume for each source of the model's card.
        translator: A trained model.
        where: What to call the volumes in an error.
        progress: Called with the fraction that is done.

    Raises:
        OasisGanError: If a source is missing, lies on another grid, or holds values that the model
            was not trained on, or if the model's answer is not on that grid or not finite.
    """
    card = translator.card
    cleaned = _clean_sources(sources, card, where)
    try:
        answer: object = translator.translate(cleaned, progress)
    except OasisGanError as error:
        # The model does not know what the volume is called.
        if error.where == VOLUME:
            raise error.at(where) from None
        raise
    if not isinstance(answer, Translation):
        raise _wrong_answer(card, "a Translation", type(answer).__name__)
    first = next(iter(cleaned.values()))
    for name, volume in {VOLUME: answer.volume, **answer.maps}.items():
        if not re.fullmatch("[A-Za-z0-9]+", name):
            raise _wrong_answer(card, "maps named in letters and digits", name)
        _require_volume_of_numbers(volume, first, card, name)
        if not np.isfinite(volume.voxels).all():
            remedy = "train it again"
            raise OasisGanError(
                where, expected="finite voxels from the model", found="NaN or Inf", remedy=remedy
            )
    return answer


def _clean_sources(
    sources: Mapping[str, Volume], card: ModelCard, where: object
) -> dict[str, CleanVolume]:
    """Return the sources in the order of the card, with values that the model's encodings know."""
    missing = [name for name in card.sources if name not in sources]
    if missing:
        expected = f"the source {missing[0]} of {card.name}"
        remedy = "name a file for each source of the model"
        raise OasisGanError(where, expected=expected, found="none", remedy=remedy)
    cleaned = {
        name: encoding.clean(sources[name], where) for name, encoding in card.sources.items()
    }
    first = next(iter(cleaned.values()))
    for volume in cleaned.values():
        first.geometry.require_same_grid(volume.geometry, where)
    return cleaned


def _require_volume_of_numbers(volume: object, source: Volume, card: ModelCard, name: str) -> None:
    """Raise `OasisGanError` unless an answer is a volume of real numbers on the grid of its source."""
    if not isinstance(volume, Volume):
        raise _wrong_answer(card, f"a Volume as {name}", type(volume).__name__)
    ours = source.geometry
    theirs = volume.geometry
    if theirs.shape != ours.shape or not np.array_equal(theirs.affine, ours.affine):
        expected = f"{name} on the grid of the source, {ours.shape} {ours.orientation}"
        raise _wrong_answer(card, expected, f"{theirs.shape} {theirs.orientation}")
    if volume.voxels.dtype.kind not in "iuf":
        raise _wrong_answer(card, f"{name} in real numbers", str(volume.voxels.dtype))


def _wrong_answer(card: ModelCard, expected: str, found: str) -> OasisGanError:
    remedy = "fix the model, or its plugin"
    return OasisGanError(f"model {card.name}", expected=expected, found=found, remedy=remedy)
