"""Name what can be wrong with a training: a class for each kind of fault."""

from __future__ import annotations

import shlex
from collections.abc import Iterable
from pathlib import Path

from ..errors import OasisGanError
from .errors import FIX_MODEL_PLUGIN, LEAVE_OUT, UnknownChoiceError, enumerate_names
from .source_errors import SOURCE

_GO_ON_WITH = "a training to resume"
_RESUME = "--resume"


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
        super().__init__(SOURCE, expected=expected, found="none", remedy=remedy)


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
        expected = "only --set, --source, --target and --cache beside it"
        remedy = LEAVE_OUT
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
            SOURCE,
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
        super().__init__(kind, expected=expected, found=found, remedy=FIX_MODEL_PLUGIN)


class UnknownPresetError(UnknownChoiceError):
    """A user names a preset that a kind of model does not have."""

    def __init__(self, name: str, known: Iterable[str]) -> None:
        super().__init__("--preset", f"one of {enumerate_names(known)}", name)


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
            expected="different heads to train and to measure on",
            found=f"{subject} and {duplicate}, the same head",
            remedy="put both on one side, or leave one out",
        )


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
