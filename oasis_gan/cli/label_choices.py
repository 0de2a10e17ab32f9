"""Give scans the label sets that a user names for them."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from ..image.label_advice import LabelAdvice
from ..image.label_sets import LABEL_SETS
from ..image.labels import LabelSet
from ..image.volume import Content
from ..io.label_tables import read_label_table
from ..plugin.datasets import Scan, Subject
from ..plugin.label_meaning import LabelSetFinder
from ..plugin.models import ModelCard
from ..plugin.registry import Registry
from .errors import NoLabelTableError, NoSourceOfLabelsError, RepeatedValueError
from .source_option import NamedSource

_FLAG = "--source-labels"


def advise_on_labels(
    registry: Registry, option: str = "`labels`", card: ModelCard | None = None
) -> LabelAdvice:
    """Return how a user says what the values of a label map mean.

    Args:
        registry: The plugins, which bring label sets.
        option: The option to say it with.
        card: A model whose own label sets may be named too, even where the plugin that brought
            them is gone.
    """
    label_sets = LABEL_SETS.with_sets(*registry[LabelSet])
    if card is not None:
        for encoding in (*card.sources.values(), card.target):
            label_sets = label_sets.with_sets(encoding.label_set)
    return LabelAdvice(option, label_sets)


def choose_label_set(name: str, advice: LabelAdvice) -> LabelSet:
    """Return the label set of a name, or the one in the table at that path.

    Raises:
        OasisGanError: If it is neither, or the table cannot be used.
    """
    known = advice.label_sets.find(name)
    if known is not None:
        return known
    path = Path(name)
    looks_like_path = path.suffix or path.name != name
    # After a mistyped path, an error about the file helps more than a list of label sets.
    if looks_like_path or path.is_file():
        return read_label_table(path)
    raise NoLabelTableError(advice.option, name, advice.label_sets)


def choose_source_labels(
    typed: Sequence[NamedSource], names: Collection[str], owner: str
) -> dict[str, str]:
    """Return the label sets that a user names for further sources, by the name of the source.

    Args:
        typed: What the user typed.
        names: The further sources that hold labels.
        owner: Whose sources they are, for errors.

    Raises:
        OasisGanError: If the name of a source is unknown or repeated.
    """
    chosen: dict[str, str] = {}
    for name, labels in typed:
        if name not in names:
            raise NoSourceOfLabelsError(_FLAG, name, owner, names)
        if name in chosen:
            raise RepeatedValueError(_FLAG, f"one label set for {name}", chosen[name], labels)
        chosen[name] = labels
    return chosen


class LabelMeanings:
    """Gives scans the label sets of their label maps.

    The user names the set, or else a file beside each scan does.

    Args:
        advice: How a user can say it of the sources or the targets, and which label sets there are.
        labels: The label set that the user names for these, if any.
        source_labels: The label sets that the user names for further sources, by their names.
        source_is: What the sources hold; where that is an image, ``labels`` is about the targets.

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
        self._source_is = source_is
        explicit = choose_label_set(labels, advice) if labels else None
        self._of_source = explicit if source_is != "image" else None
        self._of_target = explicit if source_is == "image" else None
        self._of_further: dict[str, LabelSet] = {}
        for name, chosen in source_labels.items():
            self._of_further[name] = choose_label_set(chosen, _advise_on_source(name, advice))
        self._finders: dict[str, LabelSetFinder] = {}

    def describe(self, subject: Subject) -> Subject:
        """Return a subject whose scans know what they hold and what their labels mean.

        A scan about which nothing is known stays as it is.
        """
        source = self._finder.describe(subject.source, explicit=self._of_source)
        if self._source_is is not None:
            source = source.with_content(self._source_is)
        target = subject.target
        if target is not None:
            target = self._finder.describe(target, explicit=self._of_target)
        further = {name: self._describe(name, scan) for name, scan in subject.further.items()}
        return replace(subject, source=source, target=target, further=further)

    def _describe(self, name: str, scan: Scan) -> Scan:
        """Return a further source that knows what its labels mean."""
        # One finder serves all subjects, because it remembers the tables that it has read.
        finder = self._finders.get(name)
        if finder is None:
            finder = LabelSetFinder(_advise_on_source(name, self._advice))
            self._finders[name] = finder
        return finder.describe(scan, explicit=self._of_further.get(name))


def _advise_on_source(name: str, advice: LabelAdvice) -> LabelAdvice:
    """Return how a user says what the values of a further source mean."""
    return replace(advice, option=f"`source_labels` {name}=")
