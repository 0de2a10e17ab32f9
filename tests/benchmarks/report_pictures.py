"""The pictures of docs/report.md: a page of a real head, on a screen and on a phone.

    PYTHONPATH=tests python tests/benchmarks/report_pictures.py HEAD FOLDER

HEAD holds ``t1.nii.gz`` and a map of its tissues, ``seg.nii.gz``. The map is translated by the
default model, the output segmented by ``t1w-to-structures``, and the page photographed in Chromium.
Writes ``report.webp`` and ``report-phone.webp`` into FOLDER, and prints the size of the page and
the seconds that its first picture takes.
"""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from kit.browser import Browser, open_browser
from PIL import Image

QUALITY = 80
FIRST_PAINT = "return performance.getEntriesByName('first-contentful-paint')[0].startTime / 1000"


def main() -> None:
    """Make the page and photograph it twice."""
    head = Path(sys.argv[1])
    folder = Path(sys.argv[2])
    with tempfile.TemporaryDirectory() as work:
        page = make_page(head, Path(work))
        print(f"{page.stat().st_size / 1e6:.1f} MB")
        with open_browser() as browser:
            browser.open(page, width=1200, height=1500)
            print(f"first picture after {browser.run(FIRST_PAINT):.2f} s")
            save(browser, folder / "report.webp")
            browser.open(page, width=390, height=1100, scheme="dark")
            save(browser, folder / "report-phone.webp")


def make_page(head: Path, work: Path) -> Path:
    """Translate a head in an empty folder, report on it, and return the page."""
    heads = work / "heads"
    heads.mkdir()
    shutil.copy(head / "seg.nii.gz", heads / "sub-01_seg.nii.gz")
    shutil.copy(head / "t1.nii.gz", heads / "sub-01_t1.nii.gz")
    sources = ("--source-suffix", "_seg.nii.gz")
    run_tool("run", heads, *sources, "--out", work / "out", "--uncertainty")
    scans = ("--against", heads, *sources, "--target-suffix", "_t1.nii.gz")
    run_tool("report", work / "out", *scans, "--segmenter", "t1w-to-structures")
    return work / "out" / "sub-01_synthT1w.html"


def run_tool(*words: object) -> None:
    """Run the tool; its output is shown."""
    subprocess.run([sys.executable, "-m", "oasis_gan", *map(str, words)], check=True)


def save(browser: Browser, path: Path) -> None:
    """Save what a browser shows."""
    with Image.open(io.BytesIO(browser.photograph())) as picture:
        picture.convert("RGB").save(path, "WEBP", quality=QUALITY)


if __name__ == "__main__":
    main()
