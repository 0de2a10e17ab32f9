"""The options of ``oasis-gan run`` say how volumes are translated and where outputs go."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import click

from ..image.choices import DATATYPES
from .options import EXISTING, Decorator, parse_named_values

_FILE_OPTIONS = (
    click.option(
        "--out",
        type=EXISTING,
        required=True,
        metavar="DIR",
        help="Write outputs to this folder, which is created if needed.",
    ),
    click.option(
        "--exporter",
        default="nifti",
        show_default=True,
        metavar="NAME",
        help="Write volumes in this file format: an exporter of `oasis-gan plugins`.",
    ),
)
_MODEL_OPTIONS = (
    click.option(
        "--model",
        metavar="NAME|FOLDER",
        help="Translate with this model: a name from `oasis-gan models`, or a model folder.  "
        "[default: the first in that list]",
    ),
    click.option(
        "--dtype",
        type=click.Choice(DATATYPES),
        help="Write voxels of this type, rounded if it is an integer.  "
        "[default: float32, or the smallest integers for labels]",
    ),
    click.option(
        "--option",
        "options",
        multiple=True,
        metavar="NAME=VALUE",
        callback=parse_named_values,
        help="Set an option of the model; `oasis-gan models NAME` lists them. May be repeated.",
    ),
    click.option(
        "--plane",
        metavar="PLANE",
        help="Slice volumes in this plane: axial, coronal or sagittal, or all, which averages "
        "every plane of the model and takes about three times as long. Short for "
        "--option plane=PLANE.  [default: the model's first plane, or the one that suits a "
        "thin volume]",
    ),
    click.option(
        "--texture",
        metavar="0..1",
        help="Give outputs this much texture: from 0, smooth and closest to the truth on average, "
        "to 1, textured like a real scan. Short for --option texture=VALUE.  "
        "[default: the model's]",
    ),
    click.option(
        "--precision",
        metavar="PRECISION",
        help="Compute in this precision: float32; bfloat16, which is faster on processors that "
        "support it and gives slightly different voxels; or auto, which uses it only there. "
        "Short for --option precision=PRECISION.  [default: float32]",
    ),
    click.option(
        "--uncertainty",
        is_flag=True,
        help="Write a map of the standard deviation of the model's answers too. Takes about five "
        "times as long with the default model. Short for --option uncertainty=true.",
    ),
    click.option(
        "--like", type=EXISTING, metavar="FILE", help="Give outputs the contrast of this scan."
    ),
    click.option(
        "--like-labels",
        type=EXISTING,
        metavar="FILE",
        help="Take the tissues of the --like scan from this label map; without one, the scan "
        "must be skull-stripped.",
    ),
    click.option(
        "--like-label-set",
        metavar="NAME|FILE",
        help="Say what the values of --like-labels mean: the same choices as for --labels.  "
        "[default: found beside it]",
    ),
    click.option("--overwrite", is_flag=True, help="Replace outputs that already exist."),
    click.option(
        "--evaluate",
        is_flag=True,
        help="Segment each output again and compare it with its label map; see evaluation.tsv and "
        "the sidecars.",
    ),
    click.option(
        "--segmenter",
        metavar="NAME|FOLDER",
        help="Segment outputs for --evaluate with this model.  [default: t1w-to-structures]",
    ),
    click.option(
        "--preview",
        is_flag=True,
        help="Write a PNG beside each output, with slices of its source, of the output, and of the "
        "real scan if there is one.",
    ),
    click.option(
        "--report",
        is_flag=True,
        help="Make an HTML page for each output and an index of the pages.",
    ),
)


def translates(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how volumes are translated, and where outputs go."""
    return _add((*_FILE_OPTIONS, *_MODEL_OPTIONS), command)


def chooses_model(command: Callable[..., None]) -> Callable[..., None]:
    """Add the options that say how volumes are translated, where the files are fixed."""
    return _add(_MODEL_OPTIONS, command)


def _add(options: Sequence[Decorator], command: Callable[..., None]) -> Callable[..., None]:
    """Add options to a command, in the order in which its help lists them."""
    for option in reversed(options):
        command = option(command)
    return command
