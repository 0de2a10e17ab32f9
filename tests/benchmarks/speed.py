"""Measure how fast oasis-gan is, beside TensorFlow's tutorial, PyTorch and the machine's limit.

    python tests/benchmarks/speed.py [--part NAME ...] [--side NAME ...] [--without-torch]
        [--rounds 5] [--seconds 2] [--size 256] [--filters 64] [--levels 8] [--batch 16]
        [--docs docs/speed.md]

Each side has a process of its own and waits while another is measured; rounds go from one to the
next and begin again. Printed is a table for programs, in seconds; tables for people, and a plot, go
into a page of the documentation. PyTorch comes with the extra ``bench``. Nothing else should run on
the machine.
"""

from __future__ import annotations

import csv
import importlib.util
import os
import shutil
import tempfile
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from io import StringIO
from pathlib import Path

import click
from head import EXAMPLE
from page import machine, versions
from processes import Command, imports, in_turns, python
from rounds import Effort, Entry, Measured, Work, compete
from speed_page import AUTO, FLOAT32, OURS, PACKAGES, PAGE, TITLES, WHOLE, Results, tables
from speed_plot import plot

from oasis_gan import OasisGanError, write_atomically

PARTS = ("inference", "training", "limit", "volume", "size")
VOLUMES = (1, 2, 4)
_PRODUCTS = tuple(
    f"{library}-{of}" for library in ("tensorflow", "pytorch") for of in ("float32", "bfloat16")
)
# Everybody computes an image to learn from whole. `run` computes in float32 by default, `train` in
# auto.
_NEVER = ((WHOLE, "training"), (FLOAT32, "inference"), (AUTO, "training"))
_RANDOM = Path(__file__).with_name("random_model.py")
_SEED = 0
Report = Callable[[str], None]


@dataclass(frozen=True)
class Benchmark:
    """What is measured.

    Args:
        sides: Whom.
        torch: Whether PyTorch is among the libraries.
        work: How large networks and batches are; who does what is filled in.
        product: Rows and columns of the matrices.
        volume: A label map that is translated whole.
        effort: How long.
        report: Takes a line on each step.
    """

    sides: tuple[str, ...]
    torch: bool
    work: Work
    product: int
    volume: Path
    effort: Effort
    report: Report

    def results(self, parts: Sequence[str]) -> Results:
        """Measure some of the `PARTS`."""
        measured: dict[str, dict[str, Measured]] = {}
        for what in ("inference", "training"):
            if what in parts:
                sides = (side for side in self.sides if (side, what) not in _NEVER)
                measured[what] = self._compete(self._side(side, what) for side in sides)
        if "limit" in parts:
            measured["product"] = self._compete(self._products())
        with tempfile.TemporaryDirectory() as folder:
            if "volume" in parts:
                measured["process"] = in_turns(
                    dict(self._processes(Path(folder))), self.effort.rounds, self.report
                )
            if "size" in parts:
                measured |= {
                    name: self._compete(entries) for name, entries in self._sizes().items()
                }
                measured["volumes"] = in_turns(
                    dict(self._cohorts(Path(folder))), self.effort.rounds, self.report
                )
        return measured

    def _compete(self, entries: Iterable[tuple[str, Entry]]) -> dict[str, Measured]:
        return compete(dict(entries), self.effort, self.report)

    def _side(self, side: str, what: str) -> tuple[str, Entry]:
        variant_of = OURS if side in (AUTO, FLOAT32) and OURS in self.sides else None
        return side, Entry(replace(self.work, side=side, what=what), side, variant_of=variant_of)

    def _products(self) -> Iterator[tuple[str, Entry]]:
        for name in _PRODUCTS:
            library = name.partition("-")[0]
            if self.torch or library != "pytorch":
                yield name, Entry(Work(name, "product", self.product), library)

    def _sizes(self) -> dict[str, list[tuple[str, Entry]]]:
        """Return our work at several sizes; a row shares a process, but for the row of cores."""
        ours = replace(self.work, side=OURS, what="inference")
        cores = len(os.sched_getaffinity(0))
        widths = sorted({max(ours.filters // by, 1) for by in (1, 2, 4, 8)})
        return {
            "batch": [
                (str(n), Entry(replace(ours, batch=n), OURS)) for n in _doubling(2 * ours.batch)
            ],
            "width": [(str(n), Entry(replace(ours, filters=n), OURS)) for n in widths],
            "cores": [(str(n), Entry(ours, OURS, n)) for n in _doubling(cores)],
        }

    def _processes(self, folder: Path) -> Iterator[tuple[str, Command]]:
        """Return the whole processes that are measured."""
        model = folder / "model"
        size = [f"--{name}={getattr(self.work, name)}" for name in ("size", "filters", "levels")]
        in_turns({"the model": Command(python(_RANDOM, model, *size))}, 1)
        wrong = _oasis_gan("run", self.volume, "--out", folder / "none", "--model", "misspelt")
        yield "`import tensorflow`", Command(python("-c", "import tensorflow"))
        yield "`oasis-gan --help`", Command(_oasis_gan("--help"))
        heavy = (
            "imports TensorFlow" if imports("tensorflow", wrong) else "TensorFlow is not imported"
        )
        yield f"`oasis-gan run --model misspelt` ({heavy})", Command(wrong, exit_code=2)
        yield "`oasis-gan run`, the default model", self._run(folder / "default")
        full = f"`oasis-gan run`, {self.work.levels} levels of {self.work.filters} filters"
        yield full, self._run(folder / "full", "--model", model)

    def _cohorts(self, folder: Path) -> Iterator[tuple[str, Command]]:
        """Return runs of one volume and of several."""
        for count in VOLUMES:
            cohort = folder / f"of{count}"
            cohort.mkdir()
            for number in range(count):
                shutil.copy(self.volume, cohort / f"head{number}.nii.gz")
            words = _oasis_gan("run", cohort, "--out", folder / f"out{count}", "--overwrite")
            yield str(count), Command(words, large=True)

    def _run(self, out: Path, *words: object) -> Command:
        return Command(
            _oasis_gan("run", self.volume, "--out", out, "--overwrite", *words), large=True
        )


def _oasis_gan(*words: object) -> list[str]:
    return python("-m", "oasis_gan", *words)


def _doubling(limit: int) -> list[int]:
    """Return 1, 2, 4... up to a limit."""
    return [2**power for power in range(limit.bit_length())]


def chosen_sides(requested: Sequence[str], without_torch: bool) -> tuple[str, ...]:
    """Return who is measured.

    Raises:
        OasisGanError: If PyTorch is wanted and not there.
    """
    sides = tuple(side for side in TITLES if not requested or side in requested)
    sides = tuple(side for side in sides if not (without_torch and side.startswith("pytorch")))
    if (
        any(side.startswith("pytorch") for side in sides)
        and importlib.util.find_spec("torch") is None
    ):
        remedy = "pip install 'oasis-gan[bench]', or leave it out by --without-torch"
        raise OasisGanError("PyTorch", expected="torch 2.13.0", found="none", remedy=remedy)
    return sides


def as_tsv(results: Results) -> str:
    """Return a line for each contestant: seconds a slice, an image, a GFLOP or a process."""
    text = StringIO()
    writer = csv.writer(text, delimiter="\t", lineterminator="\n")
    writer.writerow(
        [
            "question",
            "row",
            "precision",
            "median",
            "fastest",
            "slowest",
            "rounds",
            "GFLOP",
            "peak_MB",
        ]
    )
    for question, measured in results.items():
        for name, of in measured.items():
            seconds = [f"{value:.6g}" for value in (of.median, of.low, of.high)]
            writer.writerow(
                [
                    question,
                    name,
                    of.precision,
                    *seconds,
                    len(of.values),
                    f"{of.gflop:g}",
                    f"{of.peak:.0f}",
                ]
            )
    return text.getvalue()


def facts(benchmark: Benchmark) -> list[str]:
    """Return what the rows share."""
    work = benchmark.work
    effort = benchmark.effort
    packages = [*PACKAGES, *(["torch"] if benchmark.torch else [])]
    return [
        f"Machine: {machine()}",
        f"Software: {versions(packages)}",
        f"Networks: {work.levels} levels, {work.filters} filters, {work.size}x{work.size}; "
        f"batches of {work.batch}; "
        f"matrices of {benchmark.product}x{benchmark.product}; seed {work.seed}",
        f"{effort.rounds} rounds of at least {effort.seconds:g} s",
    ]


def command(context: click.Context) -> str:
    """Return the command that makes the page, with no folder of one machine in it."""
    words = ["python tests/benchmarks/speed.py"]
    for name, value in context.params.items():
        if (
            context.get_parameter_source(name) is not click.core.ParameterSource.COMMANDLINE
            or name == "docs"
        ):
            continue
        given = value if isinstance(value, tuple) else (value,)
        option = f"--{name.replace('_', '-')}"
        words += [option if one is True else f"{option} {_word(one)}" for one in given]
    return " ".join([*words, "--docs docs/speed.md"])


def _word(given: object) -> str:
    return (
        "FILE"
        if isinstance(given, Path)
        else f"{given:g}"
        if isinstance(given, float)
        else str(given)
    )


_COUNT = click.IntRange(1)


@click.command()
@click.option(
    "--part", multiple=True, type=click.Choice(PARTS), help="Only this; all if not given."
)
@click.option(
    "--side", multiple=True, type=click.Choice(list(TITLES)), help="Only this; all if not given."
)
@click.option("--without-torch", is_flag=True, help="Leave out what needs PyTorch.")
@click.option("--rounds", default=5, show_default=True, type=_COUNT, help="Of each side.")
@click.option(
    "--seconds",
    default=2.0,
    show_default=True,
    type=click.FloatRange(0),
    help="That a round takes at least.",
)
@click.option(
    "--patience",
    default=30.0,
    show_default=True,
    help="Seconds; what takes longer is measured once.",
)
@click.option(
    "--size", default=256, show_default=True, type=_COUNT, help="Rows and columns of a slice."
)
@click.option(
    "--filters", default=64, show_default=True, type=_COUNT, help="Of the outermost level."
)
@click.option("--levels", default=8, show_default=True, type=_COUNT, help="Of the generator.")
@click.option("--batch", default=16, show_default=True, type=_COUNT, help="Slices at once.")
@click.option(
    "--product",
    default=4096,
    show_default=True,
    type=_COUNT,
    help="Rows and columns of the matrices.",
)
@click.option(
    "--volume",
    default=EXAMPLE,
    type=click.Path(path_type=Path, exists=True),
    help="A label map; the example.",
)
@click.option(
    "--docs",
    type=click.Path(path_type=Path, dir_okay=False),
    help="Put tables and plot into this page.",
)
@click.pass_context
def main(
    context: click.Context,
    part: tuple[str, ...],
    side: tuple[str, ...],
    without_torch: bool,
    rounds: int,
    seconds: float,
    patience: float,
    size: int,
    filters: int,
    levels: int,
    batch: int,
    product: int,
    volume: Path,
    docs: Path | None,
) -> None:
    """Measure how fast oasis-gan is, beside others."""
    try:
        if size % 2**levels:
            remedy = "see --levels"
            expected = f"a multiple of {2**levels} for {levels} levels"
            raise OasisGanError("--size", expected=expected, found=str(size), remedy=remedy)
        sides = chosen_sides(side, without_torch)
        work = Work("", "", size, filters, levels, batch, _SEED)
        effort = Effort(rounds, seconds, patience)
        torch = any(name.startswith("pytorch") for name in sides)
        benchmark = Benchmark(
            sides, torch, work, product, volume, effort, lambda line: click.echo(line, err=True)
        )
        results = benchmark.results(part or PARTS)
        click.echo(as_tsv(results))
        if docs is not None:
            picture = docs.with_suffix(".png")
            PAGE.write(
                docs, tables(results, facts(benchmark), command(context), patience, picture.name)
            )
            if "batch" in results:
                write_atomically(picture, plot(results))
    except (OasisGanError, OSError) as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
