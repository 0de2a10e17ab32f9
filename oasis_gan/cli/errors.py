"""What can be wrong with a command as it was typed: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

import shlex
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

from ..errors import OasisGanError
from ..plugin.options import Option

_CHECK_PATH = "check the path"
_FIX_MODEL_PLUGIN = "fix the model plugin"
_GO_ON_WITH = "a training to go on with"
_LEAVE_OUT = "leave it out"
_LOAD_PLUGIN = "or with --plugin the file of the plugin that brings it"
_NAME_ONE = "name one of these"
_RESUME = "--resume"
_SOURCE = "--source"


def _enumerate(names: Iterable[str]) -> str:
    return ", ".join(names) or "none"


def _enumerate_sources(names: Sequence[str]) -> str:
    first, *further = names
    if not further:
        return f"{first} (SOURCE) alone"
    return " and ".join([f"{first} (SOURCE)", *further])


class UnknownChoiceError(OasisGanError):
    """A user names something that is not among the choices.

    Args:
        where: The option.
        expected: The choices.
        name: What the user named.
        remedy: What to do about it.
    """

    def __init__(self, where: str, expected: str, name: str, remedy: str = _NAME_ONE) -> None:
        super().__init__(where, expected=expected, found=name, remedy=remedy)


class RepeatedValueError(OasisGanError):
    """A user gives two values where one is possible.

    Args:
        flag: The option.
        what: What has one value, such as ``one label set for tissue``.
        first: The value that was given first.
        second: The value that was given after it.
    """

    def __init__(self, flag: str, what: str, first: str, second: str) -> None:
        found = f"{first} and {second}"
        super().__init__(flag, expected=what, found=found, remedy="give it once")


class NotAloneError(OasisGanError):
    """An option says something about another option, which is not given.

    Args:
        flag: The option.
        needed: The option that it belongs to.
        remedy: What to do.
    """

    def __init__(self, flag: str, needed: str, remedy: str) -> None:
        super().__init__(flag, expected=f"{needed} beside it", found="none", remedy=remedy)


# Models


class OtherSourceError(OasisGanError):
    """A user says that SOURCE holds something else than a model translates.

    Args:
        expected: What the model translates: ``labels`` or ``image``.
        found: What the user says.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            "--source-is",
            expected=f"{expected}, which this model translates",
            found=found,
            remedy="leave it out, or choose another model",
        )


class ReferenceIsLabelMapError(OasisGanError):
    """The scan whose contrast outputs should have is a label map."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            "--like",
            expected="a scan",
            found=f"a label map, {path}",
            remedy="give the scan, and its label map as --like-labels",
        )


class NothingInstalledError(OasisGanError):
    """No plugin brings anything of a kind that a command needs.

    Args:
        what: What is needed, such as ``model``.
    """

    def __init__(self, what: str) -> None:
        remedy = "install a plugin that brings one"
        super().__init__(what, expected="at least one", found="none", remedy=remedy)


class UnknownModelError(UnknownChoiceError):
    """A user names a model that is neither installed nor a folder.

    Args:
        where: The option or the argument that names it.
        name: What the user typed.
        installed: The names of the models that come with plugins.
    """

    def __init__(self, where: str, name: str, installed: Iterable[str]) -> None:
        expected = f"a model folder or one of {_enumerate(installed)}"
        super().__init__(where, expected, name, "see oasis-gan models")


class UnknownOptionError(UnknownChoiceError):
    """A user sets an option that a model does not have.

    Args:
        flag: What the user set it with.
        name: The name of the option.
        model: The name of the model.
        known: The options that it has.
    """

    def __init__(self, flag: str, name: str, model: str, known: Iterable[str]) -> None:
        expected = f"an option of {model} ({', '.join(known) or 'no options'})"
        super().__init__(flag, expected, name, "leave it out, or choose another model")


class OptionValueError(OasisGanError):
    """A user gives an option of a model a value that it cannot have.

    Args:
        flag: What the user set it with.
        option: The option.
        text: The value.
        model: The name of the model.
    """

    def __init__(self, flag: str, option: Option, text: str, model: str) -> None:
        remedy = f"see oasis-gan models {model}"
        super().__init__(flag, expected=option.expected, found=text, remedy=remedy)


class UnknownFormatError(UnknownChoiceError):
    """A user asks for a format to which a kind of model cannot be exported.

    Args:
        kind: The name of the kind of model.
        name: What the user typed.
        known: The formats that there are.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        expected = f"a format of {kind} ({', '.join(known) or 'it has none'})"
        super().__init__("--format", expected, name)


class NoExportError(OasisGanError):
    """The export of a model returns without having written anything.

    Args:
        kind: The name of the kind of model.
        form: The format.
    """

    def __init__(self, kind: str, form: str) -> None:
        expected = f"{form} to be written"
        super().__init__(kind, expected=expected, found="nothing", remedy="fix the plugin")


# Subjects


class MissingPathError(OasisGanError):
    """A user names a path where there is nothing.

    Args:
        where: The path, and the option if there is one.
        expected: What should be there.
        found: What there is instead.
    """

    def __init__(self, where: object, expected: str, found: str) -> None:
        super().__init__(where, expected=expected, found=found, remedy=_CHECK_PATH)


class SeveralLayoutsError(OasisGanError):
    """Several readers recognise a file or folder.

    Args:
        root: The file or folder.
        readers: The names of the readers.
    """

    def __init__(self, root: Path, readers: Iterable[str]) -> None:
        found = " and ".join(readers)
        remedy = "choose one with --dataset"
        super().__init__(root, expected="one layout", found=found, remedy=remedy)


class ParticipantsIgnoredError(OasisGanError):
    """A user chooses participants or sessions of data whose reader cannot tell them apart.

    Args:
        root: The file or folder.
        reader: The name of the reader.
    """

    def __init__(self, root: Path, reader: str) -> None:
        expected = "a BIDS dataset"
        remedy = "leave --participant-label and --session-label out"
        super().__init__(root, expected=expected, found=reader, remedy=remedy)


class NothingToReadError(OasisGanError):
    """A reader finds no subject in a file or folder.

    Args:
        root: The file or folder.
        reader: The name of the reader.
    """

    def __init__(self, root: Path, reader: str) -> None:
        expected = f"something that the dataset plugin {reader} reads"
        remedy = "check the path and the suffix"
        super().__init__(root, expected=expected, found="none", remedy=remedy)


class NoSubjectError(OasisGanError):
    """A reader lists something other than a `Subject`.

    Args:
        root: The file or folder that it lists.
        reader: The name of the reader.
        listed: What it lists.
    """

    def __init__(self, root: Path, reader: str, listed: object) -> None:
        found = type(listed).__name__
        remedy = f"fix the dataset plugin {reader}"
        super().__init__(root, expected="Subject objects", found=found, remedy=remedy)


class WrongSubjectError(OasisGanError):
    """A reader lists a `Subject` with a field of a wrong type.

    Args:
        root: The file or folder that it lists.
        reader: The name of the reader.
        field: The field and the type of its value, such as ``source.path: str``.
    """

    def __init__(self, root: Path, reader: str, field: str) -> None:
        expected = f"a Subject as oasis_gan.Subject describes it, from the dataset plugin {reader}"
        super().__init__(root, expected=expected, found=field, remedy="fix the plugin")


class SeveralVolumesError(OasisGanError):
    """A path that should hold one volume holds another number of them."""

    def __init__(self, path: Path, count: int) -> None:
        found = str(count) if count else "none"
        remedy = "name a file that holds one"
        super().__init__(path, expected="one volume", found=found, remedy=remedy)


class UnknownSubjectError(UnknownChoiceError):
    """A user holds out a subject that does not exist.

    Args:
        name: What the user typed.
        listed: The names of the subjects that there are.
    """

    def __init__(self, name: str, listed: Iterable[str]) -> None:
        expected = f"one of {', '.join(listed)}"
        super().__init__("--validate", expected, name, "name subjects as listed")


# Labels


class LabelsUnusedError(OasisGanError):
    """A user says what labels mean where there are only images."""

    def __init__(self) -> None:
        found = "--source-is image beside it"
        remedy = "leave one of the two out"
        super().__init__("--labels", expected="label maps", found=found, remedy=remedy)


class UnknownLabelSetError(UnknownChoiceError):
    """A user names a label set that does not exist.

    Args:
        where: The option or the setting that names it.
        name: What the user typed.
        known: The names of the label sets that there are.
    """

    def __init__(self, where: str, name: str, known: Iterable[str]) -> None:
        super().__init__(where, f"one of {_enumerate(known)}", name, f"{_NAME_ONE}, {_LOAD_PLUGIN}")


class NoLabelTableError(UnknownChoiceError):
    """A user names something that is neither a label set nor a table of labels.

    Args:
        where: The option that names it.
        name: What the user typed.
        known: The names of the label sets that there are.
    """

    def __init__(self, where: str, name: str, known: Iterable[str]) -> None:
        expected = f"one of {_enumerate(known)}, or a table (TSV: index, name or tissue)"
        remedy = f"name the one that your values are of, {_LOAD_PLUGIN}"
        super().__init__(where, expected, name, remedy)


class NoSourceOfLabelsError(UnknownChoiceError):
    """A user says what the labels of a further source mean that holds none.

    Args:
        flag: The option.
        name: The name of the source.
        owner: Whose sources they are, such as ``the recipe``.
        known: The further sources that hold labels.
    """

    def __init__(self, flag: str, name: str, owner: str, known: Collection[str]) -> None:
        expected = f"a further source of labels of {owner} ({_enumerate(known)})"
        super().__init__(flag, expected, name, _NAME_ONE if known else _LEAVE_OUT)


# Further sources


class UnknownSourceError(UnknownChoiceError):
    """A user says where a further source is that a model does not take.

    Args:
        name: What the user typed.
        names: The sources that there are, the first of which is SOURCE.
        owner: Whose sources they are, such as ``the recipe``.
    """

    def __init__(self, name: str, names: Sequence[str], owner: str) -> None:
        expected = f"a further source of {owner}, which takes {_enumerate_sources(names)}"
        if name == names[0]:
            super().__init__(_SOURCE, expected, f"{name}, which is SOURCE", _LEAVE_OUT)
        else:
            super().__init__(_SOURCE, expected, name)


class NoFurtherSourcesError(OasisGanError):
    """A user says where a further source is, and the recipe names no sources."""

    def __init__(self, name: str) -> None:
        expected = "a further source of the recipe, which names none"
        example = f'sources = {{ first = "image", {name} = "image" }}'
        remedy = f"name them there: {example}"
        super().__init__(_SOURCE, expected=expected, found=name, remedy=remedy)


class RepeatedSourceError(RepeatedValueError):
    """A user names two places of one further source.

    Args:
        name: The name of the source.
        first: The place that was named first.
        second: The place that was named after it.
        owner: Whose source it is, such as ``the recipe``; empty if that is not known.
        names: The sources of the owner, the first of which is SOURCE.
    """

    def __init__(
        self, name: str, first: str, second: str, owner: str = "", names: Sequence[str] = ()
    ) -> None:
        what = f"one place for the {name}"
        if owner:
            what += f" of {owner}, which takes {_enumerate_sources(names)}"
        super().__init__(_SOURCE, what, first, second)


class SourceNotGivenError(OasisGanError):
    """A user does not say where a further source is.

    Args:
        name: The name of the source.
        names: The sources that there are, the first of which is SOURCE.
        owner: Whose sources they are, such as ``the recipe``.
    """

    def __init__(self, name: str, names: Sequence[str], owner: str) -> None:
        expected = f"{name}=WHERE for {owner}, which takes {_enumerate_sources(names)}"
        remedy = say_where(name)
        super().__init__(_SOURCE, expected=expected, found="none", remedy=remedy)


class NoSourcePlaceError(MissingPathError):
    """A user says that a further source is where there is nothing."""

    def __init__(self, where: str) -> None:
        expected = "a file, a folder, or the end of file names"
        super().__init__(f"{_SOURCE} {where}", expected, "no such file or folder")


class OneFileForSeveralError(OasisGanError):
    """A user names one file as a further source of several subjects.

    Args:
        name: The name of the source.
        path: The file.
    """

    def __init__(self, name: str, path: Path) -> None:
        expected = f"a {name} for each of several subjects"
        found = f"one file, {path}"
        remedy = "name a folder, or the end of file names"
        super().__init__(_SOURCE, expected=expected, found=found, remedy=remedy)


class FurtherSourceMissingError(OasisGanError):
    """A subject has no further source of a name.

    Args:
        path: The source beside which it should be.
        name: The name of the further source.
        found: What there is instead.
        remedy: What to do about it; by default, to say where it is.
    """

    def __init__(self, path: Path, name: str, found: str = "none", remedy: str = "") -> None:
        remedy = remedy or say_where(name)
        super().__init__(path, expected=f"a {name} beside it", found=found, remedy=remedy)


class FurtherSourceSearchError(OasisGanError):
    """A reader that looks for a further source as if it were a target finds a fault with targets.

    Args:
        error: The error, which speaks of targets.
        name: The name of the further source.
    """

    def __init__(self, error: OasisGanError, name: str) -> None:
        option = f"{_SOURCE} {name}"
        where = option if error.where in {"`target_root`", "`target_suffix`"} else error.where
        expected = error.expected.replace("targets", name)
        remedy = error.remedy.replace("`target_suffix`", f"{option}=ENDING")
        remedy = remedy.replace("`target_root`", f"{option}=DIR")
        super().__init__(where, expected=expected, found=error.found, remedy=remedy)


def say_where(name: str) -> str:
    """Return how a user says where a further source is."""
    return (
        f"say where it is with {_SOURCE} {name}=WHERE: a file, a folder, or how its file name ends"
    )


# Trainings


class MissingArgumentsError(OasisGanError):
    """A new training lacks its data, its folder, or both."""

    def __init__(self, found: str) -> None:
        expected = "SOURCE and --out, or --resume"
        super().__init__("train", expected=expected, found=found, remedy="name both")


class NothingToResumeError(OasisGanError):
    """A user says of a new training where its data are now."""

    def __init__(self) -> None:
        expected = "--resume beside it"
        remedy = "leave out --source: a new training takes SOURCE without it"
        super().__init__(_SOURCE, expected=expected, found="none", remedy=remedy)


class TrainingExistsError(OasisGanError):
    """A new training is to be written to a folder that holds one already."""

    def __init__(self, folder: Path) -> None:
        found = "one with a training in it"
        command = f"oasis-gan train --resume {shlex.quote(str(folder))}"
        remedy = f"name another --out, or go on with it: {command}"
        super().__init__(folder, expected="a new folder", found=found, remedy=remedy)


class NoTrainingError(OasisGanError):
    """A folder holds no training that can be resumed.

    Args:
        path: The file in it that describes the training.
        found: What is wrong with the file.
    """

    def __init__(self, path: Path, found: str) -> None:
        remedy = "name the --out of a training"
        super().__init__(path, expected=_GO_ON_WITH, found=found, remedy=remedy)


class FixedOptionError(OasisGanError):
    """A user gives an option that a resumed training cannot change.

    Args:
        flag: The option, or SOURCE.
    """

    def __init__(self, flag: str) -> None:
        expected = "only --set, --source and --target beside it"
        remedy = _LEAVE_OUT
        if flag == "SOURCE":
            remedy += "; --source says where the data lie now"
        super().__init__(_RESUME, expected=expected, found=flag, remedy=remedy)


class DataMovedError(OasisGanError):
    """The data of a training that is resumed are no longer where they were.

    Args:
        what: What is missing: ``data`` or ``targets``.
        path: Where it was.
        flag: The option that says where it is now.
    """

    def __init__(self, what: str, path: Path, flag: str) -> None:
        expected = f"the {what} that this training learns from"
        found = f"nothing at {path}"
        remedy = f"say where they lie now: {flag} DIR"
        super().__init__(_RESUME, expected=expected, found=found, remedy=remedy)


class SourceCountError(OasisGanError):
    """A user names the new places of some sources of a training, but not of all.

    Args:
        expected: How many sources the training began with.
        found: How many the user names.
    """

    def __init__(self, expected: int, found: int) -> None:
        sources = f"as many sources as this training began with, {expected}"
        super().__init__(
            _SOURCE,
            expected=f"one folder, or {sources}",
            found=str(found),
            remedy="name each once, in that order",
        )


class LabelSetChangedError(OasisGanError):
    """A name no longer means the label set that it meant when a training began.

    Args:
        path: The file that describes the training.
        before: What tells the label set of the training from others.
        now: What tells the label set from others that has this name now.
    """

    def __init__(self, path: Path, before: str, now: str) -> None:
        expected = f"the label set that this training began with, {before}"
        remedy = "name the plugin as it was then, or train into another folder"
        super().__init__(path, expected=expected, found=now, remedy=remedy)


class UntrainableKindError(OasisGanError):
    """A user asks for a kind of model that cannot be trained."""

    def __init__(self, kind: str) -> None:
        expected = "a kind that can be trained"
        super().__init__(kind, expected=expected, found="none", remedy="see --kind")


class WrongTrainingDataError(OasisGanError):
    """A kind of model describes its training data in something other than a `TrainingData`.

    Args:
        kind: The name of the kind of model.
        description: What it describes them in.
    """

    def __init__(self, kind: str, description: object) -> None:
        expected = "a TrainingData from check_settings"
        found = type(description).__name__
        super().__init__(kind, expected=expected, found=found, remedy=_FIX_MODEL_PLUGIN)


class UnknownPresetError(UnknownChoiceError):
    """A user names a preset that a kind of model does not have."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__("--preset", f"one of {_enumerate(known)}", name)


class OtherContentError(OasisGanError):
    """A user says that SOURCE holds labels, and the recipe says images, or the other way round.

    Args:
        expected: What the recipe says.
        found: What the user says.
    """

    def __init__(self, expected: str, found: str) -> None:
        super().__init__(
            "--source-is",
            expected=f"{expected}, as the recipe has it",
            found=found,
            remedy="leave it out, or set source",
        )


class SameHeadError(OasisGanError):
    """Two subjects on different sides of the split show the same head.

    Args:
        subject: The name of one of them.
        duplicate: The name of the other.
    """

    def __init__(self, subject: str, duplicate: str) -> None:
        super().__init__(
            "training data",
            expected="different heads to learn and to measure on",
            found=f"{subject} and {duplicate}, the same head",
            remedy="put both on one side, or leave one out",
        )


# Settings


class NotTomlError(OasisGanError):
    """A recipe is not TOML.

    Args:
        path: The file.
        reason: What is wrong with it.
    """

    def __init__(self, path: Path, reason: Exception) -> None:
        expected = "TOML: key = value"
        super().__init__(path, expected=expected, found=str(reason), remedy="fix that line")


class NoSettingError(OasisGanError):
    """A user gives a setting that does not have the form ``KEY=VALUE``."""

    def __init__(self, text: str) -> None:
        remedy = "write it as --set steps=200 or --set loss.l1_weight=50"
        super().__init__("--set", expected="KEY=VALUE", found=text, remedy=remedy)


class NoTableOfSettingsError(OasisGanError):
    """A user gives a setting within another that is no table.

    Args:
        key: The setting that is no table.
        within: The setting that should be in it.
    """

    def __init__(self, key: str, within: str) -> None:
        expected = f"a table of settings before .{within}"
        found = f"a setting, {key}"
        remedy = "docs/training.md lists all settings"
        super().__init__("--set", expected=expected, found=found, remedy=remedy)


# Checking a plugin

_CHECK = "--check"


class NoPytestError(OasisGanError):
    """Plugins cannot be checked, because pytest is not installed."""

    def __init__(self, found: str) -> None:
        super().__init__(
            _CHECK,
            expected="pytest",
            found=found,
            remedy="pip install 'oasis-gan[testing]'",
        )


class NoSuchPluginError(OasisGanError):
    """A user wants to check a plugin that is not installed."""

    def __init__(self, plugin: str) -> None:
        super().__init__(
            _CHECK,
            expected="a plugin",
            found=plugin,
            remedy="name one that oasis-gan plugins lists, or a file .py",
        )


class TwoPluginsError(OasisGanError):
    """A user wants to check two plugins at once."""

    def __init__(self, plugin_file: Path) -> None:
        super().__init__(
            _CHECK,
            expected="one plugin",
            found=f"--plugin {plugin_file} as well",
            remedy="name it after --check alone",
        )
