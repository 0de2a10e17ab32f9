"""Translate the volumes of one subject, and check what the model makes of them."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np

from ..errors import OasisGanError
from ..image.volume import CleanVolume, Geometry, Volume
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
        translator: The loaded model.
        where: What to call the volumes in an error.
        progress: Called with the fraction that is done.

    Raises:
        OasisGanError: If a source is missing, lies on another grid, or holds values that the model
            was not trained on, or if the model's answer is not on that grid or not finite.
    """
    model = translator.card.name
    cleaned = _clean_sources(sources, translator.card, where)
    answer = _ask(translator, cleaned, where, progress)
    if not isinstance(answer, Translation):
        raise WrongAnswerError(model, "a Translation", type(answer).__name__)
    grid = next(iter(cleaned.values())).geometry
    for name, volume in {VOLUME: answer.volume, **answer.maps}.items():
        # It becomes part of the name of a file.
        if not re.fullmatch("[A-Za-z0-9]+", name):
            raise WrongAnswerError(model, "maps named in letters and digits", name)
        _require_volume_of_numbers(volume, grid, model, name)
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
    cleaned = {}
    for name, encoding in card.sources.items():
        cleaned[name] = encoding.clean(sources[name], where)
    first = next(iter(cleaned.values()))
    for volume in cleaned.values():
        first.geometry.require_same_grid(volume.geometry, where)
    return cleaned


def _ask(
    translator: Translator,
    sources: Mapping[str, CleanVolume],
    where: object,
    progress: Progress,
) -> object:
    """Return the answer of a model, which may come from a plugin and be of any type."""
    try:
        return translator.translate(sources, progress)
    except OasisGanError as error:
        # The model does not know what the volume is called.
        if error.where == VOLUME:
            raise error.at(where) from None
        raise


def _require_volume_of_numbers(volume: object, grid: Geometry, model: str, name: str) -> None:
    """Raise `WrongAnswerError` unless an answer holds real numbers on the grid of its source."""
    if not isinstance(volume, Volume):
        raise WrongAnswerError(model, f"a Volume as {name}", type(volume).__name__)
    if not _is_same_grid(volume.geometry, grid):
        expected = f"{name} on the grid of the source, {_describe_grid(grid)}"
        raise WrongAnswerError(model, expected, _describe_grid(volume.geometry))
    datatype = volume.voxels.dtype
    if datatype.kind not in "iuf":
        raise WrongAnswerError(model, f"{name} in real numbers", str(datatype))


def _is_same_grid(one: Geometry, other: Geometry) -> bool:
    """Tell whether two grids are equal to the last bit."""
    return one.shape == other.shape and np.array_equal(one.affine, other.affine)


def _describe_grid(grid: Geometry) -> str:
    """Return the shape and the orientation of a grid."""
    return f"{grid.shape} {grid.orientation}"
