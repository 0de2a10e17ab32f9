"""What can be wrong with a plugin, or with what it offers: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import DEBUG, OasisGanError, one_line, safe_text
from ..image.label_advice import OWN_TABLE

_SHOWN = 12  # digits of a hash


class UnknownNameError(OasisGanError):
    """No plugin offers something of a kind under a name.

    Args:
        kind: The kind, such as ``dataset``.
        name: The name that the user typed.
        known: The names that there are.
    """

    def __init__(self, kind: str, name: str, known: Iterable[str]) -> None:
        names = ", ".join(sorted(known)) or "none"
        super().__init__(
            f"{kind} {name}",
            expected=f"one of {names}",
            found=name,
            remedy="see oasis-gan plugins",
        )


class UntypableNameError(OasisGanError):
    """A plugin offers something under a name that cannot be typed as one word."""

    def __init__(self, kind: str, name: object) -> None:
        super().__init__(
            kind,
            expected="a name without spaces",
            found=repr(name),
            remedy="rename it",
        )


class FileTakesNameError(OasisGanError):
    """A plugin file offers something under a name that another plugin uses already.

    Args:
        file: The plugin file.
        offer: The kind and the name of the offer.
        holder: The plugin that uses the name already.
        remedy: What to do about it.
    """

    def __init__(self, file: Path, offer: str, holder: object, remedy: str) -> None:
        super().__init__(
            file,
            expected=f"a new name for {offer}",
            found=f"{holder} offering it already",
            remedy=remedy,
        )


class BrokenPluginFileError(OasisGanError):
    """A plugin file that the user names does not work."""

    def __init__(self, problem: str) -> None:
        super().__init__(
            "`plugin_files`",
            expected="a working plugin",
            found=problem,
            remedy="fix that file",
        )


class PluginFilePathError(OasisGanError):
    """The path of a plugin file is not that of a Python file."""

    def __init__(self, path: Path, found: str, remedy: str) -> None:
        super().__init__(
            path,
            expected="a Python file",
            found=found,
            remedy=remedy,
        )


class PluginFileChangedError(OasisGanError):
    """A plugin file is no longer what it was when the command began.

    Args:
        path: The file.
        expected: The SHA-256 that it had.
        found: The SHA-256 that it has; None if it is gone.
    """

    def __init__(self, path: Path, expected: str, found: str | None) -> None:
        super().__init__(
            path,
            expected=f"the plugin file as it was, SHA-256 {expected[:_SHOWN]}...",
            found="no such file" if found is None else f"{found[:_SHOWN]}...",
            remedy="put the file back as it was, or run the command again",
        )


class ModelChangedError(OasisGanError):
    """A model is no longer what it was when the command began.

    Args:
        folder: The folder of the model.
        expected: The SHA-256 that its card had.
        found: The SHA-256 that its card has.
    """

    def __init__(self, folder: Path, expected: str, found: str) -> None:
        super().__init__(
            folder,
            expected=f"the model as it was, SHA-256 of its card {expected[:_SHOWN]}...",
            found=f"{found[:_SHOWN]}...",
            remedy="put the model back as it was, or run the command again",
        )


class MissingPluginError(OasisGanError):
    """A process is sent a job, but lacks a plugin that the job needs."""

    def __init__(self, reason: Exception) -> None:
        super().__init__(
            "plugin",
            expected="the plugins of the process that sent the job",
            found=one_line(reason),
            remedy="install the same plugins in both places",
        )


class NotImportableError(OasisGanError):
    """A plugin offers a function that another process cannot import.

    Args:
        where: The object that holds the function.
        what: The function, such as ``a reader``.
        found: What is wrong with it.
        remedy: What to do about it.
    """

    def __init__(self, where: object, what: str, found: str, remedy: str) -> None:
        importable = "a function of a module, or functools.partial of one"
        super().__init__(
            where,
            expected=f"{what} that another process can import: {importable}",
            found=found,
            remedy=remedy,
        )


class NotPicklableError(OasisGanError):
    """An object of a plugin holds something that cannot be sent to another process.

    Args:
        kind: The class of the object.
        found: What cannot be pickled.
    """

    def __init__(self, kind: type, found: str) -> None:
        importable = "of a module, or functools.partial of one"
        super().__init__(
            kind.__name__,
            expected=f"functions that another process can import: {importable}",
            found=found,
            remedy="fix the plugin",
        )


class PluginExitError(OasisGanError):
    """A plugin tries to end the program."""

    def __init__(self, where: object, reason: BaseException) -> None:
        found = f"{type(reason).__name__}: {safe_text(reason)}".removesuffix(": ")
        super().__init__(
            where,
            expected="an answer or an error from the plugin",
            found=found,
            remedy="fix the plugin",
        )


class UnreadableError(OasisGanError):
    """A reader raises an exception that does not name its file.

    Args:
        where: The file or folder.
        plugin: The name of the dataset plugin; empty if it is not known.
        reason: The exception.
    """

    def __init__(self, where: object, plugin: str, reason: Exception) -> None:
        reader = f"the dataset plugin {plugin}" if plugin else "its reader"
        super().__init__(
            where,
            expected=f"something that {reader} can read",
            found=one_line(reason),
            remedy=f"check the file, or fix the plugin ({DEBUG}=1 shows where it failed)",
        )


class ModelFailedError(OasisGanError):
    """The plugin of a model raises an exception that does not name the model.

    Args:
        folder: The folder of the model.
        expected: What should have happened.
        reason: The exception.
        remedy: What to do about it.
    """

    def __init__(self, folder: Path, expected: str, reason: Exception, remedy: str) -> None:
        super().__init__(
            folder,
            expected=expected,
            found=one_line(reason),
            remedy=remedy,
        )


class WrongComputationError(OasisGanError):
    """A translator describes its computation in something other than a `Computation`."""

    def __init__(self, translator: object, computation: object) -> None:
        where = type(translator).__name__
        found = type(computation).__name__
        super().__init__(
            where,
            expected="a Computation",
            found=found,
            remedy="fix the model plugin",
        )


class ModelFolderError(OasisGanError):
    """The ``model.json`` of a model folder is missing or unusable."""

    def __init__(
        self, path: Path, found: str, expected: str = "a model folder with a model.json"
    ) -> None:
        super().__init__(
            path,
            expected=expected,
            found=found,
            remedy="see oasis-gan models, or name another folder",
        )


class NoTargetError(OasisGanError):
    """A subject of which a pair is needed has no target."""

    def __init__(self, path: Path) -> None:
        super().__init__(
            path,
            expected="a target beside it",
            found="none",
            remedy="name the targets, for example with `target_root` or `target_suffix`",
        )


class UnpublishedLabelSetError(OasisGanError):
    """A label map of the Neurite OASIS release has the label set seg24, which is not published.

    Args:
        where: The label map.
        option: How the user can say what the values mean.
    """

    def __init__(self, where: object, option: str) -> None:
        super().__init__(
            where,
            expected="label maps of a published label set (seg4 or seg35)",
            found="seg24",
            remedy=f"choose seg4, or say with {option} what the values mean: {OWN_TABLE}",
        )


class SeveralColourTablesError(OasisGanError):
    """Several colour tables lie beside a label map.

    Args:
        where: The label map.
        tables: The names of the tables.
        option: How the user can choose one.
    """

    def __init__(self, where: object, tables: Sequence[str], option: str) -> None:
        found = " and ".join(tables[:8])
        super().__init__(
            where,
            expected="one colour table beside it",
            found=found,
            remedy=f"name one with {option}",
        )
