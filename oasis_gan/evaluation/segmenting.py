"""A model of the registry that segments: an MRI in, labels out, all of it in memory."""

from __future__ import annotations

from dataclasses import dataclass

from ..image.labels import LabelSet
from ..image.volume import Content, Volume
from ..pipeline.translation import translate
from ..plugin.models import ModelCard, Translator
from .errors import BrainMaskMissingError, NoSegmenterError, WrongSourcesError
from .label_maps import LabelMap


@dataclass(frozen=True, eq=False)
class ModelSegmenter:
    """A segmenter that applies one translator to one MRI after the other.

    Args:
        translator: A loaded model that takes one MRI, and possibly a label map that says where
            the brain is.
    """

    translator: Translator

    @property
    def name(self) -> str:
        """Return the name and the version of the model."""
        card = self.translator.card
        return f"{card.name} {card.version}"

    @property
    def reads_brain(self) -> bool:
        """Whether it needs a label map that says where the brain is."""
        return find_brain_source(self.translator.card) is not None

    def segment(
        self,
        image: Volume,
        brain: Volume | None,
        where: object,
    ) -> LabelMap:
        """Return what the model finds in an MRI.

        Args:
            image: The MRI.
            brain: Tissues on the same grid, for a model that has to know where the brain is.
            where: What to call the MRI in an error.

        Raises:
            OasisGanError: If the model cannot segment it.
        """
        card = self.translator.card
        sources = {find_image_source(card): image}
        brain_source = find_brain_source(card)
        if brain_source is not None:
            if brain is None:
                raise BrainMaskMissingError(where, card.name)
            sources[brain_source] = brain
        translation = translate(sources, self.translator, where)
        return LabelMap.of(translation.volume, find_labels(card), where)


def find_labels(card: ModelCard) -> LabelSet:
    """Return the labels that a model makes.

    Raises:
        NoSegmenterError: If it makes none.
    """
    label_set = card.target.label_set
    if label_set is None:
        raise NoSegmenterError(card.name, "one that makes an MRI")
    return label_set


def find_image_source(card: ModelCard) -> str:
    """Return the name of the source of a model that is an MRI.

    Raises:
        WrongSourcesError: If there is none, or several.
    """
    images = _list_sources(card, "image")
    if len(images) != 1:
        raise WrongSourcesError(card.name, card.sources)
    return images[0]


def find_brain_source(card: ModelCard) -> str | None:
    """Return the name of the source that says where the brain is; None if a model needs none.

    Raises:
        WrongSourcesError: If a model takes several label maps.
    """
    maps = _list_sources(card, "labels")
    if len(maps) > 1:
        raise WrongSourcesError(card.name, maps)
    return maps[0] if maps else None


def _list_sources(card: ModelCard, content: Content) -> list[str]:
    """Return the names of the sources that hold images, or labels."""
    return [name for name, source in card.sources.items() if source.content == content]


def require_segmenter(card: ModelCard) -> None:
    """Raise `NoSegmenterError` unless a model takes one MRI and makes labels."""
    find_labels(card)
    find_image_source(card)
    find_brain_source(card)
