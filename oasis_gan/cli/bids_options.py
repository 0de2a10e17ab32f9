"""The options of ``oasis-gan bids``, which are those of fMRIPrep where they mean the same."""

from __future__ import annotations

from collections.abc import Callable

import click

from .entity_options import SubjectCommand, entity_option
from .options import EXISTING, max_voxels_option, plugin_option
from .run_options import chooses_model

_OPTIONS = (
    click.argument("bids_dir", type=EXISTING, metavar="BIDS_DIR"),
    click.argument("out_dir", type=EXISTING, metavar="OUT_DIR"),
    click.argument("level", type=click.Choice(("participant", "group")), metavar="LEVEL"),
    entity_option("participant"),
    entity_option("session"),
    click.option(
        "--bids-filter-file",
        "filter_file",
        type=EXISTING,
        metavar="FILE",
        help="Only translate sources whose entities pass the filters in this JSON file.",
    ),
    click.option(
        "-d",
        "--derivatives",
        multiple=True,
        metavar="[NAME=]DIR",
        help="Find the sources in this derivative instead of BIDS_DIR. May be repeated.",
    ),
    click.option(
        "--source-suffix",
        default="",
        metavar="TEXT",
        help="Translate files whose names end like this, such as _T1w.nii.gz.  [default: _dseg]",
    ),
    click.option(
        "--labels",
        metavar="NAME|FILE",
        help="Say what the values of label maps mean: oasis, bids, freesurfer, ..., or a table "
        "(TSV: index, tissue).",
    ),
    click.option(
        "--nprocs",
        type=click.IntRange(min=1),
        metavar="N",
        help="Accept a number of processes, as fMRIPrep does; subjects are translated in one.",
    ),
    click.option(
        "--omp-nthreads",
        type=click.IntRange(min=1),
        metavar="N",
        help="Compute with this many threads.  [default: one for each core]",
    ),
    click.option(
        "--mem",
        metavar="SIZE",
        help="Accept a memory limit, as fMRIPrep does; at most three subjects are in memory.",
    ),
    click.option(
        "-w",
        "--work-dir",
        type=EXISTING,
        metavar="DIR",
        help="Put temporary files into this folder, which is created if needed.",
    ),
    click.option(
        "--random-seed",
        type=int,
        metavar="N",
        help="Accept a seed, as fMRIPrep does; a translation draws no random numbers.",
    ),
    click.option(
        "--reports-only",
        is_flag=True,
        help="Make the pages of outputs that exist, and translate nothing.",
    ),
    click.option(
        "--stop-on-first-crash",
        is_flag=True,
        help="Begin no further subjects after one has failed.",
    ),
    max_voxels_option,
    plugin_option,
)


class BidsCommand(SubjectCommand):
    """A command that takes options with underscores too: BIDS Apps have ``--participant_label``."""

    def parse_args(self, context: click.Context, arguments: list[str]) -> list[str]:
        """Spell options with hyphens before click parses them."""
        return super().parse_args(context, list(map(_spell_option, arguments)))


def _spell_option(argument: str) -> str:
    """Return an argument with hyphens in the name of its option."""
    name, equals, value = argument.partition("=")
    if not name.startswith("--"):
        return argument
    return f"{name.replace('_', '-')}{equals}{value}"


def is_bids_app(command: Callable[..., None]) -> Callable[..., None]:
    """Add the arguments and options of a BIDS App."""
    command = chooses_model(command)
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
