"""What a training learns from, as a kind of model tells the tool."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..image.label_sets import OASIS
from ..image.labels import LabelSet
from ..image.volume import Content


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What a training learns from, as its settings have it.

    Args:
        sources: What each source holds, by name; the first is the one that subjects have as their source. Empty where
            the settings do not say: then the values of each volume decide.
        target: What the target holds; None where the settings do not say.
        label_set: The label set that label maps are converted to.
    """

    sources: Mapping[str, Content] = field(default_factory=dict)
    target: Content | None = None
    label_set: LabelSet = OASIS

    @property
    def source(self) -> Content | None:
        """What the first source holds, if that is known."""
        return next(iter(self.sources.values()), None)

    @property
    def further_label_maps(self) -> list[str]:
        """The names of the label maps among the sources beside the first."""
        return [name for name, content in list(self.sources.items())[1:] if content == "labels"]
