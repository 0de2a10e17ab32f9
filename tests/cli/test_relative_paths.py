"""Commands do the same in any folder, whether paths are absolute or relative."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from kit.places import ROOT
from kit.tool import CommandLine, oasis_gan

SUFFIXES = ("--source-suffix", "_seg.nii.gz", "--target-suffix", "_t1.nii.gz")


@pytest.fixture
def data(command_line: CommandLine, stand_ins: Path) -> Path:
    """Return the folder of the data, filled."""
    shutil.copytree(stand_ins, command_line.data, symlinks=True, dirs_exist_ok=True)
    return command_line.data


def content(folder: Path) -> dict[str, bytes]:
    """Return every file below a folder."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def test_a_run_with_relative_paths_gives_the_same_files(
    command_line: CommandLine, data: Path, paint_plugin: Path, tmp_path: Path
) -> None:
    shutil.copy(paint_plugin, data / "paint.py")
    options = ("--source-suffix", "_seg.nii.gz", "--model", "paint")
    done = command_line(
        "run", data / "heads", *options, "--plugin", data / "paint.py", "--out", "out"
    )
    assert done.returncode == 0, done.stderr
    assert all(line.startswith("out/") for line in done.stdout.splitlines())
    absolute = ("--plugin", data / "paint.py", "--out", tmp_path / "absolute")
    assert oasis_gan("run", data / "heads", *options, *absolute, cwd=ROOT).returncode == 0
    here = content(command_line.here / "out")
    there = content(tmp_path / "absolute")
    assert here.pop("subjects.tsv").count(b"done") == there.pop("subjects.tsv").count(b"done") == 3
    assert here == there


def test_a_run_can_be_continued_from_another_folder(
    command_line: CommandLine, data: Path, paint_plugin: Path
) -> None:
    options = ("--source-suffix", "_seg.nii.gz", "--model", "paint", "--plugin", paint_plugin)
    out = data / "out"
    assert command_line("run", data / "heads", *options, "--out", out).returncode == 0
    again = oasis_gan("run", "heads", *options, "--out", "out", cwd=data)
    assert again.returncode == 0, again.stderr
    assert again.stderr.count("skipped") == 3


def test_like_and_its_labels_may_be_relative(
    command_line: CommandLine, data: Path, paint_plugin: Path
) -> None:
    like = (
        "--like",
        data / "scan_brain.nii.gz",
        "--like-labels",
        data / "heads" / "sub-02_seg.nii.gz",
    )
    model = ("--plugin", paint_plugin, "--model", "paint")
    done = command_line("run", data / "sub-01_seg.nii.gz", *like, *model, "--out", "out")
    assert done.returncode == 0, done.stderr


def test_a_check_says_the_same_of_relative_paths(command_line: CommandLine, data: Path) -> None:
    words = (*SUFFIXES, "--validate", "sub-07", "--format", "json")
    done = command_line("check", data / "heads", *words)
    assert done.returncode == 0, done.stdout
    reports = json.loads(done.stdout)
    assert len(reports) == 3
    assert reports == json.loads(oasis_gan("check", data / "heads", *words, cwd=ROOT).stdout)


def test_a_plugin_is_checked_by_a_relative_path(command_line: CommandLine, data: Path) -> None:
    plugin = data / "examples" / "plugin_template" / "my_plugin.py"
    done = command_line("plugins", "--check", plugin, "--sample", data / "brain.npy")
    assert done.returncode == 0, done.stdout


def test_a_model_folder_may_be_relative(command_line: CommandLine, data: Path) -> None:
    done = command_line(
        "run", data / "sub-01_seg.nii.gz", "--model", data / "my-model", "--out", "out"
    )
    assert done.returncode == 0, done.stderr
    done = command_line("export", data / "my-model", "--format", "savedmodel", "--out", "exported")
    assert done.returncode == 0, done.stderr
    assert (command_line.here / "exported").is_dir()


@pytest.mark.parametrize("link", [False, True], ids=["path", "link"])
def test_ci_finds_its_checkout_from_any_folder(tmp_path: Path, link: bool) -> None:
    run = os.path.relpath(ROOT / ".ci" / "run", tmp_path)
    if link:
        (tmp_path / "run").symlink_to(run)
        run = "./run"
    # A folder of the same name in CDPATH must not be taken for ours.
    (tmp_path / "other" / ".ci").mkdir(parents=True)
    environment = {**os.environ, "CDPATH": str(tmp_path / "other")}
    options = {
        "cwd": tmp_path,
        "env": environment,
        "capture_output": True,
        "text": True,
        "check": True,
    }
    printed = subprocess.run([run, "--print-test-command"], **options).stdout  # type: ignore[call-overload]
    named = [ROOT / ".ci" / "run", "--print-test-command"]
    assert printed == subprocess.run(named, **options).stdout  # type: ignore[call-overload]
    assert "pytest" in printed


def test_all_tests_can_be_collected_from_another_folder(tmp_path: Path) -> None:
    tests = os.path.relpath(ROOT / "tests", tmp_path)
    words = (
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "--collect-only",
        "-p",
        "no:cacheprovider",
        tests,
    )
    done = subprocess.run(
        words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stdout[-2000:]
