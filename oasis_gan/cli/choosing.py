"""Turning what a user named (or did not) into plugins, models and subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from ..checks.kinds import suggest_suffix
from ..checks.outputs import without_outputs
from ..errors import OasisGanError, one_line, safe_text
from ..image.label_advice import LabelAdvice
from ..image.volume import Content
from ..io.endings import NameLookup, composed
from ..pipeline.ledger import Outcome, Status
from ..plugin.datasets import Dataset, Selection, Subject
from ..plugin.foreign import reading, using_model
from ..plugin.models import ModelCard, ModelKind, kind_of
from ..plugin.options import Value
from ..plugin.registry import Registry
from .label_choices import LabelMeanings, advise_on_labels
from .lines import say
from .readers import guess_reader, name_reader
from .source_option import NamedSource

T = TypeVar("T")
Join = Callable[[Iterable[Subject], Dataset, Selection], Iterable[Subject]]
"""Takes the subjects of a selection, and returns them with what is found elsewhere."""


@dataclass(frozen=True)
class RequestedOption:
    """What a user typed for an option of a model.

    Args:
        text: The value.
        flag: Where it was typed: ``--option`` or ``--plane``, for example.
    """

    text: str
    flag: str


@dataclass(frozen=True, kw_only=True)
class SelectionOptions:
    """The options of every command that works on subjects: which ones, and who reads them."""

    sources: tuple[Path, ...]
    dataset: str | None
    source_suffix: str
    participants: tuple[str, ...]
    sessions: tuple[str, ...]
    spacing: tuple[float, float, float] | None
    max_voxels: int
    plugin_files: tuple[Path, ...]
    labels: str | None
    target_root: Path | None = None
    target_suffix: str = ""
    source_is: Content | None = None
    further: tuple[NamedSource, ...] = ()
    source_labels: tuple[NamedSource, ...] = ()

    def selections(self) -> list[Selection]:
        """Return what is asked of the dataset, for each source."""
        return [
            Selection(
                source,
                self.target_root,
                self.source_suffix,
                self.target_suffix,
                self.participants,
                self.sessions,
                self.spacing,
                self.max_voxels,
            )
            for source in self.sources
        ]


def load_registry(files: Iterable[Path]) -> Registry:
    """Return all plugins, and warn of the broken ones."""
    registry = Registry.discover(files)
    for problem in registry.problems:
        say(f"warning: {problem}")
    return registry


def first(there: Iterable[T], what: str) -> T:
    """Return the first of what is installed: the default."""
    for one in there:
        return one
    raise OasisGanError(
        what, expected="at least one", found="none", remedy="install a plugin that brings one"
    )


def choose_model(
    registry: Registry, wanted: str | None, where: str = "--model"
) -> tuple[ModelKind, Path]:
    """Return kind and folder of a model, by name or by folder; by default the first that ships with a plugin."""
    trained = registry.trained.offers
    if wanted is None or wanted in trained:
        model = first(trained.values(), "model") if wanted is None else trained[wanted]
        return model.kind, model.folder
    folder = Path(wanted)
    if not folder.is_dir():
        expected = f"a model folder or one of {', '.join(trained) or 'none'}"
        raise OasisGanError(where, expected=expected, found=wanted, remedy="see oasis-gan models")
    return registry[ModelKind].get(kind_of(folder)), folder


def described(kind: ModelKind, folder: Path) -> ModelCard:
    """Return the card of a model; whatever the plugin raises becomes a line."""
    with using_model(folder, kind.name):
        return kind.card(folder)


def choose_options(card: ModelCard, requested: Mapping[str, RequestedOption]) -> dict[str, Value]:
    """Return the values of all options of a model: those that the user gave, and the defaults of the others.

    Args:
        card: The card of the model.
        requested: What the user typed for an option, by the name of the option.

    Raises:
        OasisGanError: If the model has no such option, or no such value of it.
    """
    values = {option.name: option.default for option in card.options}
    for name, request in requested.items():
        option = card.option(name)
        if option is None:
            known = ", ".join(values) or "no options"
            remedy = "leave it out, or choose another model"
            raise OasisGanError(
                request.flag,
                expected=f"an option of {card.name} ({known})",
                found=name,
                remedy=remedy,
            )
        try:
            values[name] = option.parse(request.text)
        except ValueError:
            remedy = f"see oasis-gan models {card.name}"
            raise OasisGanError(
                request.flag, expected=option.expected, found=request.text, remedy=remedy
            ) from None
    return values


def warn_of_note(card: ModelCard, folder: Path) -> None:
    """Say what should be known of a model before it is trusted."""
    if card.note:
        say(f"warning: {folder}: {card.note}")


def exported(kind: ModelKind, folder: Path, wanted: str, out: Path) -> None:
    """Write a model as ``out`` in one of its kind's formats; whatever the plugin raises becomes a line."""
    expected = f"an export as {wanted} by the plugin {kind.name}"
    with using_model(folder, kind.name, expected, "report it to the plugin's author"):
        if wanted not in kind.exports:
            expected = f"a format of {kind.name} ({', '.join(kind.exports) or 'it has none'})"
            raise OasisGanError(
                "--format", expected=expected, found=wanted, remedy="name one of them"
            )
        kind.exports[wanted](folder, out)
        if not out.exists():
            raise OasisGanError(
                kind.name,
                expected=f"{wanted} to be written",
                found="nothing",
                remedy="fix the plugin",
            )
        card = kind.card(folder)
    warn_of_note(card, folder)


def _as_listed(
    subjects: Iterable[Subject], reader: Dataset, selection: Selection
) -> Iterable[Subject]:
    """Return subjects as their reader lists them."""
    return subjects


def list_subjects(
    registry: Registry,
    selections: Iterable[Selection],
    dataset: str | None,
    labels: str | None = None,
    source_is: Content | None = None,
    advice: LabelAdvice | None = None,
    join: Join = _as_listed,
    source_labels: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[Subject], list[Outcome]]:
    """Return the subjects of all selections, and an outcome for each selection that could not be opened.

    The values of their label maps mean what ``labels`` says, or else what their layout says, or what lies beside them.
    Whether their sources are labels or images at all is what ``source_is`` says, or else what is known of each; where
    they are images, ``labels`` is said of the targets. Label sets have the names that ``advice`` knows, or else the
    registry. ``join`` adds further sources, and ``source_labels`` names the label sets of these.
    """
    advice = advice or advise_on_labels(registry)
    selections = list(selections)
    if (
        labels
        and source_is == "image"
        and not any(selection.wants_targets for selection in selections)
    ):
        remedy = "leave one of the two out"
        raise OasisGanError(
            "--labels", expected="label maps", found="--source-is image beside it", remedy=remedy
        )
    named = registry[Dataset].get(dataset) if dataset else None
    meanings = LabelMeanings(advice, labels, source_labels, source_is)
    subjects: list[Subject] = []
    broken: list[Outcome] = []
    for selection in selections:
        try:
            selection = spelt_as_on_disk(selection)
            reader = named or guess_reader(registry, selection.root)
            _require_heeded(reader, selection)
            with reading(selection.root, reader.name):
                for subject in join(_sources(reader, selection, broken), reader, selection):
                    described_subject = meanings.describe(subject)
                    subjects.append(_with_source_content(described_subject, source_is))
        # The reader may be anybody's.
        except Exception as error:  # noqa: BLE001
            broken.append(Outcome(selection.root.name, Status.FAILED, None, one_line(error)))
    return subjects, broken


def require_listed(names: Iterable[str], subjects: Iterable[Subject]) -> None:
    """Raise `OasisGanError` unless there is a subject of each name that ``--validate`` holds out."""
    there = [subject.name for subject in subjects]
    listed = {composed(name) for name in there}
    missing = [name for name in names if composed(name) not in listed]
    if missing:
        expected = f"one of {', '.join(there)}"
        raise OasisGanError(
            "--validate", expected=expected, found=min(missing), remedy="name subjects as listed"
        )


def _require_heeded(reader: Dataset, selection: Selection) -> None:
    """Raise `OasisGanError` if participants are chosen and the layout knows none: it would read everybody."""
    if (selection.participants or selection.sessions) and not reader.by_participant:
        expected = "a BIDS dataset"
        remedy = "leave --participant-label and --session-label out"
        raise OasisGanError(selection.root, expected=expected, found=reader.name, remedy=remedy)


def _with_source_content(subject: Subject, content: Content | None) -> Subject:
    return subject if content is None else replace(subject, source=subject.source.holding(content))


def _problem_with(subject: Subject, reader: Dataset, selection: Selection) -> Outcome | None:
    """Return what keeps a subject from being read at all: a field of the wrong type."""
    wrong = subject.wrong_field()
    if wrong is None:
        return None
    error = OasisGanError(
        selection.root,
        expected=f"a Subject as oasis_gan.Subject describes it, from the dataset plugin {reader.name}",
        found=wrong,
        remedy="fix the plugin",
    )
    return Outcome(safe_text(subject.name), Status.FAILED, None, str(error))


def spelt_as_on_disk(selection: Selection) -> Selection:
    """Return a selection whose paths are written as they are on the disk, where accents are composed otherwise there.

    A keyboard gives one form of an accented letter, and macOS another.
    """
    target = selection.target_root
    return replace(
        selection, root=_spelt(selection.root), target_root=_spelt(target) if target else None
    )


def _spelt(path: Path) -> Path:
    found = NameLookup().find(path)
    is_same = found is not None and composed(str(found)) == composed(str(path))
    return found if found is not None and is_same else path


def _sources(reader: Dataset, selection: Selection, broken: list[Outcome]) -> Iterator[Subject]:
    """Yield the subjects of a selection that are to be worked on, and say what a user should know of the others.

    What keeps a subject from being read at all is added to ``broken``.
    """
    subjects = without_outputs(sound_subjects(reader, selection, broken), selection, say)
    # A reader of a particular layout knows by itself which files are meant.
    yield from suggest_suffix(subjects, selection, say) if reader.generic else subjects


def sound_subjects(
    reader: Dataset, selection: Selection, broken: list[Outcome]
) -> Iterator[Subject]:
    """Yield the subjects of a selection whose fields have the types that they should; the others go to ``broken``."""
    for subject in _opened(reader, selection):
        problem = _problem_with(subject, reader, selection)
        if problem is None:
            yield name_reader(subject, reader)
        else:
            broken.append(problem)


def _opened(reader: Dataset, selection: Selection) -> Iterator[Subject]:
    """Yield the subjects of a selection; a reader that finds none, or yields something else, has failed."""
    found_any = False
    for subject in reader.open(selection):
        if not isinstance(subject, Subject):
            found = type(subject).__name__
            remedy = f"fix the dataset plugin {reader.name}"
            raise OasisGanError(
                selection.root, expected="Subject objects", found=found, remedy=remedy
            )
        yield subject
        found_any = True
    if not found_any:
        expected = f"something that the dataset plugin {reader.name} reads"
        raise OasisGanError(
            selection.root, expected=expected, found="none", remedy="check the path and the suffix"
        )
