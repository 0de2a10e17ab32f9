"""Watch the memory of a long run: ``oasis-gan run`` over many volumes, in one process.

    python tests/benchmarks/soak.py [--volumes 1000] [--voxels 12] [--seed 0]

Every volume is a cube cut out of the example's label map at a place of its own. Printed is how much
memory the process holds when each tenth of them is done, and how many volumes it does a second.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import click
import nibabel as nib
import numpy as np
from head import EXAMPLE
from page import machine, versions
from processes import python
from speed_page import PACKAGES

from oasis_gan import read_nifti


def resident(process: int) -> float:
    """Return the memory that a process holds, in MB; Linux alone tells."""
    fields = dict(
        line.split(":", 1) for line in Path(f"/proc/{process}/status").read_text().splitlines()
    )
    return int(fields["VmRSS"].split()[0]) * 1024 / 1e6


def cut_cubes(folder: Path, count: int, voxels: int, seed: int) -> None:
    """Write cubes of the example into a folder, each with some brain in it."""
    labels = read_nifti(EXAMPLE).voxels.astype(np.uint8)
    places = np.argwhere(labels[:-voxels, :-voxels, :-voxels])
    corners = places[np.random.default_rng(seed).integers(0, len(places), count)]
    for number, (i, j, k) in enumerate(corners):
        cube = labels[i : i + voxels, j : j + voxels, k : k + voxels]
        nib.Nifti1Image(cube, np.eye(4)).to_filename(folder / f"cube{number:05}.nii")


@click.command()
@click.option("--volumes", default=1000, show_default=True, type=click.IntRange(10))
@click.option(
    "--voxels",
    default=12,
    show_default=True,
    type=click.IntRange(8, 128),
    help="Along each edge of a cube.",
)
@click.option("--seed", default=0, show_default=True, help="Of the places of the cubes.")
def main(volumes: int, voxels: int, seed: int) -> None:
    """Translate many volumes in one run, and print how much memory it holds on the way."""
    click.echo(f"{machine()}; {versions(PACKAGES)}; {volumes} cubes of {voxels}^3, seed {seed}")
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "cubes"
        out = Path(folder) / "out"
        source.mkdir()
        cut_cubes(source, volumes, voxels, seed)
        words = python("-m", "oasis_gan", "run", source, "--out", out, "--labels", "oasis")
        process = subprocess.Popen(
            words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        began = time.monotonic()
        for done, _ in enumerate(process.stdout or (), 1):
            if done == 1:
                began = time.monotonic()
            if done % (volumes // 10) == 0:
                held = resident(process.pid)
                rate = (done - 1) / (time.monotonic() - began)
                click.echo(f"{done:6} done  {held:6.0f} MB  {rate:5.1f} volumes a second")
        if process.wait() != 0:
            raise click.ClickException(f"the run ended with {process.returncode}")


if __name__ == "__main__":
    main()
