"""Describe the data of a training."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ..image.label_sets import OASIS
from ..image.labels import LabelSet
from ..image.volume import Content


@dataclass(frozen=True, kw_only=True)
class TrainingData:
    """What the sources and the target of a training hold, according to its settings.

    Args:
        sources: The content of each source by name, that of `Subject.source` first. Empty if the
            settings do not say; then the values of each volume decide.
        target: The content of the target; None if the settings do not say.
        label_set: The label set that label maps are converted to.
    """

    sources: Mapping[str, Content] = field(default_factory=dict)
    target: Content | None = None
    label_set: LabelSet = OASIS

    @property
    def source(self) -> Content | None:
        """The content of the first source, or None if it is not known."""
        return next(iter(self.sources.values()), None)

    @property
    def further_label_maps(self) -> list[str]:
        """The names of the further sources that are label maps."""
        further = list(self.sources.items())[1:]
        return [name for name, content in further if content == "labels"]
