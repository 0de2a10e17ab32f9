"""Every training that a page prints starts as printed, stops on a signal, and can be resumed.

A whole one takes hours: it is stopped by a signal once it has made steps.
"""

from __future__ import annotations

import shlex
import signal
import subprocess
import time
from pathlib import Path

import pytest
from kit.desk import environment
from kit.printed import BLOCKS, clear_outputs, is_training

PATIENCE = 900  # seconds until the first steps of a training, on any processor in any precision
TRAININGS = sorted(
    {command for block in BLOCKS for command in block.commands if is_training(command)}
)

RESUME = "oasis-gan train --resume my-model"


def steps_of(model: Path) -> list[int]:
    """Return the steps in the table of losses."""
    table = model / "losses.csv"
    if not table.exists():
        return []
    return [
        int(line.split(",")[0])
        for line in table.read_text().splitlines()[1:]
        if line.partition(",")[0].isdigit()
    ]


def train_a_little(command: str, model: Path, number: signal.Signals) -> str:
    """Run a training until it has made steps, stop it by a signal, and return what it said."""
    before = len(steps_of(model))
    process = subprocess.Popen(
        ["bash", "-c", command],
        cwd=model.parent,
        env=environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    end = time.monotonic() + PATIENCE
    while len(steps_of(model)) == before and process.poll() is None and time.monotonic() < end:
        time.sleep(0.1)
    process.send_signal(number)
    said = process.communicate(timeout=PATIENCE)[0]
    assert process.returncode in {128 + number, -number}, f"{command}\n{said}"
    return said


def start(command: str, desk: Path) -> Path:
    """Begin a training as printed, interrupt it after its first steps, and return its folder."""
    words = shlex.split(command)
    model = desk / words[words.index("--out") + 1]
    clear_outputs([command], desk)
    said = train_a_little(command, model, signal.SIGINT)
    assert f"--resume {model.name}" in said
    return model


# A network of the paper's size takes minutes to go on: that it begins is enough.
BEGUN = [command for command in TRAININGS if "--preset paper" in command]


@pytest.mark.parametrize("command", BEGUN)
def test_a_printed_training_starts_and_stops_on_request(command: str, desk: Path) -> None:
    assert steps_of(start(command, desk))


@pytest.mark.parametrize("command", [one for one in TRAININGS if one not in {RESUME, *BEGUN}])
def test_a_printed_training_goes_on_with_the_printed_command(command: str, desk: Path) -> None:
    model = start(command, desk)
    before = steps_of(model)
    # The page says it of the folder of its first training.
    train_a_little(RESUME.replace("my-model", model.name), model, signal.SIGTERM)
    steps = steps_of(model)
    assert steps[: len(before)] == before
    assert steps == sorted(set(steps))
    assert len(steps) > len(before)


def test_the_pages_say_how_to_go_on_and_show_a_training_that_does() -> None:
    assert RESUME in TRAININGS
    assert len(BEGUN) == 1
    assert any("--out my-model" in command for command in TRAININGS)
