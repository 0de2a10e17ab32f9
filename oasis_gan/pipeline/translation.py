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
from .errors import NotFiniteError, SourceNotGivenError, WrongAnswerError


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
        raise WrongAnswerError(card.name, "a Translation", type(answer).__name__)
    first = next(iter(cleaned.values()))
    for name, volume in {VOLUME: answer.volume, **answer.maps}.items():
        if not re.fullmatch("[A-Za-z0-9]+", name):
            raise WrongAnswerError(card.name, "maps named in letters and digits", name)
        _require_volume_of_numbers(volume, first, card, name)
        if not np.isfinite(volume.voxels).all():
            raise NotFiniteError(where)
    return answer


def _clean_sources(
    sources: Mapping[str, Volume], card: ModelCard, where: object
) -> dict[str, CleanVolume]:
    """Return the sources in the order of the card, with values that the model's encodings know."""
    for name in card.sources:
        if name not in sources:
            raise SourceNotGivenError(where, name, card.name)
    cleaned = {
        name: encoding.clean(sources[name], where) for name, encoding in card.sources.items()
    }
    first = next(iter(cleaned.values()))
    for volume in cleaned.values():
        first.geometry.require_same_grid(volume.geometry, where)
    return cleaned


def _require_volume_of_numbers(volume: object, source: Volume, card: ModelCard, name: str) -> None:
    """Raise `WrongAnswerError` unless an answer holds real numbers on the grid of its source."""
    if not isinstance(volume, Volume):
        raise WrongAnswerError(card.name, f"a Volume as {name}", type(volume).__name__)
    grid = source.geometry
    found = volume.geometry
    if found.shape != grid.shape or not np.array_equal(found.affine, grid.affine):
        expected = f"{name} on the grid of the source, {grid.shape} {grid.orientation}"
        raise WrongAnswerError(card.name, expected, f"{found.shape} {found.orientation}")
    datatype = volume.voxels.dtype
    if datatype.kind not in "iuf":
        raise WrongAnswerError(card.name, f"{name} in real numbers", str(datatype))
