"""Train every row of the paper's three ablations with one budget, and score each on held-out heads.

    python tests/benchmarks/ablations.py HEADS --out DIR [--budget small|full] [--steps N]
        [--row NAME ...] [--docs docs/ablations.md]

HEADS holds a folder for each head with ``seg.nii.gz`` (0 background, 1 CSF, 2 GM, 3 WM) and
``t1.nii.gz``. Each row is kept in DIR: stopped at any moment, the same command goes on where it
was. It leaves ``table.tsv`` and ``slices.png`` in DIR, and puts the tables into a page of the
documentation.
"""

from __future__ import annotations

import csv
import json
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from io import BytesIO, StringIO
from pathlib import Path

import click
import numpy as np
from ablations_page import PACKAGES, PAGE, tables
from experiments import EXPERIMENTS, Recipe
from matplotlib.figure import Figure
from numpy.typing import NDArray
from oasis_gan_pix2pix import load, train
from oasis_gan_pix2pix.recipe import parse_recipe
from page import machine, versions
from scoring import COLUMNS, Head, Score

from oasis_gan import OasisGanError, Scan, Subject, TrainingRequest, read_nifti, write_atomically

TABLE = "table.tsv"
PICTURE = "slices.png"
REAL = "real"
PAINTED = "painted"
MEAN = "mean"
_ACROSS = 4  # pictures in a row
_SEED = 0
Slice = NDArray[np.float32]
Scored = dict[str, dict[str, Score]]
"""The score of each head, by row."""


@dataclass(frozen=True)
class Heads:
    """Which heads are learnt from, and which are held out."""

    training: tuple[Subject, ...]
    validation: tuple[Subject, ...]

    @classmethod
    def find(cls, folder: Path, training: Sequence[str], validation: Sequence[str]) -> Heads:
        """Return the heads with these names.

        Raises:
            OasisGanError: If one is on both sides.
        """
        if both := sorted(set(training) & set(validation)):
            expected = "heads that are held out not to be learnt from"
            remedy = "name it once"
            raise OasisGanError(
                "--validate", expected=expected, found=", ".join(both), remedy=remedy
            )
        return cls(
            *(tuple(_head(folder / name) for name in names) for names in (training, validation))
        )


def _head(folder: Path) -> Subject:
    source, target = (Scan(folder / file, read_nifti) for file in ("seg.nii.gz", "t1.nii.gz"))
    return Subject(folder.name, source, target)


def train_row(recipe: Recipe, heads: Heads, folder: Path, report: Callable[[str], None]) -> None:
    """Train a row into ``folder``: leave one that is there, and go on with one that is unfinished.

    Raises:
        OasisGanError: If what is there was made with another recipe or of other heads, or as
            `train` says.
    """
    if _finished(recipe, heads, folder):
        report("already trained")
        return
    from oasis_gan_keras.backend import keras

    # The networks of the row before are not needed any more.
    keras.utils.clear_session()
    train(
        TrainingRequest(
            subjects=heads.training,
            validation=heads.validation,
            out=folder,
            recipe=recipe,
            report=report,
            resume=True,
        )
    )


def _finished(recipe: Recipe, heads: Heads, folder: Path) -> bool:
    requested = parse_recipe(recipe)
    begun = folder / "recipe.toml"
    model = folder / "model.json"
    if begun.exists() and parse_recipe(tomllib.loads(begun.read_text("utf-8"))) != requested:
        raise _another(begun, "the recipe that is asked for")
    if not model.exists():
        return False
    training = json.loads(model.read_text("utf-8"))["training"]
    if training["subjects"] != [subject.name for subject in heads.training]:
        raise _another(model, "the heads that are asked for")
    return bool(training["step"] >= requested.total_steps(training["slices"]))


def _another(path: Path, expected: str) -> OasisGanError:
    return OasisGanError(
        path, expected=expected, found="another", remedy="name another --out, or remove that row"
    )


def score_rows(
    heads: Sequence[Head], folders: Mapping[str, Path]
) -> tuple[Scored, dict[str, Slice]]:
    """Return the scores of the real, painted and trained rows, and slices of the first head."""
    scored: Scored = {}
    shown: dict[str, Slice] = {}
    for name, of in _sources(folders):
        made = {head.name: of(head) for head in heads}
        scored[name] = {head: score for head, (_, score) in made.items()}
        shown[name] = made[heads[0].name][0][heads[0].shown]
    return scored, shown


def _sources(
    folders: Mapping[str, Path],
) -> Iterator[tuple[str, Callable[[Head], tuple[NDArray[np.float32], Score]]]]:
    yield REAL, Head.ceiling
    yield PAINTED, Head.painted
    for name, folder in folders.items():
        translator = load(folder)
        yield name, lambda head, translator=translator: head.generated(translator)  # type: ignore[misc]


def as_tsv(scored: Scored) -> str:
    """Return a line for each row and head, and one for the mean of the heads."""
    text = StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(["row", "head", *COLUMNS])
    for name, of in scored.items():
        for head, score in (of | {MEAN: Score.mean(of.values())}).items():
            writer.writerow([name, head, *(f"{figure:.4f}" for figure in asdict(score).values())])
    return text.getvalue()


def picture(shown: Mapping[str, Slice]) -> bytes:
    """Return a PNG of one axial slice of every row, the real one first, anterior up."""
    down = -(-len(shown) // _ACROSS)
    figure = Figure((3 * _ACROSS, 3.6 * down), dpi=100, layout="tight")
    for place, (name, voxels) in enumerate(shown.items(), 1):
        axes = figure.add_subplot(down, _ACROSS, place)
        axes.set_axis_off()
        axes.set_title(name)
        axes.imshow(voxels.T[::-1], cmap="gray", vmin=0, vmax=1)
    packed = BytesIO()
    figure.savefig(packed, format="png")
    return packed.getvalue()


@click.command()
@click.argument("heads", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.option(
    "--out", required=True, type=click.Path(path_type=Path), help="Keep the trained rows here."
)
@click.option(
    "--budget",
    type=click.Choice(["small", "full"]),
    default="small",
    help="Full is the paper's own size.",
)
@click.option(
    "--steps", type=click.IntRange(1), help="Of each row, instead of what the budget says."
)
@click.option(
    "--row",
    "rows",
    multiple=True,
    type=click.Choice([row.name for row in EXPERIMENTS]),
    help="Only this.",
)
@click.option(
    "--train",
    "training",
    multiple=True,
    default=("mni152_2009a", "colin27", "brainweb"),
    show_default=True,
)
@click.option("--validate", multiple=True, default=("pycortex_s1", "robex_ref"), show_default=True)
@click.option(
    "--docs", type=click.Path(path_type=Path, dir_okay=False), help="Put the tables into this page."
)
def main(
    heads: Path,
    out: Path,
    budget: str,
    steps: int | None,
    rows: tuple[str, ...],
    training: tuple[str, ...],
    validate: tuple[str, ...],
    docs: Path | None,
) -> None:
    """Train and score the paper's ablations on the heads in HEADS."""
    try:
        chosen = Heads.find(heads, training, validate)
        recipes = {
            row.name: row.recipe(budget, steps, _SEED)
            for row in EXPERIMENTS
            if not rows or row.name in rows
        }
        for name, recipe in recipes.items():
            train_row(
                recipe,
                chosen,
                out / name,
                lambda line, name=name: click.echo(f"{name}: {line}", err=True),  # type: ignore[misc]
            )
        scored, shown = score_rows(
            [Head(subject) for subject in chosen.validation], {name: out / name for name in recipes}
        )
        write_atomically(out / TABLE, as_tsv(scored).encode())
        write_atomically(out / PICTURE, picture(shown))
        means = {name: Score.mean(of.values()) for name, of in scored.items()}
        click.echo(as_tsv({name: {MEAN: score} for name, score in means.items()}))
        if docs is not None:
            PAGE.write(
                docs,
                tables(means, facts(out, recipes, chosen, budget), command(budget, steps, rows)),
            )
    except (OasisGanError, OSError) as error:
        raise click.ClickException(str(error)) from None


def facts(out: Path, recipes: Mapping[str, Recipe], heads: Heads, budget: str) -> list[str]:
    """Return what the rows share, from the models themselves."""
    trained = [
        json.loads((out / name / "model.json").read_text("utf-8"))["training"] for name in recipes
    ]
    first = trained[0]
    learnt, held_out = (
        ", ".join(subject.name for subject in side) for side in (heads.training, heads.validation)
    )
    size = first["recipe"]["size"]
    generator = first["recipe"]["generator"]
    steps = f"{first['step']} steps of {first['recipe']['batch']} axial slices"
    return [
        f"Budget: {budget}; {steps}, {size}x{size}, "
        f"{generator['levels']} levels, {generator['filters']} filters; seed {_SEED}",
        f"Trained on {learnt} ({first['slices']} slices); held out: {held_out}",
        f"Machine: {machine()}, {first['precision']}",
        f"Software: {versions(PACKAGES)}",
    ]


def command(budget: str, steps: int | None, rows: Sequence[str]) -> str:
    """Return the command that makes the page, with no folder of one machine in it."""
    words = ["python tests/benchmarks/ablations.py HEADS --out DIR", f"--budget {budget}"]
    words += [f"--steps {steps}"] * (steps is not None) + [f"--row {row}" for row in rows]
    return " ".join([*words, "--docs docs/ablations.md"])


if __name__ == "__main__":
    main()
