"""The sources that a recipe names, and what the subjects of a training hold."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..errors import OasisGanError
from ..image.labels import LabelSet
from ..image.volume import Content
from ..plugin.datasets import Scan, Subject
from ..plugin.training_data import TrainingData
from .further_sources import FLAG, choose_sources
from .source_option import NamedSource

OWNER = "the recipe"


def choose_training_sources(typed: Sequence[NamedSource], data: TrainingData) -> dict[str, str]:
    """Return where each further source is that a user names.

    Raises:
        OasisGanError: If one is not among the further sources of the recipe, or is named twice.
    """
    names = list(data.sources)
    if typed and len(names) < 2:
        example = f'sources = {{ first = "image", {typed[0][0]} = "image" }}'
        expected = "a further source of the recipe, which names none"
        raise OasisGanError(
            FLAG, expected=expected, found=typed[0][0], remedy=f"name them there: {example}"
        )
    return choose_sources(typed, names, OWNER) if typed else {}


def prepare_subject(subject: Subject, data: TrainingData) -> Subject:
    """Return a subject of which is known what it holds, where the settings say so, and whose labels are converted.

    Args:
        subject: As it is listed.
        data: What the training learns from.
    """
    if data.source and data.target:
        subject = subject.holding(data.source, data.target)
    labels = data.label_set
    return replace(
        subject,
        source=subject.source.in_labels(labels),
        target=subject.target.in_labels(labels) if subject.target else None,
        further={
            name: _prepare(scan, data.sources.get(name), labels)
            for name, scan in subject.further.items()
        },
    )


def _prepare(scan: Scan, content: Content | None, labels: LabelSet) -> Scan:
    return (scan.holding(content) if content else scan).in_labels(labels)
