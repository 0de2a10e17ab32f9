"""How long a page takes to make and to show, as docs/report.md states it.

    PYTHONPATH=tests python tests/benchmarks/report_speed.py HEAD [ROUNDS]

HEAD holds ``t1.nii.gz`` and a map of its tissues, ``seg.nii.gz``. They become a BIDS dataset, the
map is translated by the default model, and `oasis-gan report` compares the output with the T1w:
without a certificate, and with the one that `run --evaluate` made. Then Chromium opens the page.
Prints tables in Markdown with the medians of ROUNDS, 5 by default.
"""

from __future__ import annotations

import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from kit.browser import open_browser

DEFAULT_ROUNDS = 5
# The time origin is the start of the navigation; a picture counts once it is on the screen.
FIRST_PICTURE = """
return new Promise((done) => new PerformanceObserver((list) =>
  done(list.getEntries()[0].renderTime / 1000)).observe({ type: "element", buffered: true }))
"""
VIEWER = "return performance.getEntriesByName('viewer')[0].startTime / 1000"


@dataclass(frozen=True)
class Cost:
    """What a command takes.

    Args:
        seconds: On the clock.
        processor: User and system seconds.
        megabytes: Peak memory of the whole process.
    """

    seconds: float
    processor: float
    megabytes: float


def main() -> None:
    """Make the pages, and open the last one."""
    head = Path(sys.argv[1])
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else DEFAULT_ROUNDS
    with tempfile.TemporaryDirectory() as work:
        dataset = make_dataset(Path(work) / "dataset", head)
        out = Path(work) / "out"
        run_tool("run", dataset, "--out", out, "--evaluate")
        (sidecar,) = out.glob("*_synthT1w.json")
        print("| certificate | seconds | user + system | MB |\n|---|---|---|---|")
        measure_report("kept", dataset, out, rounds)
        remove_certificate(sidecar)
        measure_report("none", dataset, out, rounds)
        measure_page(sidecar.with_suffix(".html"), rounds)


def make_dataset(root: Path, head: Path) -> Path:
    """Make a BIDS dataset of one head, and return it."""
    anat = root / "sub-01" / "anat"
    anat.mkdir(parents=True)
    description = {"Name": "one head", "BIDSVersion": "1.8.0"}
    (root / "dataset_description.json").write_text(json.dumps(description))
    (root / "dseg.tsv").write_text("index\tname\n1\tCSF\n2\tGM\n3\tWM\n")
    shutil.copy(head / "seg.nii.gz", anat / "sub-01_dseg.nii.gz")
    shutil.copy(head / "t1.nii.gz", anat / "sub-01_T1w.nii.gz")
    return root


def remove_certificate(sidecar: Path) -> None:
    """Remove the certificate from a sidecar."""
    content = json.loads(sidecar.read_text())
    del content["evaluation"]
    sidecar.write_text(json.dumps(content))


def measure_report(certificate: str, dataset: Path, out: Path, rounds: int) -> None:
    """Report several times, and print the medians."""
    costs = [run_tool("report", out, "--against", dataset) for _ in range(rounds)]
    seconds = statistics.median(cost.seconds for cost in costs)
    processor = statistics.median(cost.processor for cost in costs)
    megabytes = statistics.median(cost.megabytes for cost in costs)
    print(f"| {certificate} | {seconds:.1f} | {processor:.1f} | {megabytes:.0f} |", flush=True)


def measure_page(page: Path, rounds: int) -> None:
    """Open a page several times, and print the medians."""
    opened = [open_page(page) for _ in range(rounds)]
    first = statistics.median(picture for picture, _ in opened)
    viewer = statistics.median(drawn for _, drawn in opened)
    print("\n| page (MB) | first picture (s) | linked views (s) |\n|---|---|---|")
    print(f"| {page.stat().st_size / 1e6:.1f} | {first:.2f} | {viewer:.2f} |")


def open_page(page: Path) -> tuple[float, float]:
    """Return the seconds until the first picture of a page is drawn, and until its viewer is."""
    # A new browser each time: the time that an old page takes to go would count. It shows a page
    # without pictures first, because a browser that has just started has not started its painter.
    with tempfile.TemporaryDirectory() as folder, open_browser() as browser:
        warm_up = Path(folder) / "empty.html"
        warm_up.write_text("<!doctype html><title>warm-up</title><p>warm-up")
        browser.open(warm_up)
        browser.photograph()
        browser.open(page)
        return float(browser.run(FIRST_PICTURE)), float(browser.run(VIEWER))


def run_tool(*words: object) -> Cost:
    """Run the tool in a process of its own."""
    command = [sys.executable, "-m", "oasis_gan", *map(str, words)]
    start = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise subprocess.CalledProcessError(process.returncode, command)
    return Cost(
        seconds=time.monotonic() - start,
        processor=usage.ru_utime + usage.ru_stime,
        megabytes=usage.ru_maxrss * 1024 / 1e6,
    )


if __name__ == "__main__":
    main()
