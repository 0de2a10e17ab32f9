"""Measure how much memory a training takes, and how long its steps, by the number of heads.

    python tests/benchmarks/training_memory.py [--heads 10 --heads 100 --heads 1000] [--steps 200]
        [--docs docs/training.md]

The heads are synthetic: balls of three tissues with noise, each with noise of its own. Printed, or
put into a page of the documentation, is a table with the peak memory of the whole process
(`oasis-gan train` from its start to its end, checks included), the time of a step, and the size of
the training slices on the disk. Nothing else should run on the machine.
"""

from __future__ import annotations

import itertools
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

import click
import nibabel as nib
import numpy as np
from page import Page, machine, versions
from processes import Command, python, ran

SHAPE = (64, 72, 64)
SPACING = 2.5  # mm, so that a small volume is as large as a head
SETTINGS = (
    "size=64",
    "spacing=2.5",
    "batch=4",
    "precision=float32",
    "generator.levels=3",
    "generator.filters=8",
    "discriminator.filters=8",
)
COUNTS = (10, 100, 1000)
_PAGE = Page("tests/benchmarks/training_memory.py", "{tables}\n")
_PAIRS = ("--source-suffix", "_seg.nii", "--target-suffix", "_t1.nii")


@dataclass(frozen=True)
class Row:
    """What a training took.

    Args:
        heads: How many heads it learnt from.
        peak: The most memory of the process, in MB.
        step: The time of a step on the clock, in ms.
        computed: The time that all processors compute for a step, in ms.
        start: The time before the first step, in s.
        cache: The size of the training slices, in MB.
    """

    heads: int
    peak: float
    step: float
    computed: float
    start: float
    cache: float


@click.command()
@click.option("--heads", type=int, multiple=True, default=COUNTS, show_default=True)
@click.option("--steps", type=int, default=200, show_default=True)
@click.option("--docs", type=click.Path(path_type=Path), help="Put the table into this page.")
def main(heads: tuple[int, ...], steps: int, docs: Path | None) -> None:
    """Train on more and more heads, and print what each training took."""
    with tempfile.TemporaryDirectory() as folder:
        rows = [_measure(Path(folder), count, steps) for count in heads]
    table = _format(rows, steps)
    if docs is None:
        print(table)
    else:
        _PAGE.write(docs, table)


def _measure(folder: Path, count: int, steps: int) -> Row:
    data = folder / "heads"
    data.mkdir(exist_ok=True)
    for number in range(count):
        _save_head(data, number)
    out = folder / f"of{count}"
    cache = folder / "cache"
    words = ("train", data, *_PAIRS, "--out", out, "--cache", cache, "--set", f"steps={2 * steps}")
    settings = itertools.chain.from_iterable(("--set", setting) for setting in SETTINGS)
    timed = Path(__file__).with_name("timed_training.py")
    log = folder / f"{count}.txt"
    _, peak = ran(Command(python(timed, log, steps, *words, *settings)))
    start, step, computed = map(float, log.read_text().split())
    size = sum(path.stat().st_size for path in cache.iterdir())
    print(f"{count} heads: {peak:.0f} MB, {step:.1f} ms a step", file=sys.stderr)
    return Row(count, peak, step, computed, start, size / 1e6)


def _save_head(folder: Path, number: int) -> None:
    """Write a head, unless an earlier training has left it."""
    path = folder / f"s{number:04}_seg.nii"
    if path.exists():
        return
    rng = np.random.default_rng(number)
    grid = np.indices(SHAPE) - np.array(SHAPE).reshape(3, 1, 1, 1) / 2
    radius = np.sqrt((grid**2).sum(0)) + rng.normal(0, 0.5, SHAPE)
    labels = np.select([radius < 14, radius < 24, radius < 29], [3, 2, 1], 0).astype(np.uint8)
    greys = np.array([0, 30, 60, 90])[labels]
    image = (greys + rng.normal(0, 4, SHAPE) * (labels > 0)).astype(np.float32)
    affine = np.diag([SPACING, SPACING, SPACING, 1.0])
    nib.save(nib.Nifti1Image(labels, affine), path)
    nib.save(nib.Nifti1Image(image, affine), folder / f"s{number:04}_t1.nii")


def _format(rows: list[Row], steps: int) -> str:
    """Return the table, and what it was made with."""
    x, y, z = SHAPE
    made = (
        f"Volumes of {x} x {y} x {z} voxels, a network of 3 levels and 8 filters, batches of 4, "
        f"the mean of {steps} steps after the first {steps}. {machine()}. "
        f"{versions(('oasis-gan', 'tensorflow', 'numpy'))}."
    )
    lines = [
        "| heads | peak memory, MB | ms a step | CPU ms a step | s to the first step | cache, MB |",
        "|---|---|---|---|---|---|",
    ]
    for row in rows:
        times = f"{row.step:.1f} | {row.computed:.1f} | {row.start:.0f}"
        lines.append(f"| {row.heads} | {row.peak:.0f} | {times} | {row.cache:.0f} |")
    return "\n".join([*lines, "", made])


if __name__ == "__main__":
    main()
