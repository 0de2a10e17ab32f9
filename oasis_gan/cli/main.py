"""The command line. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

import errno
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import OasisGanError, one_line, printable
from . import source_option
from .bids_options import BidsCommand, is_bids_app
from .cohort_options import translates_cohorts
from .command import CommandGroup, Group
from .entity_options import SubjectCommand
from .errors import TwoPluginsError
from .evaluate_options import compares_outputs
from .flags import with_flags
from .options import (
    EXISTING,
    format_option,
    plugin_option,
)
from .run_options import translates
from .streams import expect_no_readers, find_output_failure, open_closed_streams, write_result
from .subject_options import (
    further_sources_option,
    selects_pairs,
    selects_subjects,
    source_labels_option,
)


@click.group(
    cls=Group,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="To see the traceback of every error, set OASIS_GAN_DEBUG=1 in the environment.",
)
@click.version_option(package_name="oasis-gan")
def cli() -> None:
    """Translate whole brain volumes between label maps and MRI, or between contrasts."""


@cli.command(cls=SubjectCommand, short_help="Translate volumes.")
@selects_subjects()
@further_sources_option
@source_labels_option
@translates
@translates_cohorts
@click.pass_context
def run(context: click.Context, /, **options: object) -> None:
    """Translate every volume in SOURCE, files or folders, and write an output for each.

    Prints the paths of the outputs; DIR/subjects.tsv says what became of each subject.
    Exit status: 0 if all are done, 1 if some subject failed, 2 for wrong usage.
    """
    from .run import RunOptions, run

    context.exit(run(RunOptions(**options)))  # type: ignore[arg-type]  # click has checked the types


@cli.command(cls=BidsCommand, short_help="Translate a BIDS dataset into a BIDS derivative.")
@is_bids_app
@click.pass_context
def bids(context: click.Context, /, **options: Any) -> None:  # noqa: ANN401
    """Translate the label maps of BIDS_DIR, and write a BIDS derivative to OUT_DIR.

    LEVEL is participant, which translates, or group, which writes group_T1w.tsv and index.html of
    everything in OUT_DIR. Options have the names and the manners of fMRIPrep.
    Exit status: 0 if all are done, 1 if some subject failed, 2 for wrong usage.
    """
    from dataclasses import fields

    from .bids import AppOptions, bids

    own = {field.name: options.pop(field.name) for field in fields(AppOptions)}
    context.exit(bids(AppOptions(**own), options))


@cli.command(cls=SubjectCommand, short_help="Train a model, or resume a training.")
@selects_subjects(required=False)
@click.option(
    "--out",
    type=EXISTING,
    metavar="FOLDER",
    help="Write the model to this folder, which is created if needed.",
)
@click.option(
    "--resume", type=EXISTING, metavar="FOLDER", help="Resume the training in this folder."
)
@click.option(
    "--source",
    "moved_to",
    type=click.Path(),
    multiple=True,
    metavar=f"{source_option.METAVAR}|DIR",
    help="Say where to find a further source that the recipe names (sources): a file, a folder "
    "that holds it under the same file name as in SOURCE, or the end of its file names. May be "
    "repeated. With --resume, a DIR says where SOURCE is now, if the data have moved (--target "
    "says it of the targets).",
)
@source_labels_option
@click.option(
    "--kind",
    metavar="NAME",
    help="Train a model of this kind, from the list of `oasis-gan plugins`.  "
    "[default: the first that can be trained]",
)
@click.option(
    "--preset",
    metavar="NAME",
    help="Start from settings that come with the kind of model; --recipe and --set override them.",
)
@click.option(
    "--recipe",
    type=EXISTING,
    metavar="FILE",
    help="Read the settings of the training from this TOML file; they override the preset.",
)
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Change one setting, which overrides the recipe: steps=200, loss.l1_weight=50, or in full "
    "TOML 'planes=[\"axial\"]'. May be repeated.",
)
@click.option(
    "--cache",
    type=EXISTING,
    metavar="DIR",
    help="Keep the training slices in this folder, which several trainings may share.  "
    "[default: `cache` in the model folder, which is removed when the training is finished]",
)
@selects_pairs
@click.pass_context
def train(context: click.Context, /, moved_to: tuple[str, ...], **options: object) -> None:
    """Train a model on the pairs of volumes in SOURCE, or resume a training that was interrupted.

    Prints the model folder. Besides the model it holds the checkpoints, the split, the losses as a
    table and as curves, and samples of the held-out subjects.
    """
    from .train import train
    from .training_start import TrainOptions

    new_places = source_option.pick_new_places(moved_to)
    further = source_option.pick_further_sources(moved_to)
    context.exit(train(TrainOptions(**options, moved_to=new_places, further=further)))  # type: ignore[arg-type]


@cli.command(cls=SubjectCommand, short_help="Check volumes or pairs before you use them.")
@selects_subjects()
@selects_pairs
@further_sources_option
@source_labels_option
@format_option("json includes the measurements.")
@click.pass_context
def check(context: click.Context, /, **options: object) -> None:
    """Check the volumes or pairs in SOURCE for damage, for misaligned pairs and for duplicates.

    The verdict on each subject is accept, fix (something is corrected), warn (used, but look at
    it) or reject.
    Exit status: 0 if none is rejected, 1 if some subject is, 2 for wrong usage.
    """
    from .check import CheckOptions, check

    context.exit(check(CheckOptions(**options)))  # type: ignore[arg-type]


@cli.command(cls=SubjectCommand, short_help="Compare outputs with real scans or label maps.")
@compares_outputs
@format_option("json also holds hashes, versions and a value for each slice.")
@click.pass_context
def evaluate(context: click.Context, /, **options: object) -> None:
    """Compare volumes that a model made with real scans of the same heads, or with label maps.

    OUTPUT is a volume, or a folder that run has written to. Prints image scores in the whole brain
    and in each tissue, with the intensities as they are and with the contrasts of the two matched;
    of several outputs also the means. A segmentation of OUTPUT, by any tool, is compared with the
    label map that OUTPUT was made from: Dice, distance of the surfaces, and the bias of volumes.
    Nothing is resampled or registered.
    Exit status: 0 if all were evaluated, 1 if some could not be, 2 for wrong usage.
    """
    from .evaluate import EvaluateOptions, evaluate_command

    context.exit(evaluate_command(EvaluateOptions(**options)))  # type: ignore[arg-type]


@cli.command(cls=SubjectCommand, short_help="Make pages that show outputs.")
@compares_outputs
@click.pass_context
def report(context: click.Context, /, **options: object) -> None:
    """Make an HTML page for each OUTPUT: three planes, a 3-D view, and the results of evaluate.

    OUTPUT is a volume, or a folder that run has written to. The page lies beside the volume, holds
    everything that it shows, and can be opened without a network; of a folder there is an
    index.html too. Prints the paths of the pages.
    Exit status: 0 if all were made, 1 if some could not be, 2 for wrong usage.
    """
    from .report import ReportOptions, report_command

    context.exit(report_command(ReportOptions(**options)))  # type: ignore[arg-type]  # click has checked the types


@cli.command(short_help="Export a trained model for other software.")
@click.argument("model", metavar="MODEL")
@click.option(
    "--format",
    required=True,
    metavar="NAME",
    help="Export to this file format, such as onnx or savedmodel; for volumes, see run --exporter.",
)
@click.option(
    "--out", type=EXISTING, required=True, metavar="PATH", help="Create this file or folder."
)
@plugin_option
@click.pass_context
def export(context: click.Context, /, **options: object) -> None:
    """Export MODEL, a model of `oasis-gan models` or a model folder, for other software.

    The export is compared with the model before it appears at PATH. An existing PATH is never
    replaced.
    """
    from .export import ExportOptions, export

    context.exit(export(ExportOptions(**options)))  # type: ignore[arg-type]


@cli.group(
    cls=CommandGroup,
    invoke_without_command=True,
    short_help="List the installed plugins, check one, or start a new one.",
)
@plugin_option
@click.option(
    "--check",
    "plugin",
    metavar="PLUGIN",
    help="Check whether this plugin keeps the contract: a Python file, or a name from the list.",
)
@click.option(
    "--sample",
    "samples",
    type=EXISTING,
    multiple=True,
    metavar="PATH",
    help="Run the --check on this file or folder of data, or on this trained model; may be "
    "repeated.",
)
@click.option(
    "--source-suffix",
    default="",
    metavar="TEXT",
    help="Take as sources only files of a --sample whose names end like this.",
)
@click.option(
    "--target",
    "target_root",
    type=EXISTING,
    metavar="DIR",
    help="Find the targets of a --sample in this folder.",
)
@click.option(
    "--target-suffix",
    default="",
    metavar="TEXT",
    help="Take as targets only files of a --sample whose names end like this.",
)
@click.pass_context
def plugins(context: click.Context, /, plugin_files: tuple[Path, ...], **options: Any) -> None:  # noqa: ANN401
    """List the installed plugins: what they offer, where they come from, and what is broken.

    Two environment variables change which plugins are loaded: OASIS_GAN_PLUGIN_PATH names plugin
    files, and folders of them, to load too; OASIS_GAN_DISABLE_PLUGINS names plugins to leave out,
    with commas between them.
    Exit status of --check: 0 if the contract is kept, 1 if something is broken or could not be
    checked.
    """
    if context.invoked_subcommand is not None:
        return
    if options["plugin"] is not None:
        from .check_plugin import CheckOptions, check_plugin

        if plugin_files:
            raise TwoPluginsError(plugin_files[0])

        context.exit(check_plugin(CheckOptions(**options)))
    from .listing import describe_plugins

    for line in describe_plugins(plugin_files):
        write_result(line)


@plugins.command("new", short_help="Start the project of a new plugin.")
@click.argument("name", metavar="NAME")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(("dataset", "model", "exporter")),
    multiple=True,
    required=True,
    help="Write a plugin of this kind; may be repeated for a plugin of several kinds.",
)
@click.option(
    "--out",
    type=EXISTING,
    metavar="DIR",
    help="Create this folder for the project.  [default: NAME]",
)
@click.pass_context
def new(context: click.Context, /, **options: object) -> None:
    """Write the project of a plugin called NAME: a module, its packaging, tests and a README.

    The tests check the plugin against the contract of its kind, and pass as they are. Prints the
    folder of the project. An existing folder is never changed.
    """
    from .new_plugin import NewPluginOptions, create_project

    context.exit(create_project(NewPluginOptions(**options)))  # type: ignore[arg-type]


@cli.command(short_help="List the trained models, or describe one.")
@click.argument("model", required=False, metavar="[MODEL]")
@plugin_option
def models(model: str | None, plugin_files: tuple[Path, ...]) -> None:
    """List the trained models, or describe MODEL: what it takes, what it makes, and its options.

    MODEL is a name from the list, or a model folder.
    """
    from .listing import describe_model, describe_models

    lines = describe_models(plugin_files) if model is None else describe_model(model, plugin_files)
    for line in lines:
        write_result(line)


_WRONG_PATH = {
    errno.ENOENT,
    errno.ENOTDIR,
    errno.EISDIR,
    errno.EEXIST,
    errno.ELOOP,
    errno.ENAMETOOLONG,
}
"""What the file system says where the user named a path that cannot be meant."""


def main() -> None:
    """Run the command line; what a user can fix is one line on standard error.

    Exit status: what the command returned; 1 if the file system failed, 2 for wrong usage, 128 and
    the number of the signal if one ended it.
    """
    open_closed_streams()
    expect_no_readers()
    status = _run_command()
    failure = find_output_failure()
    if failure is not None:
        _report(failure)
        status = status or 1
    sys.exit(status)


def _run_command() -> int:
    """Run the command that was typed and return its exit status."""
    try:
        # False: exceptions come here, and what a command returns too.
        return int(cli.main(standalone_mode=False) or 0)
    # Ctrl-C before a command has begun; within one, `Command` takes it.
    except click.exceptions.Abort:
        return 130
    except click.ClickException as error:
        error.show()
        return 2
    except OasisGanError as error:
        _report(error)
        return 2
    except OSError as error:
        _report(error)
        return 2 if error.errno in _WRONG_PATH else 1


def _report(error: Exception) -> None:
    sys.stderr.write(printable(f"oasis-gan: {with_flags(one_line(error))}") + "\n")
