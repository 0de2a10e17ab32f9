"""The options that choose subjects: their sources, their targets, and what is known of both."""

from __future__ import annotations

from collections.abc import Callable

import click

from . import source_option
from .entity_options import entity_option
from .options import (
    EXISTING,
    Decorator,
    max_voxels_option,
    named_values,
    plugin_option,
    spacing_option,
)

_SELECTION_OPTIONS = (
    click.option("--dataset", metavar="NAME", help="Layout of SOURCE.  [default: detected]"),
    click.option(
        "--source-suffix",
        default="",
        metavar="TEXT",
        help="In a folder, use only files whose names end like this: _seg.nii.gz, or _seg for any format.",
    ),
    click.option(
        "--source-is",
        type=click.Choice(("labels", "image")),
        help="What SOURCE holds.  [default: what the model takes; for check, judged by the values]",
    ),
    click.option(
        "--labels",
        metavar="NAME|FILE",
        help="What the values of the label maps mean: oasis, bids, freesurfer, ..., or a table (TSV: index, tissue).",
    ),
    entity_option("participant"),
    entity_option("session"),
    spacing_option,
    max_voxels_option,
    plugin_option,
)


def selects_subjects(required: bool = True) -> Decorator:
    """Add SOURCE and the options that choose subjects of it."""
    metavar = "SOURCE..." if required else "[SOURCE]..."
    argument = click.argument(
        "sources", type=EXISTING, nargs=-1, required=required, metavar=metavar
    )

    def add(command: Callable[..., None]) -> Callable[..., None]:
        for option in reversed((argument, *_SELECTION_OPTIONS)):
            command = option(command)
        return command

    return add


_PAIR_OPTIONS = (
    click.option(
        "--target",
        "target_root",
        type=EXISTING,
        metavar="DIR",
        help="Folder of the targets, named like the sources.",
    ),
    click.option(
        "--target-suffix",
        default="",
        metavar="TEXT",
        help="How target names end: _t1.nii.gz, or _t1.",
    ),
    click.option(
        "--validate",
        multiple=True,
        metavar="SUBJECT",
        help="Hold this subject out of training and measure on it; may be repeated.",
    ),
)
further_sources_option = click.option(
    "--source",
    "further",
    multiple=True,
    metavar=source_option.METAVAR,
    callback=source_option.parse_sources,
    help=source_option.HELP,
)
source_labels_option = click.option(
    "--source-labels",
    multiple=True,
    metavar="NAME=SET",
    callback=named_values,
    help="What the values of a further source mean, by its name in --source: the same choices as for --labels.",
)


def selects_pairs(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that find the target of a subject, and that hold some out."""
    for option in reversed(_PAIR_OPTIONS):
        command = option(command)
    return command
