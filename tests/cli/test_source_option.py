"""``--source`` says where a model's further sources are, and refuses what makes no sense."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner, Result
from kit.places import EXAMPLES

from oasis_gan.cli.main import cli
from oasis_gan.errors import OasisGanError

MODEL = (
    "--plugin",
    str(EXAMPLES / "plugins" / "two_sources.py"),
    "--model",
    "t1-t2-to-flair",
    "--out",
    "out",
)
GREYS = np.random.default_rng(0).uniform(50, 100, (8, 9, 7)).astype(np.float32)


def save(path: Path) -> None:
    """Write an image."""
    path.parent.mkdir(exist_ok=True)
    nib.save(nib.Nifti1Image(GREYS, np.eye(4)), path)


def call(*words: str) -> Result:
    """Run a command in this process."""
    return CliRunner().invoke(cli, words)


def run(*words: str) -> Result:
    """Run the model of two sources."""
    return call("run", *words, *MODEL)


@pytest.fixture(autouse=True)
def _heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with two subjects in ``t1`` and ``t2``."""
    monkeypatch.chdir(tmp_path)
    for folder in ("t1", "t2"):
        for name in ("a", "b"):
            save(tmp_path / folder / f"{name}.nii.gz")


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ((), "expected t2=WHERE for t1-t2-to-flair, which takes t1 (SOURCE) and t2, found none;"),
        (
            ("flair=t2",),
            "expected a further source of t1-t2-to-flair, "
            "which takes t1 (SOURCE) and t2, found flair;",
        ),
        (("t1=t2",), "which takes t1 (SOURCE) and t2, found t1, which is SOURCE; leave it out"),
        (
            ("t2=t1", "t2=t2"),
            "one place for the t2 of t1-t2-to-flair, which takes t1 (SOURCE) and t2, found t1 and",
        ),
        (
            ("t2=no/such",),
            "expected a file, a folder, or the end of file names, found no such file or folder;",
        ),
    ],
)
def test_wrong_source_names_are_reported_before_anything_is_read(
    typed: tuple[str, ...], message: str
) -> None:
    words = [word for text in typed for word in ("--source", text)]
    done = run("t1", *words)
    assert isinstance(done.exception, OasisGanError)
    assert message in str(done.exception)
    assert not Path("out").exists()


def test_a_place_without_a_name_is_wrong_usage() -> None:
    done = run("t1", "--source", "t2")
    assert done.exit_code == 2
    assert "Invalid value for '--source': expected NAME=WHERE, found t2" in done.stderr


def test_one_file_is_not_taken_for_several_subjects() -> None:
    done = run("t1/a.nii.gz", "t1/b.nii.gz", "--source", "t2=t2/a.nii.gz")
    assert "expected a t2 for each of several subjects, found one file, t2/a.nii.gz;" in str(
        done.exception
    )
    done = run("t1", "--source", "t2=t2/a.nii.gz")
    assert done.exit_code == 1
    assert "found one file, t2/a.nii.gz; name a folder" in done.stderr


def test_a_subject_is_not_its_own_further_source() -> None:
    done = run("t1", "--source", "t2=t1")
    assert done.exit_code == 1
    assert done.stdout == ""
    assert done.stderr.count("expected a t2 beside it, found none") == 2


def test_targets_in_a_table_of_pairs_are_not_used_as_a_further_source() -> None:
    Path("pairs.tsv").write_text("source\ttarget\nt1/a.nii.gz\tt2/b.nii.gz\n")
    done = run("pairs.tsv", "--source", "t2=_T2w.nii.gz")
    assert done.exit_code == 1
    assert "t1/a.nii.gz: expected a t2 beside it, found none" in done.stderr


def test_outputs_are_no_further_sources_unless_they_are_named() -> None:
    run("t1/a.nii.gz", "--source", "t2=t2")
    Path("mixed").mkdir()
    Path("out/a_synthFLAIR.nii.gz").rename("mixed/a.nii.gz")
    Path("out/a_synthFLAIR.json").rename("mixed/a.json")
    save(Path("mixed/b.nii.gz"))
    done = run("t1", "--source", "t2=mixed")
    assert done.stdout == "out/b_synthFLAIR.nii.gz\n"
    assert "expected a t2 beside it, found an output of oasis-gan, a.nii.gz;" in done.stderr
    named = run("t1/a.nii.gz", "--source", "t2=mixed/a.nii.gz")
    assert named.stdout == "out/a_synthFLAIR.nii.gz\n"
    assert "warning: using synthetic sources, which oasis-gan has made: a.nii.gz" in named.stderr


def test_a_further_source_that_cannot_be_read_is_named() -> None:
    Path("t2/a.nii.gz").write_bytes(b"no volume")
    done = run("t1", "--source", "t2=t2")
    assert "[1/2] failed - t2/a.nii.gz: expected" in done.stderr
    assert done.stdout == "out/b_synthFLAIR.nii.gz\n"


def test_check_examines_further_sources_too() -> None:
    save(Path("t2/b.nii.gz"))
    shifted = nib.Nifti1Image(GREYS, nib.affines.from_matvec(np.eye(3), [0, 0, 9]))
    nib.save(shifted, "t2/a.nii.gz")
    done = call("check", "t1", "--source", "t2=t2", "--format", "tsv")
    rows = [line.split("\t") for line in done.stdout.splitlines()[1:]]
    assert rows[0][:2] == ["a", "reject"]
    assert "t2/a.nii.gz" in rows[0][2]
    assert rows[1][1] != "reject"
