"""The options ``--participant-label`` and ``--session-label``: lists of labels, as BIDS apps take them."""

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
    """Return the option that chooses by participant or session; labels come with and without their prefix."""

    def labels(
        context: click.Context, parameter: click.Parameter, values: tuple[str, ...]
    ) -> tuple[str, ...]:
        return tuple(
            _without_prefix(label, entity)
            for value in values
            for label in value.split(",")
            if label
        )

    return click.option(
        f"--{entity}-label",
        f"{entity}s",
        multiple=True,
        metavar="LABEL...",
        callback=labels,
        help=f"Only use these {entity}s of a BIDS dataset: one label or several.",
    )


def _without_prefix(label: str, entity: str) -> str:
    # A shell that completes the name of a folder puts a slash behind it.
    label = label.rstrip("/")
    prefix = next((prefix for prefix in _PREFIXES[entity] if label.startswith(prefix)), "")
    return label.removeprefix(prefix)


class SubjectCommand(Command):
    """A command whose options for participants and sessions take several labels: ``--participant-label 01 02``.

    What follows the first label is another one if it is no option and no file or folder; that is a SOURCE. A folder
    ``sub-02`` in the current directory is taken for a label where the first one was written so too.
    """

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Give each label an option of its own before click parses them."""
        return super().parse_args(context, list(_one_label_each(arguments)))


def _one_label_each(arguments: list[str]) -> Iterator[str]:
    option = ""
    first = ""
    is_value = False
    for position, argument in enumerate(arguments):
        if argument == "--":
            yield from arguments[position:]
            return
        name, has_value, value = argument.partition("=")
        if name in _OPTIONS:
            option = name
            first = value
            is_value = not has_value
        elif is_value:
            first = argument
            is_value = False
        elif option and _is_label(argument, first, _OPTIONS[option]):
            yield option
        else:
            option = ""
        yield argument


def _is_label(argument: str, first: str, prefixes: tuple[str, ...]) -> bool:
    if _LABELS.fullmatch(argument.rstrip("/")) is None:
        return False
    if first.startswith(prefixes) and argument.startswith(prefixes):
        return True
    return not os.path.lexists(Path(argument))
