"""A subject that ends its process or hangs fails alone, and a cohort is done in parts."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from subprocess import CompletedProcess

import nibabel as nib
import numpy as np
import pytest
from kit.heads import files
from kit.painting import PAINT_PLUGIN
from kit.tool import Painting, oasis_gan

from oasis_gan.cli.cohort_options import Batch

Bad = Callable[..., CompletedProcess[str]]
# The subject whose slices have 25 rows or columns does it.
MISCHIEF = """
    if slices.shape[1] == 25 and os.environ.get("MISCHIEF") == "end":
        os._exit(9)
    if slices.shape[1] == 25 and os.environ.get("MISCHIEF") == "hang":
        time.sleep(1000)
    time.sleep("""


def save(folder: Path, name: str, edge: int, seed: int = 0) -> None:
    voxels = np.random.default_rng(seed).integers(0, 4, (edge, edge, edge)).astype(np.uint8)
    folder.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), folder / f"{name}.nii.gz")


@pytest.fixture
def bad(tmp_path: Path) -> Bad:
    """Return ``oasis-gan run in --out OUT`` on three subjects, the second of which is bad."""
    save(tmp_path / "in", "a", 24)
    save(tmp_path / "in", "b", 25)
    save(tmp_path / "in", "c", 26)
    plugin = PAINT_PLUGIN.replace("\n    time.sleep(", MISCHIEF)
    (tmp_path / "bad.py").write_text(plugin)

    def run(out: str, *words: object, mischief: str = "") -> CompletedProcess[str]:
        model = ("--plugin", "bad.py", "--model", "paint")
        environment = {**os.environ, "MISCHIEF": mischief}
        return oasis_gan("run", "in", "--out", out, *model, *words, cwd=tmp_path, env=environment)

    return run


def statuses(out: Path) -> dict[str, str]:
    rows = [line.split("\t") for line in (out / "subjects.tsv").read_text().splitlines()[1:]]
    return {row[0]: row[1] for row in rows}


def outputs(out: Path) -> dict[str, bytes]:
    return {name: content for name, content in files(out).items() if name != "subjects.tsv"}


@pytest.mark.parametrize(
    ("mischief", "words", "said"),
    [
        ("end", ("--jobs", 2), "expected a process that stays alive"),
        ("hang", ("--timeout", 4), "expected an end within 4 s"),
    ],
)
def test_a_subject_that_takes_its_process_with_it_fails_alone_and_can_be_retried(
    tmp_path: Path, bad: Bad, mischief: str, words: tuple[object, ...], said: str
) -> None:
    first = bad("out", *words, mischief=mischief)
    assert first.returncode == 1
    assert said in first.stderr
    assert "Traceback" not in first.stderr
    assert statuses(tmp_path / "out") == {"a": "done", "b": "failed", "c": "done"}
    assert not [path.name for path in (tmp_path / "out").iterdir() if path.name.startswith(".")]
    again = bad("out", "--retry-failed")
    assert (again.returncode, again.stdout) == (0, "out/b_synthT1w.nii.gz\n"), again.stderr
    assert statuses(tmp_path / "out") == {"a": "done", "b": "done", "c": "done"}
    # In another engine, the outputs are the same.
    assert bad("whole").returncode == 0
    assert outputs(tmp_path / "out") == outputs(tmp_path / "whole")


def test_a_source_that_has_changed_is_named_and_with_update_translated_again(
    tmp_path: Path, paint: Painting
) -> None:
    for seed, name in enumerate("ab"):
        save(tmp_path / "in", name, 24, seed)
    assert paint("in").returncode == 0
    before = outputs(tmp_path / "out")
    save(tmp_path / "in", "a", 24, 7)
    named = paint("in")
    assert named.returncode == 1
    assert "found one with another source" in named.stderr
    assert outputs(tmp_path / "out") == before
    updated = paint("in", "--update")
    assert updated.returncode == 0, updated.stderr
    assert "b: skipped" in updated.stderr
    assert "made again: the output had another source" in updated.stderr
    after = outputs(tmp_path / "out")
    assert {name for name in after if after[name] != before[name]} == {
        "a_synthT1w.json",
        "a_synthT1w.nii.gz",
    }


def test_a_run_stops_at_the_first_failure_if_asked(tmp_path: Path, paint: Painting) -> None:
    for name in "abcdef":
        save(tmp_path / "in", name, 24)
    (tmp_path / "in" / "a.nii.gz").write_bytes(b"damaged")
    stopped = paint("in", "--stop-on-first-crash")
    assert stopped.returncode == 1
    assert "stopped after a failure" in stopped.stderr
    # One is translated and one is read while the failure is reported.
    assert len(statuses(tmp_path / "out")) <= 3


def test_a_dry_run_names_what_is_left_and_writes_nothing(tmp_path: Path, paint: Painting) -> None:
    for name in "ab":
        save(tmp_path / "in", name, 24)
    first = paint("in", "--dry-run")
    assert first.returncode == 0, first.stderr
    assert first.stdout.splitlines() == [
        f"in/{name}.nii.gz -> out/{name}_synthT1w.nii.gz" for name in "ab"
    ]
    assert "time: not known until a subject is done" in first.stderr
    assert not (tmp_path / "out").exists()
    paint("in/a.nii.gz")
    second = paint("in", "--dry-run")
    assert "s a subject so far" in second.stderr
    assert list(statuses(tmp_path / "out")) == ["a"]


@pytest.mark.parametrize("count", [1, 2, 3, 7])
def test_every_subject_is_in_one_batch(count: int) -> None:
    batches = [Batch(number, count) for number in range(1, count + 1)]
    for index in range(20):
        assert sum(batch.includes(index) for batch in batches) == 1


def test_a_job_array_shares_the_subjects(tmp_path: Path, paint: Painting) -> None:
    # Of one name each, so that only their folders tell them apart.
    for number in range(3):
        (tmp_path / "in" / f"s{number}").mkdir(parents=True)
        save(tmp_path / "in" / f"s{number}", "seg", 24, number)
    for task in (4, 5):
        array = {
            "SLURM_ARRAY_TASK_ID": str(task),
            "SLURM_ARRAY_TASK_MIN": "4",
            "SLURM_ARRAY_TASK_COUNT": "2",
        }
        done = paint("in", "--batch", "slurm", env={**os.environ, **array})
        assert done.returncode == 0, done.stderr
    whole = tmp_path / "whole"
    whole.mkdir()
    (tmp_path / "out").rename(whole / "out")
    assert paint("in").returncode == 0
    assert outputs(tmp_path / "out") == outputs(whole / "out")


@pytest.mark.parametrize("batch", ["0/2", "3/2", "1", "slurm", "a/b"])
def test_a_batch_that_does_not_exist_is_refused(paint: Painting, batch: str) -> None:
    refused = paint("in", "--batch", batch)
    assert refused.returncode == 2
    assert "expected I/N with I from 1 to N" in refused.stderr
