"""A training shows how far it is: a bar on a terminal, lines in a log, the result on stdout."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import on_terminal, tool_command

from oasis_gan import TrainingRequest

SLOW = """
import time
from oasis_gan import ModelKind, OasisGanError, hookimpl

def train(request):
    request.report("reads [bold]a[/bold]")
    for step in range(40):
        time.sleep(0.05)
        request.progress(step + 1, 40, f"L1 {1 / (step + 1):.4f}  D [/0.60]")
        if step % 20 == 19:
            request.report(f"step {step + 1}/40")
    if request.recipe.get("fails"):
        raise OasisGanError(
            "step 40", expected="finite losses", found="nan", remedy="lower the learning rate"
        )
    request.out.mkdir(exist_ok=True)

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="slow",
        summary="Counts",
        card=lambda _: None,
        load=lambda _: None,
        train=train,
    )
"""
LINES = ["reads [bold]a[/bold]", "step 20/40", "step 40/40"]
CONTROLS = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")


@pytest.fixture
def words(tmp_path: Path) -> list[str]:
    """Return a training command with a kind that only counts."""
    (tmp_path / "slow.py").write_text(SLOW)
    for name in ("a_seg.nii", "a_t1.nii"):
        nib.save(nib.Nifti1Image(np.ones((4, 4, 4), np.uint8), np.eye(4)), tmp_path / name)
    options = [
        "--source-suffix",
        "_seg.nii",
        "--target-suffix",
        "_t1.nii",
        "--plugin",
        "slow.py",
        "--kind",
        "slow",
    ]
    return tool_command("train", ".", *options, "--out", "m")


def test_a_log_holds_the_lines_and_nothing_else(tmp_path: Path, words: list[str]) -> None:
    process = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=300
    )
    reading, checked, *lines = process.stderr.splitlines()
    assert reading == "reading . as nifti"
    assert checked.startswith("a: ")
    assert lines == LINES
    assert process.stdout == "m\n"
    assert process.returncode == 0


def test_a_terminal_shows_losses_steps_and_time_left_below_the_lines(
    tmp_path: Path, words: list[str]
) -> None:
    status, results, seen = on_terminal(words, tmp_path)
    assert (status, results) == (0, b"m\n")
    shown = re.split(r"[\r\n]+", CONTROLS.sub("", seen))
    assert [line for line in shown if line in LINES] == LINES
    bars = [line for line in shown if "D [/0.60]" in line]
    assert any(
        re.fullmatch(r"L1 0\.\d{4}  D \[/0\.60\] .*\d+/40 +\d:\d\d:\d\d *", line) for line in bars
    )
    # Before the first step nobody knows how many there are.
    assert any(line.startswith("training") for line in shown)
    # The bar is gone at the end, and the cursor back.
    assert seen.rstrip().endswith("\x1b[2K")
    assert seen.rfind("\x1b[?25h") > seen.rfind("\x1b[?25l")


def test_a_training_that_fails_on_a_terminal_ends_with_its_line(
    tmp_path: Path, words: list[str]
) -> None:
    status, results, seen = on_terminal([*words, "--set", "fails=true"], tmp_path)
    assert (status, results) == (2, b"")
    last = CONTROLS.sub("", seen).strip().splitlines()[-1].strip()
    assert last == "oasis-gan: step 40: expected finite losses, found nan; lower the learning rate"


def test_a_training_can_be_requested_without_a_progress_callback(tmp_path: Path) -> None:
    request = TrainingRequest(subjects=(), validation=(), out=tmp_path, recipe={}, report=print)
    request.progress(1, 2, "L1 0.1")
