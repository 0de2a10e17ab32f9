"""The options of ``oasis-gan evaluate``: which outputs, and what they are compared with."""

from __future__ import annotations

from collections.abc import Callable

import click

from .entity_options import entity_option
from .options import EXISTING, max_voxels_option, plugin_option, spacing_option

_OPTIONS = (
    click.argument("outputs", type=EXISTING, nargs=-1, required=True, metavar="OUTPUT..."),
    click.option(
        "--against",
        type=EXISTING,
        metavar="PATH",
        help="The real scan, on the same grid; for several outputs, the folder of the scans or a table of pairs.",
    ),
    click.option(
        "--labels",
        type=EXISTING,
        metavar="PATH",
        help="The label map that OUTPUT was made from, or the folder of the label maps.  "
        "[default: the file that the JSON beside OUTPUT names]",
    ),
    click.option(
        "--label-set",
        metavar="NAME|FILE",
        help="What the values of --labels mean: a label set, or a table (TSV: index, tissue).  "
        "[default: found beside it]",
    ),
    click.option(
        "--segmentation",
        type=EXISTING,
        metavar="PATH",
        help="A segmentation of OUTPUT to compare with the label map; for several outputs, the folder of the "
        "segmentations.",
    ),
    click.option(
        "--segmentation-suffix",
        default="",
        metavar="TEXT",
        help="How the names of segmentations in a folder end, after the name of the output: _dseg.nii.gz.",
    ),
    click.option(
        "--segmenter",
        metavar="NAME|FOLDER",
        help="Instead, segment each OUTPUT, and the real scan, with this model of `oasis-gan models`, such as "
        "t1w-to-structures.",
    ),
    click.option(
        "--segment",
        metavar="COMMAND",
        help="Instead, segment each OUTPUT with this command, in which {input} and {output} stand for the two files: "
        "'mri_synthseg --i {input} --o {output}'.",
    ),
    click.option(
        "--segmentation-set",
        metavar="NAME|FILE",
        help="What the values of the segmentations mean: the same choices as for --label-set.  "
        "[default: found beside it]",
    ),
    click.option(
        "--source-suffix",
        default="",
        metavar="TEXT",
        help="How the names of label maps end: _seg.nii.gz.",
    ),
    click.option(
        "--target-suffix",
        default="",
        metavar="TEXT",
        help="How the names of real scans end: _t1.nii.gz.",
    ),
    click.option(
        "--dataset", metavar="NAME", help="Layout of the scans and label maps.  [default: detected]"
    ),
    entity_option("participant"),
    entity_option("session"),
    spacing_option,
    max_voxels_option,
    plugin_option,
)


def compares_outputs(command: Callable[..., None]) -> Callable[..., None]:
    """Add OUTPUT, and the options that say what outputs are compared with."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
