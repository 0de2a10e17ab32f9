"""Options that several commands have: plugins, voxel sizes, limits, the format of results."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import click

from ..errors import printable
from ..image.choices import MAX_VOXELS

Decorator = Callable[[Callable[..., None]], Callable[..., None]]
"""Adds options to a command."""
EXISTING = click.Path(path_type=Path, readable=False)
"""A path. Whoever opens it reports one that may not be read: that must not stop the others."""

plugin_option = click.option(
    "--plugin",
    "plugin_files",
    type=EXISTING,
    multiple=True,
    metavar="FILE",
    help="Load this plugin file too.",
)


def _parse_spacing(
    context: click.Context, parameter: click.Parameter, value: str | None
) -> tuple[float, ...] | None:
    """Take three positive numbers, or one for all three axes."""
    if value is None:
        return None
    try:
        sizes = tuple(float(size) for size in value.split(","))
    except ValueError:
        sizes = ()
    if len(sizes) not in {1, 3} or not all(0 < size < float("inf") for size in sizes):
        raise click.BadParameter(
            f"expected millimetres as 1 or 1,1,1.25, found {printable(value)}", context, parameter
        )
    return sizes if len(sizes) == 3 else sizes * 3


spacing_option = click.option(
    "--spacing",
    metavar="X,Y,Z",
    callback=_parse_spacing,
    help="Assume this voxel size in mm, one number or one per axis, where a file states none.",
)
max_voxels_option = click.option(
    "--max-voxels",
    type=click.IntRange(min=1),
    default=MAX_VOXELS,
    show_default=True,
    metavar="N",
    help="Refuse volumes of more voxels, without reading them.",
)


def parse_named_values(
    context: click.Context, parameter: click.Parameter, typed: tuple[str, ...]
) -> tuple[tuple[str, str], ...]:
    """Take names and values with an equals sign between them."""
    pairs = []
    for text in typed:
        # At the first sign: a value may hold others.
        name, sign, value = text.partition("=")
        if not name or not sign:
            message = f"expected NAME=VALUE, found {printable(text)}"
            raise click.BadParameter(message, context, parameter)
        pairs.append((name, value))
    return tuple(pairs)


def format_option(contents: str) -> Decorator:
    """Return the option for the format of the results; ``contents`` says what json adds."""
    return click.option(
        "--format",
        "form",
        type=click.Choice(("table", "tsv", "json")),
        default="table",
        show_default=True,
        help=f"Print the results in this format; {contents}",
    )
