"""Measure the shipped segmenter on a head: voxels of each structure, seconds and memory.

    python tests/benchmarks/structures.py T1 [--reference COUNTS]

T1 is a T1-weighted volume. COUNTS is a text file with the number of voxels of each structure in the
order of the model's labels, without background, as another implementation found them. What is
measured is `oasis-gan run` as a user calls it, in a process of its own.
"""

from __future__ import annotations

import json
import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import click
import numpy as np

from oasis_gan import read_nifti

_MODEL = "t1w-to-structures"


@click.command()
@click.argument("t1", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--reference",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Print these counts beside those found.",
)
def main(t1: Path, reference: Path | None) -> None:
    """Segment T1, and print the size of each structure and what it took."""
    with tempfile.TemporaryDirectory() as out:
        started = time.perf_counter()
        segment(t1, Path(out))
        seconds = time.perf_counter() - started
        (sidecar,) = (json.loads(path.read_text()) for path in Path(out).glob("*.json"))
        (volume,) = Path(out).glob("*.nii.gz")
        labels = read_nifti(volume).voxels.astype(int)
    names = [label["name"] for label in sidecar["target_encoding"]["labels"]]
    counts = np.bincount(labels.ravel(), minlength=len(names) + 1)[1:]
    if reference is None:
        print_counts(names, counts)
    else:
        print_differences(names, counts, np.array(reference.read_text().split(), int))
    gigabytes = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss * 1024 / 1e9
    print(f"\n{seconds:.1f} s, {gigabytes:.1f} GB; {sidecar['computation']}")


def segment(t1: Path, out: Path) -> None:
    """Run the tool on a head."""
    words = ["run", str(t1), "--model", _MODEL, "--out", str(out)]
    subprocess.run(
        [sys.executable, "-m", "oasis_gan", *words],
        check=True,
        stdout=subprocess.DEVNULL,
    )


def print_counts(names: list[str], counts: np.ndarray[Any, Any]) -> None:
    """Print the voxels of each structure."""
    for name, count in zip(names, counts, strict=True):
        print(f"{name:28} {count:>8}")


def print_differences(
    names: list[str],
    counts: np.ndarray[Any, Any],
    reference: np.ndarray[Any, Any],
) -> None:
    """Print the voxels of each structure beside the reference, and their difference in percent."""
    print(f"{'structure':28} {'voxels':>8} {'reference':>9} {'difference':>10}")
    for name, count, expected in zip(names, counts, reference, strict=True):
        print(f"{name:28} {count:>8} {expected:>9} {100 * (count / expected - 1):>+9.2f}%")


if __name__ == "__main__":
    main()
