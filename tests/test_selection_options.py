"""The options that choose subjects reach the reader as they are meant, for every command that works on subjects."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner

from oasis_gan.cli import cli

SPY = """
from oasis_gan import Dataset, OasisGanError, hookimpl

def subjects(selection):
    asked = (selection.participants, selection.sessions, selection.spacing, selection.max_voxels)
    raise OasisGanError("spy", expected="nothing", found=repr(asked), remedy="see")

@hookimpl
def oasis_gan_datasets():
    yield Dataset("spy", "Says what it is asked for", subjects, lambda path: False, by_participant=True)
"""


@pytest.mark.parametrize(
    ("words", "asked"),
    [
        ((), "((), (), None, 134217728)"),
        (("--participant-label", "sub-01", "--participant-label", "02"), "(('01', '02'), (), None, 134217728)"),
        (("--session-label", "ses-d0129"), "((), ('d0129',), None, 134217728)"),
        (("--spacing", "1.5"), "((), (), (1.5, 1.5, 1.5), 134217728)"),
        (("--spacing", "1,1,1.25", "--max-voxels", "9"), "((), (), (1.0, 1.0, 1.25), 9)"),
    ],
)
def test_a_reader_is_asked_for_what_the_user_says(
    tmp_path: Path, paint: Callable[..., Any], words: tuple[str, ...], asked: str
) -> None:
    (tmp_path / "spy.py").write_text(SPY)
    process = paint(".", "--dataset", "spy", "--plugin", "spy.py", *words)
    assert process.returncode == 1
    assert f"found {asked}; see" in process.stderr


def test_participants_of_a_layout_that_knows_none_are_refused(tmp_path: Path, paint: Callable[..., Any]) -> None:
    nib.save(nib.Nifti1Image(np.ones((3, 3, 3), np.uint8), np.eye(4)), tmp_path / "a.nii")
    refused = paint("a.nii", "--participant-label", "01")
    assert refused.returncode == 1
    assert "a.nii: expected a BIDS dataset, found nifti; leave --participant-label" in refused.stderr


@pytest.mark.parametrize("command", ["run", "train", "check"])
@pytest.mark.parametrize("spacing", ["", "1,2", "1,1,1,1", "0", "-1", "nan", "inf", "one", "1 1 1"])
def test_a_spacing_is_one_positive_number_or_three(command: str, spacing: str) -> None:
    result = CliRunner().invoke(cli, [command, "x", "--spacing", spacing])
    assert result.exit_code == 2
    assert "--spacing" in result.output


def test_a_volume_with_more_voxels_is_refused_before_it_is_read(tmp_path: Path, paint: Callable[..., Any]) -> None:
    nib.save(nib.Nifti1Image(np.ones((9, 9, 9), np.uint8), np.eye(4)), tmp_path / "a.nii")
    refused = paint("a.nii", "--max-voxels", "728")
    assert refused.returncode == 1
    assert "a.nii: expected at most 728 voxels, found dimensions [9, 9, 9]" in refused.stderr
    assert paint("a.nii", "--max-voxels", "729").returncode == 0
