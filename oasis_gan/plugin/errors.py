"""What can be wrong with a plugin, or with what it offers: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ..errors import DEBUG, OasisGanError, one_line, safe_text
from ..image.label_advice import OWN_TABLE

_HOOKSPECS = "see oasis_gan.plugin.hookspecs"
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


class ApiVersionTypeError(OasisGanError):
    """The API version that a plugin states is not a whole number.

    Args:
        variable: The variable in which a plugin states its API version.
        value: The value of that variable.
        current: The API version of this tool.
    """

    def __init__(self, variable: str, value: object, current: int) -> None:
        super().__init__(
            variable,
            expected="a whole number",
            found=repr(value),
            remedy=f"write it as {variable} = {current}",
        )


class UnsupportedApiVersionError(OasisGanError):
    """A plugin is written for an API version that this tool does not support.

    Args:
        variable: The variable in which a plugin states its API version.
        version: The API version of the plugin.
        supported: The API versions that this tool supports, such as ``1 to 3``.
        remedy: What to do about it.
    """

    def __init__(self, variable: str, version: int, supported: str, remedy: str) -> None:
        super().__init__(
            variable,
            expected=f"a plugin written for API version {supported}",
            found=f"one for {version}",
            remedy=remedy,
        )


class MissingPublicNameError(OasisGanError):
    """A plugin imports a name that this tool does not have.

    Args:
        error: What Python says about the import.
        current: The API version of this tool.
    """

    def __init__(self, error: ImportError, current: int) -> None:
        # Python adds the path of the file in brackets, which is of no use to the user.
        found, _, _ = str(error).partition(" (")
        super().__init__(
            "import",
            expected=f"public names of oasis_gan in API version {current}",
            found=found,
            remedy="upgrade oasis-gan or the plugin, whichever is older",
        )


class HookArgumentsError(OasisGanError):
    """A hook of a plugin takes other arguments than its specification."""

    def __init__(self, reason: Exception) -> None:
        # Only the last line says what is wrong.
        found = str(reason).splitlines()[-1]
        super().__init__(
            "hooks",
            expected="the arguments of their specs",
            found=found,
            remedy=_HOOKSPECS,
        )


class NoHookError(OasisGanError):
    """A plugin implements no hook."""

    def __init__(self, plugin: str) -> None:
        super().__init__(
            plugin,
            expected="a hook marked @hookimpl",
            found="none",
            remedy=_HOOKSPECS,
        )


class UnknownHookError(OasisGanError):
    """A plugin implements a hook that the tool does not have."""

    def __init__(self, hook: str, known: Iterable[str]) -> None:
        super().__init__(
            "hook",
            expected=f"one of {', '.join(known)}",
            found=hook,
            remedy="rename that hook",
        )


class BrokenHookError(OasisGanError):
    """A hook of a plugin raises an exception.

    Args:
        hook: The name of the hook.
        kind: The class of the objects that it should return.
        reason: The exception.
    """

    def __init__(self, hook: str, kind: type, reason: Exception) -> None:
        found = one_line(reason)
        super().__init__(
            hook,
            expected=f"{kind.__name__} objects",
            found=found,
            remedy="fix that hook",
        )


class WrongOfferError(OasisGanError):
    """A hook returns something else than objects of its kind."""

    def __init__(self, hook: str, kind: type, offer: object) -> None:
        expected = f"{kind.__name__} objects"
        found = type(offer).__name__
        super().__init__(
            hook,
            expected=expected,
            found=found,
            remedy=f"yield {expected}",
        )


class WrongFieldError(OasisGanError):
    """An object that a plugin offers has a field of a wrong type.

    Args:
        hook: The hook that returned the object.
        kind: The class of the object.
        declaration: The name of the field and its type, such as ``summary: str``.
        value: The value of the field.
    """

    def __init__(self, hook: str, kind: type, declaration: str, value: object) -> None:
        super().__init__(
            hook,
            expected=f"{kind.__name__} objects with {declaration}",
            found=repr(value),
            remedy="fix that field",
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


class UnpublishedCodingError(OasisGanError):
    """A label map of the Neurite OASIS release has the coding seg24, which is not published.

    Args:
        where: The label map.
        option: How the user can say what the values mean.
    """

    def __init__(self, where: object, option: str) -> None:
        super().__init__(
            where,
            expected="label maps of a published coding (seg4 or seg35)",
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
