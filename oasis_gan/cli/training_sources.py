"""Choose the sources that a recipe names, and prepare the subjects of a training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from ..image.labels import LabelSet
from ..image.volume import Content
from ..plugin.datasets import Scan, Subject
from ..plugin.training_data import TrainingData
from .further_sources import choose_sources
from .source_errors import NoFurtherSourcesError
from .source_option import NamedSource

OWNER = "the recipe"
"""Whose sources a training takes, for errors."""


def choose_training_sources(typed: Sequence[NamedSource], data: TrainingData) -> dict[str, str]:
    """Return the place of each further source that a user names.

    Args:
        typed: What the user typed.
        data: What the training learns from.

    Raises:
        OasisGanError: If the name of a source is repeated, or not in the recipe.
    """
    if not typed:
        return {}
    names = list(data.sources)
    if len(names) < 2:
        first_name, _ = typed[0]
        raise NoFurtherSourcesError(first_name)
    return choose_sources(typed, names, OWNER)


def prepare_subject(subject: Subject, data: TrainingData) -> Subject:
    """Return a subject that holds what the settings say, its labels converted.

    Args:
        subject: The subject as it is listed.
        data: What the training learns from.
    """
    if data.source and data.target:
        subject = subject.with_content(data.source, data.target)
    labels = data.label_set
    further = {
        name: _prepare(scan, data.sources.get(name), labels)
        for name, scan in subject.further.items()
    }
    return replace(
        subject,
        source=subject.source.in_labels(labels),
        target=subject.target.in_labels(labels) if subject.target else None,
        further=further,
    )


def _prepare(scan: Scan, content: Content | None, labels: LabelSet) -> Scan:
    if content is not None:
        scan = scan.with_content(content)
    return scan.in_labels(labels)
