"""The command line. What is slow to import is imported by the command that needs it."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import click

from .errors import OasisGanError, one_line, printable
from .slicing import Plane

_EXISTING = click.Path(path_type=Path)
_plugin_option = click.option(
    "--plugin",
    "plugin_files",
    type=_EXISTING,
    multiple=True,
    metavar="FILE",
    help="Also load this plugin file.",
)
_dataset_option = click.option("--dataset", metavar="NAME", help="How SOURCE is laid out; guessed if not given.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="oasis-gan")
def cli() -> None:
    """Translate whole brain volumes between label maps and MRI, or between contrasts."""


@cli.command()
@click.argument("sources", type=_EXISTING, nargs=-1, required=True, metavar="SOURCE...")
@click.option("--out", type=_EXISTING, required=True, metavar="DIR", help="Folder for the outputs; made if needed.")
@click.option("--model", metavar="NAME|FOLDER", help="A model of `oasis-gan models`, or a model folder.")
@_dataset_option
@click.option("--exporter", default="nifti", show_default=True, metavar="NAME", help="The format of the outputs.")
@click.option(
    "--plane",
    type=click.Choice([*(plane.value for plane in Plane), "all"]),
    help="To slice in; all: the mean of the model's planes, in thrice the time.  [default: the model's first]",
)
@click.option(
    "--source-suffix",
    default="",
    metavar="TEXT",
    help="Of a folder take only files named so, as _seg.nii.gz.",
)
@click.option(
    "--texture",
    type=click.FloatRange(0, 1),
    metavar="0..1",
    help="From smooth, nearest to the truth on average, to textured like a scan.  [default: the model's]",
)
@click.option("--like", type=_EXISTING, metavar="FILE", help="Give outputs the contrast of this scan of a brain.")
@click.option("--like-labels", type=_EXISTING, metavar="FILE", help="Its tissue map; else told by intensities.")
@_plugin_option
@click.option("--overwrite", is_flag=True, help="Make outputs again that are already there.")
@click.pass_context
def run(context: click.Context, /, **options: object) -> None:
    """Translate SOURCE, files or folders of volumes, and write one volume each.

    Prints the paths of the outputs; DIR/subjects.tsv says what became of each subject.
    Exit status: 0 all done, 1 some subject failed, 2 wrong usage.
    """
    from .commands.running import RunOptions, run

    context.exit(run(RunOptions(**options)))  # type: ignore[arg-type]  # click has checked the types


@cli.command()
@click.argument("sources", type=_EXISTING, nargs=-1, metavar="SOURCE...")
@click.option("--out", type=_EXISTING, metavar="FOLDER", help="The model folder to make.")
@click.option("--resume", type=_EXISTING, metavar="FOLDER", help="Go on with the training in this folder, as it began.")
@click.option("--kind", metavar="NAME", help="The kind of model; see `oasis-gan plugins`.")
@click.option("--preset", metavar="NAME", help="Settings that come with the kind; --recipe and --set go over them.")
@click.option("--recipe", type=_EXISTING, metavar="FILE", help="TOML file with the settings of the training.")
@click.option("--set", "settings", multiple=True, metavar="KEY=VALUE", help="One setting, over those of the recipe.")
@click.option("--validate", multiple=True, metavar="SUBJECT", help="Hold this subject out and measure on it.")
@_dataset_option
@click.option(
    "--target",
    "target_root",
    type=_EXISTING,
    metavar="DIR",
    help="Folder of the targets, named as the sources.",
)
@click.option("--source-suffix", default="", metavar="TEXT", help="How source files are named, as _seg.nii.gz.")
@click.option("--target-suffix", default="", metavar="TEXT", help="How target files are named, as _t1.nii.gz.")
@_plugin_option
@click.pass_context
def train(context: click.Context, /, **options: object) -> None:
    """Train a model on the pairs of volumes in SOURCE, or go on with a training that was interrupted.

    Prints the model folder. Beside the model it holds the checkpoints, the split, the losses as table and curves, and
    samples of the held-out subjects.
    """
    from .commands.training import TrainOptions, train

    context.exit(train(TrainOptions(**options)))  # type: ignore[arg-type]


@cli.command()
@click.argument("model", metavar="MODEL")
@click.option("--format", required=True, metavar="NAME", help="What to write, such as onnx or savedmodel.")
@click.option("--out", type=_EXISTING, required=True, metavar="PATH", help="The file or folder to make.")
@_plugin_option
@click.pass_context
def export(context: click.Context, /, **options: object) -> None:
    """Write MODEL, a model of `oasis-gan models` or a model folder, for other software.

    What is written is compared with the model first, and then it takes the name PATH; what is there is not replaced.
    """
    from .commands.exporting import ExportOptions, export

    context.exit(export(ExportOptions(**options)))  # type: ignore[arg-type]


@cli.command()
@_plugin_option
def plugins(plugin_files: tuple[Path, ...]) -> None:
    """List the installed plugins: what they offer, where they come from, what is broken and why."""
    from .commands.listing import plugin_table

    for line in plugin_table(plugin_files):
        click.echo(line)


@cli.command()
@_plugin_option
def models(plugin_files: tuple[Path, ...]) -> None:
    """List the trained models that are ready to use."""
    from .commands.listing import model_table

    for line in model_table(plugin_files):
        click.echo(line)


def main() -> None:
    """Run the command line; what a user can mend is one line on standard error."""
    try:
        # False: exceptions come here, and what a command returns too.
        status = cli.main(standalone_mode=False)
    except click.exceptions.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except BrokenPipeError:
        # Whoever read our results has gone; without this Python complains once more at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except (OasisGanError, OSError) as error:
        click.echo(printable(f"oasis-gan: {one_line(error)}"), err=True)
        sys.exit(2)
    sys.exit(status)
