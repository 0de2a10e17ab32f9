"""The option ``--source``: where further sources are.

In a resumed training it also says where the data are now.
"""

from __future__ import annotations

import os
import re
from collections.abc import Sequence
from pathlib import Path

import click

from ..errors import printable

# DOTALL: the name of a file may hold a line end.
_NAMED = re.compile("[A-Za-z][A-Za-z0-9_-]*=.+", re.DOTALL)
METAVAR = "NAME=WHERE"
HELP = (
    "Say where to find a further source of the model: a file, a folder that holds it under the "
    "same file name as in SOURCE, or the end of its file names (_T2w.nii.gz). May be repeated; "
    "`oasis-gan models MODEL` lists the names."
)

NamedSource = tuple[str, str]
"""The name of a further source, and where it is."""


def parse_sources(
    context: click.Context, parameter: click.Parameter, typed: tuple[str, ...]
) -> tuple[NamedSource, ...]:
    """Split names from places at the equals sign between them."""
    for text in typed:
        if not _NAMED.fullmatch(text):
            message = f"expected {METAVAR}, found {printable(text)}"
            raise click.BadParameter(message, context, parameter)
    return tuple(_split(text) for text in typed)


def pick_further_sources(typed: Sequence[str]) -> tuple[NamedSource, ...]:
    """Return those of some texts that name a further source.

    The name of a file or folder may hold an equals sign too.
    """
    return tuple(_split(text) for text in typed if _is_named(text))


def pick_new_places(typed: Sequence[str]) -> tuple[Path, ...]:
    """Return those of some texts that are a place of SOURCE."""
    return tuple(Path(text) for text in typed if not _is_named(text))


def _split(text: str) -> NamedSource:
    name, _, where = text.partition("=")
    return name, where


def _is_named(text: str) -> bool:
    return _NAMED.fullmatch(text) is not None and not os.path.lexists(text)
