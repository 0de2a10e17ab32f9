"""What can be wrong with a command as it was typed: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from pathlib import Path

from ..errors import OasisGanError
from ..plugin.options import Option

CHECK_PATH = "check the path"
FIX_MODEL_PLUGIN = "fix the model plugin"
LEAVE_OUT = "leave it out"
LOAD_PLUGIN = "or with --plugin the file of the plugin that brings it"
NAME_ONE = "name one of these"


def enumerate_names(names: Iterable[str]) -> str:
    """Return names as a list in a sentence, or ``none``."""
    return ", ".join(names) or "none"


class UnknownChoiceError(OasisGanError):
    """A user names something that is not among the choices.

    Args:
        where: The option.
        expected: The choices.
        name: What the user named.
        remedy: What to do about it.
    """

    def __init__(self, where: str, expected: str, name: str, remedy: str = NAME_ONE) -> None:
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
            expected="an image",
            found=f"a label map, {path}",
            remedy="give the image, and its label map as --like-labels",
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
        expected = f"a model folder or one of {enumerate_names(installed)}"
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
        super().__init__(where, expected=expected, found=found, remedy=CHECK_PATH)


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
        super().__init__(
            where, f"one of {enumerate_names(known)}", name, f"{NAME_ONE}, {LOAD_PLUGIN}"
        )


class NoLabelTableError(UnknownChoiceError):
    """A user names something that is neither a label set nor a table of labels.

    Args:
        where: The option that names it.
        name: What the user typed.
        known: The names of the label sets that there are.
    """

    def __init__(self, where: str, name: str, known: Iterable[str]) -> None:
        expected = f"one of {enumerate_names(known)}, or a table (TSV: index, name or tissue)"
        remedy = f"name the one that your values are of, {LOAD_PLUGIN}"
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
        expected = f"a further source of labels of {owner} ({enumerate_names(known)})"
        super().__init__(flag, expected, name, NAME_ONE if known else LEAVE_OUT)


# Further sources


# Trainings


# Settings


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
