"""With OASIS_GAN_DEBUG, the traceback of every error is shown as well as its line."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from kit.tool import oasis_gan

PLUGIN = """
import csv
from oasis_gan import Dataset, Scan, Subject, hookimpl

def read_voxels(path):
    return {}["voxels"]

def subjects(selection):
    if selection.root.suffix == ".csv":
        with selection.root.open() as file:
            for row in csv.DictReader(file):
                yield Subject(row["subject"], Scan(selection.root, read_voxels))
    else:
        yield Subject("brain", Scan(selection.root, read_voxels))

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="mine",
        summary="Mine",
        open=subjects,
        recognises=lambda path: path.suffix in {".npy", ".csv"},
    )
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "mine.py").write_text(PLUGIN)
    np.save(tmp_path / "brain.npy", np.ones((4, 5, 6)))
    (tmp_path / "study.csv").write_text("name,file\na,brain.npy\n")
    return tmp_path


def check(folder: Path, source: str, debug: str | None) -> subprocess.CompletedProcess[str]:
    environment = {name: value for name, value in os.environ.items() if name != "OASIS_GAN_DEBUG"}
    if debug is not None:
        environment["OASIS_GAN_DEBUG"] = debug
    words = ("check", source, "--plugin", "mine.py", "--format", "tsv")
    return oasis_gan(*words, cwd=folder, env=environment)


@pytest.mark.parametrize(
    ("source", "function"), [("brain.npy", "read_voxels"), ("study.csv", "subjects")]
)
def test_the_traceback_of_an_error_is_shown_if_it_is_asked_for(
    folder: Path, source: str, function: str
) -> None:
    done = check(folder, source, "1")
    assert done.returncode == 1
    assert "Traceback (most recent call last)" in done.stderr
    assert 'mine.py", line' in done.stderr
    assert f"in {function}" in done.stderr


@pytest.mark.parametrize(
    ("source", "found"), [("brain.npy", "KeyError: 'voxels'"), ("study.csv", "KeyError: 'subject'")]
)
def test_an_exception_of_a_reader_is_one_line_with_the_file_and_the_plugin(
    folder: Path, source: str, found: str
) -> None:
    line = check(folder, source, None).stdout.splitlines()[1]
    assert (
        f"{source}: expected something that the dataset plugin mine can read, found {found}; "
        in line
    )
    assert "OASIS_GAN_DEBUG=1" in line


def test_a_truncated_file_is_one_line_with_its_name(folder: Path) -> None:
    (folder / "mine.py").write_text(PLUGIN.replace('return {}["voxels"]', "raise EOFError"))
    line = check(folder, "brain.npy", None).stdout.splitlines()[1]
    assert (
        "brain.npy: expected something that the dataset plugin mine can read, found EOFError; "
        in line
    )


@pytest.mark.parametrize("debug", [None, "", "0"])
def test_no_traceback_is_shown_otherwise(folder: Path, debug: str | None) -> None:
    done = check(folder, "brain.npy", debug)
    assert done.returncode == 1
    assert "KeyError: 'voxels'" in done.stdout
    assert "Traceback" not in done.stdout + done.stderr


def test_the_results_are_the_same_with_tracebacks(folder: Path) -> None:
    assert check(folder, "brain.npy", "1").stdout == check(folder, "brain.npy", None).stdout


def test_the_traceback_of_a_plugin_that_does_not_load_is_shown(folder: Path) -> None:
    (folder / "mine.py").write_text("def helper():\n    import no_such_module\n\nhelper()\n")
    done = check(folder, "brain.npy", "1")
    assert done.returncode == 2
    assert "in helper" in done.stderr


def test_the_help_says_how_to_see_a_traceback(tmp_path: Path) -> None:
    assert "OASIS_GAN_DEBUG=1" in oasis_gan("--help", cwd=tmp_path).stdout
