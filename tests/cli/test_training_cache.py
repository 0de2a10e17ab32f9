"""A training keeps its slices on the disk: in its own folder until it ends, or in a shared one."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from kit.heads import files, save_head
from kit.tool import TINY_NETWORKS, oasis_gan, tool_command

RECIPE = "steps = 60\ncheckpoint_every = 20\nvalidate_every = 20\n" + TINY_NETWORKS
# It waits once the slices of two subjects are in the cache, if it is told to.
PLUGIN = """
import os, sys, time
from dataclasses import replace
from pathlib import Path
from oasis_gan import Dataset, Scan, Subject, hookimpl, read_nifti


def read(path):
    folder = os.environ.get("WAIT_FOR")
    if folder and len(list(Path(folder).glob("*.slices"))) >= 2:
        print("waiting", file=sys.stderr, flush=True)
        time.sleep(600)
    return read_nifti(path)


def list_subjects(selection):
    for path in sorted(selection.root.glob("*_seg.nii.gz")):
        target = path.with_name(path.name.replace("seg", "t1"))
        yield Subject(path.name[:2], Scan(path, read), Scan(target, read))


@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="waiting",
        summary="Waits for the cache",
        open=list_subjects,
        recognises=lambda path: False,
    )
"""
WORDS = ("heads", "--plugin", "waiting.py", "--dataset", "waiting", "--validate", "s3")
RESULTS = (
    "weights.safetensors",
    "model.json",
    "recipe.toml",
    "best/weights.safetensors",
    "checkpoints/step-000000060.safetensors",
)


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with heads, a recipe, and a training that nobody killed."""
    folder = tmp_path_factory.mktemp("cache")
    (folder / "heads").mkdir()
    for seed in range(4):
        save_head(folder / "heads", f"s{seed}", seed)
    (folder / "tiny.toml").write_text(RECIPE)
    (folder / "waiting.py").write_text(PLUGIN)
    train(folder, *WORDS, "--recipe", "tiny.toml", "--out", "whole")
    return folder


def train(folder: Path, *words: object) -> str:
    """Run a training to its end, and return what it says."""
    done = oasis_gan("train", *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return done.stderr


@pytest.fixture
def killed(request: pytest.FixtureRequest, place: Path, tmp_path: Path) -> Iterator[Path]:
    """Return the folder of a training that was killed when it said something."""
    out = tmp_path / "m"
    process = subprocess.Popen(
        tool_command("train", *WORDS, "--recipe", "tiny.toml", "--out", out),
        cwd=place,
        env={**os.environ, "WAIT_FOR": str(out / "cache") if request.param == "waiting" else ""},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if request.param in line:
            break
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=300)
    assert process.returncode == -signal.SIGKILL, said
    yield out


@pytest.mark.parametrize("killed", ["waiting", "step 20/60"], indirect=True)
def test_a_training_that_was_killed_ends_with_the_same_bytes(killed: Path, place: Path) -> None:
    kept = {path: path.stat().st_ino for path in (killed / "cache").glob("*.slices")}
    assert len(kept) >= 2
    said = train(place, "--resume", killed, "--plugin", "waiting.py")
    assert "finished after 60 steps" in said
    resumed = files(killed)
    whole = files(place / "whole")
    for name in RESULTS:
        assert resumed[name] == whole[name], name
    assert not (killed / "cache").exists()


def test_a_finished_training_leaves_no_slices(place: Path) -> None:
    assert not (place / "whole" / "cache").exists()


def test_a_training_that_is_stopped_keeps_its_slices_for_the_next(
    place: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m"
    process = subprocess.Popen(
        tool_command("train", *WORDS, "--recipe", "tiny.toml", "--out", out),
        cwd=place,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stderr is not None
    for line in process.stderr:
        if "step 20/60" in line:
            process.send_signal(signal.SIGTERM)
            break
    process.communicate(timeout=300)
    assert process.returncode == 143
    assert len(list((out / "cache").glob("*.slices"))) == 4


def test_trainings_share_a_cache_that_is_kept(place: Path, tmp_path: Path) -> None:
    cache = tmp_path / "shared"
    words = (*WORDS, "--recipe", "tiny.toml", "--cache", cache)
    train(place, *words, "--out", tmp_path / "one")
    made = {path.name: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert len(made) == 4
    train(place, *words, "--set", "seed=1", "--out", tmp_path / "two")
    # A resumed training finds it without being told again.
    train(place, "--resume", tmp_path / "two", "--plugin", "waiting.py", "--set", "steps=61")
    assert {path.name: path.stat().st_mtime_ns for path in cache.iterdir()} == made
    weights = (tmp_path / "one" / "weights.safetensors").read_bytes()
    assert weights == (place / "whole" / "weights.safetensors").read_bytes()
    assert not (tmp_path / "two" / "cache").exists()


def test_a_cache_may_move_before_a_training_is_resumed(place: Path, tmp_path: Path) -> None:
    words = (*WORDS, "--recipe", "tiny.toml", "--cache", tmp_path / "here")
    train(place, *words, "--out", tmp_path / "m")
    (tmp_path / "here").rename(tmp_path / "there")
    moved = ("--plugin", "waiting.py", "--set", "steps=61", "--cache", tmp_path / "there")
    train(place, "--resume", tmp_path / "m", *moved)
    assert not (tmp_path / "here").exists()
    assert json.loads((tmp_path / "m" / "run.json").read_text())["cache"].endswith("there")


def test_a_file_in_the_place_of_the_cache_is_refused_in_one_line(
    place: Path, tmp_path: Path
) -> None:
    taken = place / "tiny.toml"
    words = ("--recipe", "tiny.toml", "--cache", taken, "--out", tmp_path / "m")
    done = oasis_gan("train", *WORDS, *words, cwd=place)
    assert done.returncode == 2
    refusal = done.stderr.splitlines()[-1]
    assert refusal == (
        f"oasis-gan: {taken}: expected a folder for training slices, found a file; "
        "name another folder as --cache"
    )
    assert "slices:" not in done.stderr
    assert not (tmp_path / "m").exists()
