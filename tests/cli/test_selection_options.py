"""The options that choose subjects reach the reader unchanged, in every command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner

from oasis_gan.cli.main import cli

SPY = """
from oasis_gan import Dataset, OasisGanError, hookimpl

def subjects(selection):
    asked = (selection.participants, selection.sessions, selection.spacing, selection.max_voxels)
    raise OasisGanError("spy", expected="nothing", found=repr(asked), remedy="see")

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="spy",
        summary="Says what it is asked for",
        open=subjects,
        recognises=lambda path: False,
        by_participant=True,
    )
"""


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ((), "((), (), None, 134217728)"),
        (
            ("--participant-label", "sub-01", "--participant-label", "02"),
            "(('01', '02'), (), None, 134217728)",
        ),
        (
            ("--participant-label", "01", "sub-02", "03"),
            "(('01', '02', '03'), (), None, 134217728)",
        ),
        (("--participant-label", "01,02,", "--max-voxels", "9"), "(('01', '02'), (), None, 9)"),
        (("--participant-label=01", "02"), "(('01', '02'), (), None, 134217728)"),
        (("--session-label", "ses-d0129"), "((), ('d0129',), None, 134217728)"),
        (("--session-label", "sess-d0129", "d0364"), "((), ('d0129', 'd0364'), None, 134217728)"),
        (
            ("--participant-label", "a", "b", "--session-label", "1", "2", "--spacing", "1"),
            "(('a', 'b'), ('1', '2'), (1.0, 1.0, 1.0), 134217728)",
        ),
        (("--spacing", "1.5"), "((), (), (1.5, 1.5, 1.5), 134217728)"),
        (("--spacing", "1,1,1.25", "--max-voxels", "9"), "((), (), (1.0, 1.0, 1.25), 9)"),
    ],
)
def test_a_reader_receives_the_selection_of_the_user(
    tmp_path: Path, paint: Callable[..., Any], words: tuple[str, ...], asked: str
) -> None:
    (tmp_path / "spy.py").write_text(SPY)
    process = paint(".", "--dataset", "spy", "--plugin", "spy.py", *words)
    assert process.returncode == 1
    assert f"found {asked}; see" in process.stderr


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        (("--participant-label", "01", "02", "ds"), "('01', '02')"),
        (("--participant-label", "01", "ds", "--session-label", "1"), "('01',)"),
        (("--participant-label", "01", "--", "ds"), "('01',)"),
        (("ds", "--participant-label", "sub-01", "sub-02"), "('01', '02')"),
        (("ds", "--participant-label", "sub-01/", "sub-02/"), "('01', '02')"),
    ],
)
def test_an_existing_path_is_a_source_and_anything_else_is_a_label(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], asked: str
) -> None:
    (tmp_path / "spy.py").write_text(SPY)
    for folder in ("ds", "sub-01", "sub-02"):
        (tmp_path / folder).mkdir()
    monkeypatch.chdir(tmp_path)
    result = CliRunner().invoke(
        cli, ["check", "--dataset", "spy", "--plugin", "spy.py", "--format", "tsv", *words]
    )
    assert result.exit_code == 1
    _, *rows = result.output.splitlines()
    assert len(rows) == 1
    assert f"found ({asked}, " in rows[0]


def test_an_unknown_label_is_named_and_not_taken_for_a_source(tmp_path: Path) -> None:
    (tmp_path / "dataset_description.json").write_text("{}")
    for sub in ("01", "02"):
        (tmp_path / f"sub-{sub}").mkdir()
        path = tmp_path / f"sub-{sub}" / f"sub-{sub}_dseg.nii"
        nib.save(nib.Nifti1Image(np.ones((3, 3, 3), np.uint8), np.eye(4)), path)
    result = CliRunner().invoke(cli, ["check", str(tmp_path), "--participant-label", "01", "03"])
    assert result.exit_code == 1
    assert "--participant-label: expected one of 01, 02, found 03" in " ".join(
        result.output.split()
    )
    accepted = CliRunner().invoke(
        cli, ["check", str(tmp_path), "--participant-label", "01", "02", "--format", "tsv"]
    )
    assert [line.partition("\t")[0] for line in accepted.output.splitlines()[-2:]] == [
        "sub-01",
        "sub-02",
    ]


def test_choosing_participants_is_refused_for_a_layout_without_participants(
    tmp_path: Path, paint: Callable[..., Any]
) -> None:
    nib.save(nib.Nifti1Image(np.ones((3, 3, 3), np.uint8), np.eye(4)), tmp_path / "a.nii")
    refused = paint("a.nii", "--participant-label", "01")
    assert refused.returncode == 1
    assert (
        "a.nii: expected a BIDS dataset, found nifti; leave --participant-label" in refused.stderr
    )


@pytest.mark.parametrize("command", ["run", "train", "check"])
@pytest.mark.parametrize("spacing", ["", "1,2", "1,1,1,1", "0", "-1", "nan", "inf", "one", "1 1 1"])
def test_a_spacing_is_one_positive_number_or_three(command: str, spacing: str) -> None:
    result = CliRunner().invoke(cli, [command, "x", "--spacing", spacing])
    assert result.exit_code == 2
    assert "--spacing" in result.output


def test_a_volume_with_more_voxels_is_refused_before_it_is_read(
    tmp_path: Path, paint: Callable[..., Any]
) -> None:
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.uint8), np.eye(4)), tmp_path / "a.nii")
    refused = paint("a.nii", "--max-voxels", "728")
    assert refused.returncode == 1
    assert "a.nii: expected at most 728 voxels, found dimensions [9, 9, 9]" in refused.stderr
    assert paint("a.nii", "--max-voxels", "729").returncode == 0
