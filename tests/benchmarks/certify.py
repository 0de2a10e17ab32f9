"""The whole evaluation of two real heads with the default model, as docs/evaluation.md shows it.

    python tests/benchmarks/certify.py DATA [HEAD...]

DATA holds a folder for each head, with ``t1.nii.gz`` and a map of its tissues, ``seg.nii.gz``. Each
map is translated by the default model, and the output is evaluated against the T1w with each
segmenter, in a process of its own. Prints tables in Markdown, with seconds on the clock,
seconds of processor time, and peak memory.
"""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from importlib.metadata import version
from pathlib import Path
from typing import Any

from oasis_gan.evaluation.measures import SECTIONS, Measure

SEGMENTERS = ("t1w-to-structures", "t1w-to-tissues")
DEFAULT_HEADS = ("pycortex_s1", "robex_ref")
SHOWN = ("matched", "discontinuity", "faithfulness", "ceiling", "agreement")


def main() -> None:
    """Evaluate each head with each segmenter."""
    data = Path(sys.argv[1])
    heads = sys.argv[2:] or list(DEFAULT_HEADS)
    print(
        f"{platform.machine()}, oasis-gan {version('oasis-gan')}, default model, no seed needed\n"
    )
    with tempfile.TemporaryDirectory() as folder:
        for head in heads:
            source = data / head / "seg.nii.gz"
            run_tool("run", source, "--out", Path(folder) / head)
            output = next((Path(folder) / head).glob("*_synthT1w.nii.gz"))
            for segmenter in SEGMENTERS:
                evaluate_head(head, output, data / head, segmenter)


def evaluate_head(head: str, output: Path, folder: Path, segmenter: str) -> None:
    """Evaluate an output and print the tables."""
    start = time.monotonic()
    text, usage = run_tool(
        "evaluate",
        output,
        "--against",
        folder / "t1.nii.gz",
        "--labels",
        folder / "seg.nii.gz",
        "--segmenter",
        segmenter,
        "--format",
        "json",
    )
    seconds = time.monotonic() - start
    (subject,) = json.loads(text)["subjects"]
    processor = usage.ru_utime + usage.ru_stime
    gigabytes = usage.ru_maxrss * 1024 / 1e9
    print(f"\n{head}, segmented by {segmenter}: {seconds:.0f} s on the clock,")
    print(f"{processor:.0f} s of processor time, {gigabytes:.2f} GB\n")
    print_regions(subject["tissues"])
    if subject["structures"]:
        print()
        print_regions(subject["structures"])


def print_regions(regions: dict[str, Any]) -> None:
    """Print a row for each measure that is shown, and a column for each region."""
    print(f"| | measure | {' | '.join(regions)} |")
    print("|---|---|" + "---|" * len(regions))
    for section in SECTIONS:
        if section.key not in SHOWN:
            continue
        for measure in section.measures:
            values = [region.get(section.key, {}).get(measure.key) for region in regions.values()]
            if any(value is not None for value in values):
                cells = " | ".join(format_value(measure, value) for value in values)
                print(f"| {section.key} | {measure.title} | {cells} |")


def format_value(measure: Measure, value: float | None) -> str:
    """Return a figure as tables show it."""
    return "n/a" if value is None else measure.format(value)


def run_tool(*words: object) -> tuple[str, resource.struct_rusage]:
    """Run the tool in a process of its own; return what it prints, and what it took."""
    command = [sys.executable, "-m", "oasis_gan", *map(str, words)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        text = process.stdout.read()
        # Not that of all children together, among which a larger one may have been before.
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return text, usage


if __name__ == "__main__":
    main()
