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
    parse_named_values,
    plugin_option,
    spacing_option,
)

_SELECTION_OPTIONS = (
    click.option(
        "--dataset", metavar="NAME", help="Read SOURCE in this layout.  [default: detected]"
    ),
    click.option(
        "--source-suffix",
        default="",
        metavar="TEXT",
        help="Use only files of a folder whose names end like this: _seg.nii.gz, or _seg for any "
        "format.",
    ),
    click.option(
        "--source-is",
        type=click.Choice(("labels", "image")),
        help="Say whether SOURCE holds labels or images.  [default: what the model takes; for "
        "check, judged by the values]",
    ),
    click.option(
        "--labels",
        metavar="NAME|FILE",
        help="Say what the values of label maps mean: oasis, bids, freesurfer, ..., or a table "
        "(TSV: index, tissue).",
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
        help="Find the targets in this folder, under the file names of the sources.",
    ),
    click.option(
        "--target-suffix",
        default="",
        metavar="TEXT",
        help="Find the target of each source by the end of its file name: _t1.nii.gz, or _t1 for "
        "any format.",
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
    callback=parse_named_values,
    help="Say what the values of a further source mean: the NAME that it has in --source, and a "
    "SET as for --labels. May be repeated.",
)


def selects_pairs(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that find the target of a subject, and that hold some out."""
    for option in reversed(_PAIR_OPTIONS):
        command = option(command)
    return command
