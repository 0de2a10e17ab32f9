"""Standard output carries only results, may be left unread, and signals end a run in order."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, tool_command

CHATTY = """
import os
import sys
import numpy as np
from oasis_gan import Dataset, Geometry, Scan, Subject, Volume, hookimpl

print("imported")

def read(path):
    print("reading", path.name)
    sys.stdout.write("and writing\\n")
    os.write(1, b"below Python\\n")
    os.system("echo a child")
    return Volume(np.ones((8, 9, 10), np.uint8), Geometry((8, 9, 10), np.eye(4)))

def subjects(selection):
    print("listing")
    for path in sorted(selection.root.glob("*.odd")):
        yield Subject(path.stem, Scan(path, read))

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="odd",
        summary="Prints",
        open=subjects,
        recognises=lambda path: any(path.glob("*.odd")),
    )
"""


@pytest.fixture
def volumes(tmp_path: Path) -> Path:
    """Return a folder of three label maps."""
    (tmp_path / "in").mkdir()
    for name in "abc":
        nib.save(
            nib.Nifti1Image(np.ones((8, 9, 10), np.uint8), np.eye(4)), tmp_path / f"in/{name}.nii"
        )
    return tmp_path / "in"


@pytest.fixture
def words(paint_plugin: Path) -> list[str]:
    """Return the command that translates the folder."""
    model = ["--plugin", str(paint_plugin), "--model", "paint"]
    return tool_command("run", "in", "--out", "out", *model)


def shell(line: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run a line in bash, and return the status of the first command of its pipe."""
    script = f"{line}\nexit ${{PIPESTATUS[0]}}"
    return subprocess.run(
        ["bash", "-c", script], cwd=cwd, capture_output=True, text=True, timeout=300, check=False
    )


def statuses(out: Path) -> list[str]:
    return [line.split("\t")[1] for line in (out / "subjects.tsv").read_text().splitlines()[1:]]


def test_what_a_plugin_prints_goes_to_standard_error(tmp_path: Path, paint: Painting) -> None:
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.odd").write_text(name)
    (tmp_path / "odd.py").write_text(CHATTY)
    process = paint("in", "--plugin", "odd.py")
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == [f"out/{name}_synthT1w.nii.gz" for name in "abc"]
    for said in ("imported", "listing", "reading b.odd", "and writing", "below Python", "a child"):
        assert said in process.stderr.splitlines()


@pytest.mark.usefixtures("volumes")
def test_a_closed_pipe_of_results_does_not_stop_a_cohort(tmp_path: Path, words: list[str]) -> None:
    process = shell(f"PAINT_SECONDS=0.3 {shlex.join(words)} | head -1", tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stdout == "out/a_synthT1w.nii.gz\n"
    assert statuses(tmp_path / "out") == ["done"] * 3
    assert len(process.stderr.splitlines()) == 4


@pytest.mark.usefixtures("volumes")
@pytest.mark.parametrize(
    "command",
    [
        "check in",
        "check in --format json",
        "check in --format tsv",
        "models",
        "plugins",
        "--help",
        "run --help",
        "--version",
    ],
)
def test_a_listing_that_nobody_reads_is_silent(tmp_path: Path, command: str) -> None:
    process = shell(f"{shlex.quote(sys.executable)} -m oasis_gan {command} | true", tmp_path)
    assert process.returncode == 0
    assert process.stderr in ("", "reading in as nifti\n")


@pytest.mark.usefixtures("volumes")
def test_a_full_standard_output_is_reported_and_does_not_stop_a_cohort(
    tmp_path: Path, words: list[str]
) -> None:
    process = shell(f"{shlex.join(words)} > /dev/full", tmp_path)
    assert process.returncode == 1
    last = process.stderr.splitlines()[-1]
    assert last == "oasis-gan: standard output: No space left on device; free some space"
    assert statuses(tmp_path / "out") == ["done"] * 3


@pytest.mark.parametrize("command", ["models", "--help", "run --help", "--version"])
def test_a_full_standard_output_is_reported_by_every_command(tmp_path: Path, command: str) -> None:
    process = shell(f"{shlex.quote(sys.executable)} -m oasis_gan {command} > /dev/full", tmp_path)
    assert process.returncode == 1
    assert (
        process.stderr == "oasis-gan: standard output: No space left on device; free some space\n"
    )


@pytest.mark.usefixtures("volumes")
@pytest.mark.parametrize("messages", ["2>&1 | head -1", "2>&1 >paths | true", "2>/dev/full"])
def test_messages_that_cannot_be_written_do_not_stop_a_cohort(
    tmp_path: Path, words: list[str], messages: str
) -> None:
    process = shell(f"PAINT_SECONDS=0.3 {shlex.join(words)} {messages}", tmp_path)
    assert process.returncode == 0
    assert statuses(tmp_path / "out") == ["done"] * 3


def test_a_plugin_that_closes_standard_output_hides_no_results(
    tmp_path: Path, paint: Painting
) -> None:
    (tmp_path / "in").mkdir()
    for name in "abc":
        (tmp_path / "in" / f"{name}.odd").write_text(name)
    (tmp_path / "odd.py").write_text(
        CHATTY.replace('os.system("echo a child")', "sys.stdout.close()")
    )
    process = paint("in", "--plugin", "odd.py")
    assert process.returncode == 0, process.stderr
    assert process.stdout.splitlines() == [f"out/{name}_synthT1w.nii.gz" for name in "abc"]
    assert "[3/3] c: done" in process.stderr


@pytest.mark.usefixtures("volumes")
@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_commands_work_with_closed_standard_streams(
    tmp_path: Path, words: list[str], closed: str
) -> None:
    process = shell(f"{shlex.join(words)} {closed}", tmp_path)
    assert process.returncode == 0, process.stderr
    assert statuses(tmp_path / "out") == ["done"] * 3
    assert process.stdout.splitlines() == (
        [] if ">&-" in closed.split() else [f"out/{name}_synthT1w.nii.gz" for name in "abc"]
    )
    made = (tmp_path / "out/a_synthT1w.nii.gz").read_bytes()
    assert made.startswith(b"\x1f\x8b")


@pytest.mark.usefixtures("volumes")
@pytest.mark.parametrize(
    ("number", "status", "said"),
    [
        (signal.SIGTERM, 143, "oasis-gan: stopped by SIGTERM"),
        (signal.SIGHUP, 129, "oasis-gan: stopped by SIGHUP"),
        (signal.SIGINT, 130, "oasis-gan: interrupted"),
    ],
)
def test_a_signal_ends_a_run_in_one_line_with_its_status(
    tmp_path: Path, words: list[str], number: signal.Signals, status: int, said: str
) -> None:
    def heed() -> None:
        for one in (signal.SIGINT, signal.SIGHUP, signal.SIGTERM):
            signal.signal(one, signal.SIG_DFL)

    process = subprocess.Popen(
        words,
        cwd=tmp_path,
        env={**os.environ, "PAINT_SECONDS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=heed,
    )
    assert process.stdout is not None
    assert process.stdout.readline() == "out/a_synthT1w.nii.gz\n"
    time.sleep(0.2)
    process.send_signal(number)
    _, error = process.communicate(timeout=60)
    assert process.returncode == status
    assert error.splitlines()[-1].startswith(said)
    assert "Traceback" not in error
    assert statuses(tmp_path / "out")[0] == "done"
    assert not [path for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]


HANGING = """
import time
from oasis_gan import Exporter, hookimpl

def write(volume, path):
    if path.name.startswith("b"):
        print("hanging", flush=True)
        time.sleep(300)
    path.write_text("written")

@hookimpl
def oasis_gan_exporters():
    yield Exporter(name="hanging", summary="Hangs", suffix=".txt", write=write)
"""


@pytest.mark.usefixtures("volumes")
def test_a_second_interruption_does_not_wait_for_an_exporter_that_hangs(
    tmp_path: Path, words: list[str]
) -> None:
    (tmp_path / "hanging.py").write_text(HANGING)
    command = [*words, "--plugin", "hanging.py", "--exporter", "hanging"]
    process = subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    while process.stderr.readline() != "hanging\n":
        assert process.poll() is None
    try:
        for _ in range(2):
            time.sleep(0.5)
            process.send_signal(signal.SIGINT)
        results, messages = process.communicate(timeout=30)
    finally:
        process.kill()
    assert process.returncode == 130
    assert results.split() == ["out/a_synthT1w.txt"]
    assert messages.splitlines()[-1].startswith(
        "oasis-gan: interrupted; while writing b; 1 of 3 subjects are finished"
    )
    assert statuses(tmp_path / "out") == ["done"]
    assert not [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
