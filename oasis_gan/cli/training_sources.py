"""The sources that a recipe names, and what the subjects of a training hold."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from ..errors import OasisGanError
from ..image.labels import LabelSet
from ..image.volume import Content
from ..plugin.datasets import Scan, Subject
from .further_sources import FLAG, choose_sources
from .source_option import NamedSource

OWNER = "the recipe"
_CONTENTS: Mapping[object, Content] = {"labels": "labels", "image": "image"}


def named_sources(settings: Mapping[str, object]) -> dict[str, object]:
    """Return the sources that a recipe names, with what they hold; none where it has a single one without a name."""
    sources = settings.get("sources")
    return dict(sources) if isinstance(sources, Mapping) else {}


def further_label_maps(settings: Mapping[str, object]) -> list[str]:
    """Return the names of the sources beside the first that a recipe says are label maps."""
    _, *others = named_sources(settings).items() or [("", "")]
    return [name for name, holds in others if holds == "labels"]


def choose_training_sources(
    typed: Sequence[NamedSource], settings: Mapping[str, object]
) -> dict[str, str]:
    """Return where each further source is that a user names.

    Raises:
        OasisGanError: If one is not among the further sources of the recipe, or is named twice.
    """
    names = list(named_sources(settings))
    if typed and not names:
        example = f'sources = {{ first = "image", {typed[0][0]} = "image" }}'
        expected = "a further source of the recipe, which names none"
        raise OasisGanError(
            FLAG, expected=expected, found=typed[0][0], remedy=f"name them there: {example}"
        )
    return choose_sources(typed, names, OWNER) if typed else {}


def prepare_subject(subject: Subject, settings: Mapping[str, object], labels: LabelSet) -> Subject:
    """Return a subject of which is known what it holds, where the settings say so, and whose labels are converted.

    Args:
        subject: As it is listed.
        settings: Of the training.
        labels: The label set that the model is to learn from.
    """
    source = _CONTENTS.get(settings.get("source"))
    target = _CONTENTS.get(settings.get("target"))
    if source and target:
        subject = subject.holding(source, target)
    sources = named_sources(settings)
    return replace(
        subject,
        source=subject.source.in_labels(labels),
        target=subject.target.in_labels(labels) if subject.target else None,
        further={
            name: _prepare(scan, sources.get(name), labels)
            for name, scan in subject.further.items()
        },
    )


def _prepare(scan: Scan, holds: object, labels: LabelSet) -> Scan:
    content = _CONTENTS.get(holds)
    return (scan.holding(content) if content else scan).in_labels(labels)
