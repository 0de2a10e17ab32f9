"""Turn what a user typed, or left out, into plugins, models and subjects."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from ..checks.kinds import suggest_suffix
from ..checks.outputs import without_outputs
from ..errors import one_line, safe_text
from ..image.label_advice import LabelAdvice
from ..image.volume import Content
from ..io.endings import NameLookup, compose_accents
from ..pipeline.ledger import Outcome, Status
from ..plugin.datasets import Dataset, Selection, Subject
from ..plugin.foreign import reading, using_model
from ..plugin.models import ModelCard, ModelKind, kind_of
from ..plugin.options import Value
from ..plugin.registry import Registry
from .errors import (
    LabelsUnusedError,
    NoExportError,
    NoSubjectError,
    NothingInstalledError,
    NothingToReadError,
    OptionValueError,
    ParticipantsIgnoredError,
    UnknownFormatError,
    UnknownModelError,
    UnknownOptionError,
    UnknownSubjectError,
    WrongSubjectError,
)
from .label_choices import LabelMeanings, advise_on_labels
from .lines import log
from .readers import guess_reader, name_reader
from .source_option import NamedSource

T = TypeVar("T")
Join = Callable[[Iterable[Subject], Dataset, Selection], Iterable[Subject]]
"""Takes the subjects of a selection, and returns them with their further sources."""


@dataclass(frozen=True)
class RequestedOption:
    """An option of a model, with the value that a user has typed.

    Args:
        text: The value.
        flag: Where it was typed: ``--option`` or ``--plane``, for example.
    """

    text: str
    flag: str


@dataclass(frozen=True, kw_only=True)
class SelectionOptions:
    """The options of every command that works on subjects: which subjects, and how to read them."""

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

    def make_selections(self) -> list[Selection]:
        """Return what the dataset plugins are asked for: a selection for each source."""
        return [self._select_from(source) for source in self.sources]

    def _select_from(self, source: Path) -> Selection:
        return Selection(
            root=source,
            target_root=self.target_root,
            source_suffix=self.source_suffix,
            target_suffix=self.target_suffix,
            participants=self.participants,
            sessions=self.sessions,
            spacing=self.spacing,
            max_voxels=self.max_voxels,
        )


def load_registry(files: Iterable[Path]) -> Registry:
    """Return all plugins, and warn of the broken ones."""
    registry = Registry.discover(files)
    for problem in registry.problems:
        log(f"warning: {problem}")
    return registry


def choose_default(installed: Iterable[T], what: str) -> T:
    """Return the first of the things that plugins bring.

    Raises:
        OasisGanError: If there is none.
    """
    for one in installed:
        return one
    raise NothingInstalledError(what)


def choose_model(
    registry: Registry, name: str | None, where: str = "--model"
) -> tuple[ModelKind, Path]:
    """Return the kind and the folder of a model.

    Args:
        registry: The installed plugins.
        name: The name of a model that comes with a plugin, or a model folder. By default, the
            first model that comes with a plugin.
        where: What the user typed the name after, for errors.

    Raises:
        OasisGanError: If there is no such model.
    """
    installed = registry.trained.offers
    if name is None:
        model = choose_default(installed.values(), "model")
        return model.kind, model.folder
    # A model name takes precedence over a folder of that name; type ./NAME for the folder.
    if name in installed:
        model = installed[name]
        return model.kind, model.folder
    folder = Path(name)
    if not folder.is_dir():
        raise UnknownModelError(where, name, installed)
    return registry[ModelKind].get(kind_of(folder)), folder


def read_card(kind: ModelKind, folder: Path) -> ModelCard:
    """Return the card of a model; whatever the plugin raises becomes a line."""
    with using_model(folder, kind.name):
        return kind.card(folder)


def choose_options(card: ModelCard, requested: Mapping[str, RequestedOption]) -> dict[str, Value]:
    """Return a value for each option of a model: what the user typed, or else its default.

    Args:
        card: The card of the model.
        requested: What the user typed for an option, by the name of the option.

    Raises:
        OasisGanError: If the model has no such option, or the option no such value.
    """
    values = {option.name: option.default for option in card.options}
    for name, request in requested.items():
        option = card.option(name)
        if option is None:
            raise UnknownOptionError(request.flag, name, card.name, values)
        try:
            values[name] = option.parse(request.text)
        except ValueError:
            raise OptionValueError(request.flag, option, request.text, card.name) from None
    return values


def warn_of_note(card: ModelCard, folder: Path) -> None:
    """Print what a user should know about a model before trusting it."""
    if card.note:
        log(f"warning: {folder}: {card.note}")


def export_model(kind: ModelKind, folder: Path, form: str, out: Path) -> None:
    """Write a model in one of the formats of its kind; whatever the plugin raises becomes a line.

    Args:
        kind: The kind of the model.
        folder: The folder of the model.
        form: The name of the format.
        out: The path to write to.

    Raises:
        OasisGanError: If there is no such format, or the plugin does not write it.
    """
    expected = f"an export as {form} by the plugin {kind.name}"
    with using_model(folder, kind.name, expected, "report it to the plugin's author"):
        if form not in kind.exports:
            raise UnknownFormatError(kind.name, form, kind.exports)
        export = kind.exports[form]
        export(folder, out)
        if not out.exists():
            raise NoExportError(kind.name, form)
        card = kind.card(folder)
    warn_of_note(card, folder)


def _leave_as_listed(
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
    join: Join = _leave_as_listed,
    source_labels: Mapping[str, str] = MappingProxyType({}),
) -> tuple[list[Subject], list[Outcome]]:
    """Return the subjects of all selections, and an outcome for each selection that failed.

    Args:
        registry: The installed plugins.
        selections: What to read.
        dataset: The name of the reader; by default, the one that recognises each selection.
        labels: The label set of the sources, or of the targets where the sources are images. By
            default, what the layout or a file beside each label map says.
        source_is: What the sources hold; by default, what is known of each.
        advice: How a user can name label sets, and which there are; by default, those of the
            registry.
        join: Adds further sources to subjects.
        source_labels: The label sets of further sources, by the name of the source.

    Raises:
        OasisGanError: If there is no such reader or label set, or ``labels`` is of no use.
    """
    advice = advice or advise_on_labels(registry)
    selections = list(selections)
    # Then the labels can only be those of targets.
    if labels and source_is == "image":
        _require_targets(selections)
    named_reader = registry[Dataset].get(dataset) if dataset else None
    meanings = LabelMeanings(advice, labels, source_labels, source_is)
    subjects: list[Subject] = []
    broken: list[Outcome] = []
    for selection in selections:
        try:
            selection = spell_as_on_disk(selection)
            reader = named_reader or guess_reader(registry, selection.root)
            _require_participants(reader, selection)
            with reading(selection.root, reader.name):
                sources = _list_sources(reader, selection, broken)
                joined = join(sources, reader, selection)
                # Subjects that are listed before an error stay.
                subjects.extend(meanings.describe(subject) for subject in joined)
        # The reader may come from any plugin.
        except Exception as error:  # noqa: BLE001
            broken.append(_fail(selection.root.name, error))
    return subjects, broken


def require_listed(names: Iterable[str], subjects: Iterable[Subject]) -> None:
    """Raise `OasisGanError` unless there is a subject of each name that ``--validate`` gives."""
    listed = [subject.name for subject in subjects]
    known = {compose_accents(name) for name in listed}
    missing = [name for name in names if compose_accents(name) not in known]
    if missing:
        raise UnknownSubjectError(min(missing), listed)


def spell_as_on_disk(selection: Selection) -> Selection:
    """Return a selection whose paths are spelled as the file system spells them.

    A keyboard gives one form of an accented letter, and macOS another.
    """
    target = selection.target_root
    return replace(
        selection,
        root=_spell_path(selection.root),
        target_root=_spell_path(target) if target else None,
    )


def list_valid_subjects(
    reader: Dataset, selection: Selection, broken: list[Outcome]
) -> Iterator[Subject]:
    """Yield the subjects of a selection whose fields have the right types.

    Args:
        reader: The reader.
        selection: What to read.
        broken: Takes an outcome for each of the other subjects.

    Raises:
        OasisGanError: If the reader finds no subject, or lists something else.
    """
    for subject in _open_subjects(reader, selection):
        wrong_field = subject.find_wrong_field()
        if wrong_field is None:
            yield name_reader(subject, reader)
        else:
            error = WrongSubjectError(selection.root, reader.name, wrong_field)
            # The name may be the very field that is wrong.
            broken.append(_fail(safe_text(subject.name), error))


def _require_targets(selections: Sequence[Selection]) -> None:
    """Raise `OasisGanError` if no target is asked for, and the sources are images."""
    if not any(selection.wants_targets for selection in selections):
        raise LabelsUnusedError


def _require_participants(reader: Dataset, selection: Selection) -> None:
    """Raise `OasisGanError` if a reader ignores the participants that the user chooses."""
    chooses = selection.participants or selection.sessions
    if chooses and not reader.by_participant:
        raise ParticipantsIgnoredError(selection.root, reader.name)


def _fail(name: str, error: Exception) -> Outcome:
    return Outcome(name, Status.FAILED, None, one_line(error))


def _spell_path(path: Path) -> Path:
    found = NameLookup().find(path)
    if found is not None and compose_accents(str(found)) == compose_accents(str(path)):
        return found
    return path


def _list_sources(
    reader: Dataset, selection: Selection, broken: list[Outcome]
) -> Iterator[Subject]:
    """Yield the subjects to work on, and print what a user should know about the others."""
    valid = list_valid_subjects(reader, selection, broken)
    subjects = without_outputs(valid, selection, log)
    if reader.generic:
        yield from suggest_suffix(subjects, selection, log)
    else:
        # The reader of a specific layout knows which files are meant.
        yield from subjects


def _open_subjects(reader: Dataset, selection: Selection) -> Iterator[Subject]:
    """Yield the subjects of a selection.

    Raises:
        OasisGanError: If the reader finds none, or lists something else.
    """
    found_any = False
    for subject in reader.open(selection):
        if not isinstance(subject, Subject):
            raise NoSubjectError(selection.root, reader.name, subject)
        yield subject
        found_any = True
    if not found_any:
        raise NothingToReadError(selection.root, reader.name)
