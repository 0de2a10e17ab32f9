"""Take lists of labels, as BIDS apps do, with ``--participant-label`` and ``--session-label``."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from pathlib import Path

import click

from .command import Command

_PREFIXES = {"participant": ("sub-",), "session": ("ses-", "sess-")}
_OPTIONS = {f"--{entity}-label": prefixes for entity, prefixes in _PREFIXES.items()}
_LABELS = re.compile(r"[A-Za-z0-9+]+(?:-[A-Za-z0-9+]+)?(?:,[A-Za-z0-9+-]*)*")


def entity_option(entity: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Return the option that chooses by participant or session.

    Labels may be typed with or without their prefix.
    """

    def split_labels(
        context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
    ) -> tuple[str, ...]:
        labels = []
        for value in values:
            labels += [label for label in value.split(",") if label]
        return tuple(_remove_prefix(label, entity) for label in labels)

    return click.option(
        f"--{entity}-label",
        f"{entity}s",
        multiple=True,
        metavar="LABEL...",
        callback=split_labels,
        help=f"Only use these {entity}s of a BIDS dataset: one label or several.",
    )


def _remove_prefix(label: str, entity: str) -> str:
    # A shell that completes the name of a folder adds a slash.
    label = label.rstrip("/")
    for prefix in _PREFIXES[entity]:
        if label.startswith(prefix):
            return label.removeprefix(prefix)
    return label


class SubjectCommand(Command):
    """A command whose options for participants and sessions take several labels.

    In ``--participant-label 01 02``, what follows the first label is another label if it is no
    option, and no file or folder: that is a SOURCE. A folder ``sub-02`` in the current directory
    is taken for a label if the first label begins with ``sub-`` too.
    """

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Give each label an option of its own before click parses them."""
        return super().parse_args(context, list(_repeat_options(arguments)))


def _repeat_options(arguments: list[str]) -> Iterator[str]:
    """Yield arguments with the option repeated before each label that follows the first."""
    option = ""
    first = ""
    expects_first = False
    for position, argument in enumerate(arguments):
        # Whatever follows is a SOURCE, even if it looks like an option.
        if argument == "--":
            yield from arguments[position:]
            return
        name, equals, value = argument.partition("=")
        if name in _OPTIONS:
            option = name
            first = value
            expects_first = not equals
        elif expects_first:
            first = argument
            expects_first = False
        elif option and _is_label(argument, first, _OPTIONS[option]):
            yield option
        else:
            option = ""
        yield argument


def _is_label(argument: str, first: str, prefixes: tuple[str, ...]) -> bool:
    """Tell whether an argument is a label like the first one, and not a SOURCE."""
    if _LABELS.fullmatch(argument.rstrip("/")) is None:
        return False
    if first.startswith(prefixes) and argument.startswith(prefixes):
        return True
    return not os.path.lexists(Path(argument))
