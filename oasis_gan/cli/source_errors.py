"""Name what can be wrong with the further sources of a command: a class for each kind of fault."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from ..errors import OasisGanError
from .errors import LEAVE_OUT, MissingPathError, RepeatedValueError, UnknownChoiceError

SOURCE = "--source"


def _enumerate_sources(names: Sequence[str]) -> str:
    first, *further = names
    if not further:
        return f"{first} (SOURCE) alone"
    return " and ".join([f"{first} (SOURCE)", *further])


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
            super().__init__(SOURCE, expected, f"{name}, which is SOURCE", LEAVE_OUT)
        else:
            super().__init__(SOURCE, expected, name)


class NoFurtherSourcesError(OasisGanError):
    """A user says where a further source is, and the recipe names no sources."""

    def __init__(self, name: str) -> None:
        expected = "a further source of the recipe, which names none"
        example = f'sources = {{ first = "image", {name} = "image" }}'
        remedy = f"name them there: {example}"
        super().__init__(SOURCE, expected=expected, found=name, remedy=remedy)


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
        super().__init__(SOURCE, what, first, second)


class SourceNotGivenError(OasisGanError):
    """A user does not say where a further source is.

    Args:
        name: The name of the source.
        names: The sources that there are, the first of which is SOURCE.
        owner: Whose sources they are, such as ``the recipe``.
    """

    def __init__(self, name: str, names: Sequence[str], owner: str) -> None:
        expected = f"{name}=WHERE for {owner}, which takes {_enumerate_sources(names)}"
        remedy = suggest_source_option(name)
        super().__init__(SOURCE, expected=expected, found="none", remedy=remedy)


class NoSourcePlaceError(MissingPathError):
    """A user says that a further source is where there is nothing."""

    def __init__(self, where: str) -> None:
        expected = "a file, a folder, or the end of file names"
        super().__init__(f"{SOURCE} {where}", expected, "no such file or folder")


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
        super().__init__(SOURCE, expected=expected, found=found, remedy=remedy)


class FurtherSourceMissingError(OasisGanError):
    """A subject has no further source of a name.

    Args:
        path: The source beside which it should be.
        name: The name of the further source.
        found: What there is instead.
        remedy: What to do about it; by default, to say where it is.
    """

    def __init__(self, path: Path, name: str, found: str = "none", remedy: str = "") -> None:
        remedy = remedy or suggest_source_option(name)
        super().__init__(path, expected=f"a {name} beside it", found=found, remedy=remedy)


class FurtherSourceSearchError(OasisGanError):
    """A reader that looks for a further source as if it were a target finds a fault with targets.

    Args:
        error: The error, which speaks of targets.
        name: The name of the further source.
    """

    def __init__(self, error: OasisGanError, name: str) -> None:
        option = f"{SOURCE} {name}"
        where = option if error.where in {"`target_root`", "`target_suffix`"} else error.where
        expected = error.expected.replace("targets", name)
        remedy = error.remedy.replace("`target_suffix`", f"{option}=ENDING")
        remedy = remedy.replace("`target_root`", f"{option}=DIR")
        super().__init__(where, expected=expected, found=error.found, remedy=remedy)


def suggest_source_option(name: str) -> str:
    """Return how a user says where a further source is."""
    return (
        f"say where it is with {SOURCE} {name}=WHERE: a file, a folder, or how its file name ends"
    )
