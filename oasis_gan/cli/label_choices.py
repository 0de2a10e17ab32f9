"""What a user says about the values of label maps: those of SOURCE or of the targets, and those of further sources."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..errors import OasisGanError
from ..image.label_advice import LabelAdvice
from ..image.label_sets import LABEL_SETS
from ..image.labels import LabelSet
from ..image.volume import Content
from ..io.label_tables import read_label_table
from ..plugin.datasets import Scan, Subject
from ..plugin.label_meaning import LabelSetFinder
from ..plugin.models import ModelCard
from ..plugin.registry import Registry
from .source_option import NamedSource

SOURCE_LABELS = "--source-labels"


def advise_on_labels(
    registry: Registry, option: str = "`labels`", card: ModelCard | None = None
) -> LabelAdvice:
    """Return how a user says what the values of a label map mean.

    Args:
        registry: The plugins, which bring label sets.
        option: The option to say it with.
        card: A model whose own label sets may be named too, though the plugin that brought them may be gone.
    """
    known = LABEL_SETS.with_sets(*registry[LabelSet])
    encodings = [*card.sources.values(), card.target] if card is not None else []
    return LabelAdvice(option, known.with_sets(*(encoding.label_set for encoding in encodings)))


def label_set_of(name: str, advice: LabelAdvice) -> LabelSet:
    """Return the label set that a user names, or that is in the table at this path.

    Raises:
        OasisGanError: If it is neither, or the table cannot be used.
    """
    known = advice.label_sets.find(name)
    if known is not None:
        return known
    path = Path(name)
    if path.is_file() or path.suffix or path.name != name:
        return read_label_table(path)
    expected = f"one of {', '.join(advice.label_sets)}, or a table (TSV: index, name or tissue)"
    remedy = (
        "name the one your values are of, or with --plugin the file of the plugin that brings it"
    )
    raise OasisGanError(advice.option, expected=expected, found=name, remedy=remedy)


def choose_source_labels(
    typed: Sequence[NamedSource], names: Collection[str], of: str
) -> dict[str, str]:
    """Return what a user calls the label sets of further sources, by the name of the source.

    Args:
        typed: What the user typed.
        names: The further sources that hold labels.
        of: Whose sources they are, for errors.

    Raises:
        OasisGanError: If one is none of these sources, or is named twice.
    """
    chosen: dict[str, str] = {}
    for name, labels in typed:
        if name not in names:
            expected = f"a further source of labels {of} ({', '.join(names) or 'none'})"
            remedy = "name one of these" if names else "leave it out"
            raise OasisGanError(SOURCE_LABELS, expected=expected, found=name, remedy=remedy)
        if name in chosen:
            found = f"{chosen[name]} and {labels}"
            expected = f"one label set for {name}"
            raise OasisGanError(
                SOURCE_LABELS, expected=expected, found=found, remedy="give it once"
            )
        chosen[name] = labels
    return chosen


class LabelMeanings:
    """What the values of the label maps of subjects mean: what a user says, or else what is found beside each file.

    Args:
        advice: How a user says it of SOURCE or of the targets, and the label sets that there are.
        labels: What the user calls the label set of those, if at all.
        source_labels: What the user calls the label sets of further sources, by the name of the source.
        source_is: What SOURCE holds; where that is an image, ``labels`` is said of the targets.

    Raises:
        OasisGanError: If there is no such label set.
    """

    def __init__(
        self,
        advice: LabelAdvice,
        labels: str | None,
        source_labels: Mapping[str, str],
        source_is: Content | None,
    ) -> None:
        self._advice = advice
        self._finder = LabelSetFinder(advice)
        explicit = label_set_of(labels, advice) if labels else None
        self._of_source = explicit if source_is != "image" else None
        self._of_target = explicit if source_is == "image" else None
        self._of_further = {
            name: label_set_of(chosen, _advice_on(name, advice))
            for name, chosen in source_labels.items()
        }
        self._finders: dict[str, LabelSetFinder] = {}

    def describe(self, subject: Subject) -> Subject:
        """Return a subject whose scans know what their values mean, where a user or something beside them says so."""
        target = subject.target
        if target is not None:
            target = self._finder.describe(target, explicit=self._of_target)
        return replace(
            subject,
            source=self._finder.describe(subject.source, explicit=self._of_source),
            target=target,
            further={name: self._describe(name, scan) for name, scan in subject.further.items()},
        )

    def _describe(self, name: str, scan: Scan) -> Scan:
        if name not in self._finders:
            self._finders[name] = LabelSetFinder(_advice_on(name, self._advice))
        return self._finders[name].describe(scan, explicit=self._of_further.get(name))


def _advice_on(name: str, advice: LabelAdvice) -> LabelAdvice:
    """Return how a user says what the values of a further source mean."""
    return replace(advice, option=f"`source_labels` {name}=")
