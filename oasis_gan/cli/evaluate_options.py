"""The options of ``oasis-gan evaluate`` choose outputs and their counterparts."""

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
        help="Compare with this real scan, on the same grid; for several outputs, with the folder "
        "of the scans or a table of pairs.",
    ),
    click.option(
        "--labels",
        type=EXISTING,
        metavar="PATH",
        help="Use this label map, which OUTPUT was made from, or the folder of the label maps.  "
        "[default: the file that the sidecar of OUTPUT names]",
    ),
    click.option(
        "--label-set",
        metavar="NAME|FILE",
        help="Read the label map of --labels with this label set, or with a table (TSV: "
        "index, tissue).  "
        "[default: found beside it]",
    ),
    click.option(
        "--segmentation",
        type=EXISTING,
        metavar="PATH",
        help="Compare this segmentation of OUTPUT with the label map; for several outputs, the "
        "folder of the segmentations.",
    ),
    click.option(
        "--segmentation-suffix",
        default="",
        metavar="TEXT",
        help="Find segmentations in a folder by this end of their names, after the name of the "
        "output: _dseg.nii.gz.",
    ),
    click.option(
        "--segmenter",
        metavar="NAME|FOLDER",
        help="Segment each OUTPUT, and the real scan, with this model of `oasis-gan models`, such "
        "as t1w-to-structures, instead of reading --segmentation.",
    ),
    click.option(
        "--segment",
        metavar="COMMAND",
        help="Segment each OUTPUT with this command instead, in which {input} and {output} stand "
        "for the two files: 'mri_synthseg --i {input} --o {output}'.",
    ),
    click.option(
        "--segmentation-set",
        metavar="NAME|FILE",
        help="Read the segmentations with this label set: the same choices as for --label-set.  "
        "[default: found beside it]",
    ),
    click.option(
        "--source-suffix",
        default="",
        metavar="TEXT",
        help="Use only label maps whose names end like this: _seg.nii.gz.",
    ),
    click.option(
        "--target-suffix",
        default="",
        metavar="TEXT",
        help="Use only real scans whose names end like this: _t1.nii.gz.",
    ),
    click.option(
        "--dataset",
        metavar="NAME",
        help="Read the scans and label maps in this layout of files.  [default: detected]",
    ),
    entity_option("participant"),
    entity_option("session"),
    spacing_option,
    max_voxels_option,
    plugin_option,
)


def compares_outputs(command: Callable[..., None]) -> Callable[..., None]:
    """Add OUTPUT, and the options that choose the counterparts of outputs."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
