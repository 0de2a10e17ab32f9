"""The memory of evaluating cohorts of several sizes, as docs/evaluation.md states it.

    PYTHONPATH=tests python tests/benchmarks/evaluate_cohort.py [SUBJECTS...]

Small heads of noise are translated by the default model. Cohorts of 10, 50 and 200 of them are
evaluated against their scans, and reported on, each in a process of its own. Prints a table in
Markdown with seconds and peak memory (``ru_maxrss``).
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import nibabel as nib
import numpy as np
from kit.desk import make_head

DEFAULT_SIZES = (10, 50, 200)
SOURCES = ("--source-suffix", "_seg.nii.gz")
TARGETS = ("--target-suffix", "_t1.nii.gz")


def main() -> None:
    """Measure each size."""
    sizes = [int(word) for word in sys.argv[1:]] or list(DEFAULT_SIZES)
    print("| subjects | command | seconds | MB |\n|---|---|---|---|")
    for size in sizes:
        with tempfile.TemporaryDirectory() as folder:
            work = Path(folder)
            make_cohort(work / "heads", size)
            run_tool("run", work / "heads", *SOURCES, "--out", work / "out")
            for command in ("evaluate", "report"):
                scans = ("--against", work / "heads", *SOURCES, *TARGETS)
                seconds, megabytes = run_tool(command, work / "out", *scans)
                print(f"| {size} | {command} | {seconds:.0f} | {megabytes:.0f} |", flush=True)


def make_cohort(folder: Path, size: int) -> None:
    """Save label maps and scans; the seed of each is its number."""
    folder.mkdir()
    for number in range(size):
        labels, scan = make_head(number)
        nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / f"sub-{number:03}_seg.nii.gz")
        nib.save(nib.Nifti1Image(scan, np.eye(4)), folder / f"sub-{number:03}_t1.nii.gz")


def run_tool(*words: object) -> tuple[float, float]:
    """Run the tool and return its seconds and its peak memory in MB."""
    start = time.monotonic()
    command = [sys.executable, "-m", "oasis_gan", *map(str, words)]
    quiet = subprocess.DEVNULL
    process = subprocess.Popen(command, stdout=quiet, stderr=quiet)
    _, status, usage = os.wait4(process.pid, 0)
    if os.waitstatus_to_exitcode(status):
        raise RuntimeError(f"{' '.join(command)} failed")
    return time.monotonic() - start, usage.ru_maxrss / 1000


if __name__ == "__main__":
    main()
