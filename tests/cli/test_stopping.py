"""A training that is stopped by a signal saves its state, says so, and can be resumed."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest
from kit.heads import PAIRS, files, save_head
from kit.tool import TINY_NETWORKS, oasis_gan, tool_command

RECIPE = "steps = 300\nvalidate_every = 50\n" + TINY_NETWORKS
SLOW_READER = """
import time
from oasis_gan import Dataset, Scan, Subject, hookimpl


def read(path):
    print("reading", flush=True)
    time.sleep(600)


@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="slow",
        summary="Never comes back",
        open=lambda s: [Subject("a", Scan(s.root, read))],
        recognises=lambda path: False,
    )
"""


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("stopping")
    (folder / "heads").mkdir()
    for seed, name in enumerate(("one", "two")):
        save_head(folder / "heads", name, seed)
    (folder / "tiny.toml").write_text(RECIPE)
    return folder


@pytest.fixture(scope="module")
def uninterrupted(heads: Path) -> Path:
    """Return the model of a training that nobody stopped."""
    words = ("heads", *PAIRS, "--validate", "two", "--recipe", "tiny.toml")
    done = oasis_gan("train", *words, "--out", "whole", cwd=heads)
    assert done.returncode == 0, done.stderr
    assert done.stdout == "whole\n"
    return heads / "whole"


Started = subprocess.Popen[str]
Start = Callable[..., Started]


def heed_hangups() -> None:
    """Let a process that the tests start heed SIGHUP, even where they run under `nohup`."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


@pytest.fixture
def start() -> Iterator[Start]:
    """Return what starts `oasis-gan train` in a folder; the end of a test kills what still runs."""
    with ExitStack() as closing:

        def run(cwd: Path, *words: object, preexec: Callable[[], object] = heed_hangups) -> Started:
            process = subprocess.Popen(
                tool_command("train", *words),
                cwd=cwd,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
                preexec_fn=preexec,
            )
            closing.enter_context(process)
            closing.callback(process.kill)
            return process

        yield run


def read_until(process: Started, awaited: str) -> None:
    """Read standard error up to a line that holds a text."""
    assert process.stderr is not None
    seen = []
    for line in process.stderr:
        seen.append(line)
        if awaited in line:
            return
    raise AssertionError("".join(seen))


@pytest.mark.parametrize(
    ("number", "status"),
    [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGHUP, 129)],
    ids=lambda one: str(one),
)
def test_a_training_stopped_by_a_signal_saves_and_resumes_to_the_same_model(
    start: Start,
    heads: Path,
    uninterrupted: Path,
    tmp_path: Path,
    number: signal.Signals,
    status: int,
) -> None:
    words = (
        "heads",
        *PAIRS,
        "--validate",
        "two",
        "--recipe",
        "tiny.toml",
        "--out",
        tmp_path / "a model",
    )
    process = start(heads, *words)
    read_until(process, "step 50/300")
    process.send_signal(number)
    stdout, stderr = process.communicate(timeout=300)
    assert process.returncode == status, stderr
    assert stdout == ""
    last = stderr.splitlines()[-1]
    said = re.fullmatch(r"stopped at step (\d+); go on with: (oasis-gan train --resume '.*')", last)
    assert said is not None, stderr
    step = int(said[1])
    assert 50 <= step < 300
    assert (tmp_path / "a model" / "checkpoints" / f"step-{step:09}.safetensors").is_file()
    # The line can be pasted into a shell, in any folder.
    command = said[2].replace("oasis-gan", f"{sys.executable} -m oasis_gan", 1)
    done = subprocess.run(
        ["sh", "-c", command],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"resumed after step {step}" in done.stderr
    whole = files(uninterrupted)
    resumed = files(tmp_path / "a model")
    for name in ("weights.safetensors", "model.json", "recipe.toml", "best/weights.safetensors"):
        assert resumed[name] == whole[name], name
    # A sum that is only shown may be rounded otherwise.
    tables = [table["losses.csv"].decode().splitlines()[1:] for table in (whole, resumed)]
    expected, found = (np.genfromtxt(table, delimiter=",") for table in tables)
    np.testing.assert_allclose(found, expected, rtol=1e-4)


def test_a_second_signal_stops_at_once(start: Start, heads: Path, tmp_path: Path) -> None:
    process = start(heads, "heads", *PAIRS, "--recipe", "tiny.toml", "--out", tmp_path / "m")
    read_until(process, "step 50/300")
    # Stopped, it receives both before it can heed the first.
    process.send_signal(signal.SIGSTOP)
    process.send_signal(signal.SIGTERM)
    process.send_signal(signal.SIGINT)
    process.send_signal(signal.SIGCONT)
    process.communicate(timeout=300)
    assert process.returncode in {-signal.SIGTERM, -signal.SIGINT}


def test_a_signal_while_data_are_read_says_that_there_is_nothing_to_save_and_leaves_nothing(
    start: Start, tmp_path: Path
) -> None:
    (tmp_path / "slow.py").write_text(SLOW_READER)
    (tmp_path / "a.nii").write_bytes(b"")
    process = start(tmp_path, "a.nii", "--plugin", "slow.py", "--dataset", "slow", "--out", "new/m")
    read_until(process, "reading")
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    said = (
        "stopped before the first step: there was nothing to save; start again with the same "
        "command"
    )
    assert stderr.splitlines()[-1] == said
    assert not (tmp_path / "new").exists()


def test_a_resumed_training_that_is_stopped_while_it_reads_keeps_nothing_and_names_the_same_command(
    start: Start, uninterrupted: Path, tmp_path: Path
) -> None:
    shutil.copytree(uninterrupted, tmp_path / "m")
    before = files(tmp_path / "m")
    process = start(tmp_path, "--resume", "m", "--set", "steps=400")
    read_until(process, "reading")
    process.send_signal(signal.SIGTERM)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 143
    said = "stopped before the next step, nothing is lost; go on with the same command"
    assert stderr.splitlines()[-1] == said
    assert files(tmp_path / "m") == before


def test_nohup_keeps_a_training_from_ending_with_its_terminal(
    start: Start, heads: Path, tmp_path: Path
) -> None:
    def ignore() -> None:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)

    words = ("heads", *PAIRS, "--recipe", "tiny.toml", "--set", "steps=80", "--out", tmp_path / "m")
    process = start(heads, *words, preexec=ignore)
    read_until(process, "step 50/80")
    process.send_signal(signal.SIGHUP)
    _, stderr = process.communicate(timeout=300)
    assert process.returncode == 0, stderr


def test_a_second_training_in_a_folder_is_refused_and_names_the_first(
    start: Start, heads: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m"
    process = start(
        heads, "heads", *PAIRS, "--recipe", "tiny.toml", "--set", "steps=100000", "--out", out
    )
    read_until(process, "step 50/100000")
    before = (out / "run.json").read_bytes()
    for words in (("--resume", out), ("heads", *PAIRS, "--out", out)):
        second = oasis_gan("train", *words, cwd=heads)
        assert second.returncode == 2
        (line,) = second.stderr.splitlines()[-1:]
        assert f"expected a folder that no training holds, found process {process.pid} on " in line
    assert process.poll() is None
    assert (out / "run.json").read_bytes() == before
    # A lock dies with its holder, however that ends.
    process.kill()
    process.communicate()
    assert (out / ".training.lock").exists()
    third = start(heads, "--resume", out)
    read_until(third, "starting from the beginning")
    third.send_signal(signal.SIGTERM)
    third.communicate(timeout=300)
    assert third.returncode == 143
    assert not (out / ".training.lock").exists()


def test_a_signal_that_comes_with_the_last_step_finds_the_training_finished(
    start: Start, heads: Path, tmp_path: Path
) -> None:
    """Whatever the moment: it was stopped and says how to go on, or it is finished and says so."""
    process = start(
        heads,
        "heads",
        *PAIRS,
        "--recipe",
        "tiny.toml",
        "--set",
        "steps=50",
        "--out",
        tmp_path / "m",
    )
    read_until(process, "step 50/50")
    time.sleep(0.01)
    os.kill(process.pid, signal.SIGTERM)
    stdout, stderr = process.communicate(timeout=300)
    if process.returncode == 0:
        assert stdout == f"{tmp_path / 'm'}\n"
        assert "stopped" not in stderr
    else:
        assert process.returncode in {143, -signal.SIGTERM}
