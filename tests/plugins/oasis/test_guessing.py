"""The layout of a source is detected and reported; an ambiguous one is refused."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest

from oasis_gan import Selection
from oasis_gan.cli.choosing import list_subjects
from oasis_gan.plugin.registry import Registry

READER = """
from oasis_gan import Dataset, Scan, Subject, hookimpl, read_nifti

def subjects(selection):
    yield Subject("{name}", Scan(selection.root / "a.nii", read_nifti))

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="{name}",
        summary="Folders with a mark",
        open=subjects,
        recognises=lambda path: (path / "mark").exists(),
        generic={generic},
    )
"""


def guess(tmp_path: Path, root: Path, **readers: bool) -> tuple[list[str], list[str]]:
    """Return the names of the subjects, and why others fail, with these readers installed too."""
    files = [tmp_path / f"{name}.py" for name in readers]
    for file, generic in zip(files, readers.values(), strict=True):
        file.write_text(READER.format(name=file.stem, generic=generic))
    subjects, broken = list_subjects(Registry.discover(files), [Selection(root)], None)
    return [subject.name for subject in subjects], [outcome.message for outcome in broken]


@pytest.fixture
def marked(tmp_path: Path) -> Path:
    """Return a folder of NIfTI with the mark of another layout in it."""
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "mark").touch()
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.eye(4)), tmp_path / "in" / "a.nii")
    return tmp_path / "in"


def test_a_particular_layout_wins_over_a_file_format(
    tmp_path: Path, marked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guess(tmp_path, marked, mine=False) == (["mine"], [])
    assert capsys.readouterr().err == f"reading {marked} as mine\n"
    (marked / "mark").unlink()
    assert guess(tmp_path, marked, mine=False) == (["a"], [])
    assert capsys.readouterr().err == f"reading {marked} as nifti\n"


def test_a_format_stated_by_the_file_name_is_not_reported_as_a_guess(
    tmp_path: Path, marked: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert guess(tmp_path, marked / "a.nii") == (["a"], [])
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    ("readers", "found"),
    [({"mine": False, "yours": False}, "mine and yours"), ({"mine": True}, "nifti and mine")],
)
def test_two_readers_that_match_are_named_and_neither_is_used(
    tmp_path: Path,
    marked: Path,
    capsys: pytest.CaptureFixture[str],
    readers: dict[str, bool],
    found: str,
) -> None:
    names, (why,) = guess(tmp_path, marked, **readers)
    assert names == []
    assert why == f"{marked}: expected one layout, found {found}; choose one with --dataset"
    assert capsys.readouterr().err == ""


def test_an_unrecognised_folder_is_refused_with_a_list_of_the_readers(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    _, (why,) = guess(tmp_path, tmp_path / "in")
    assert "something that a dataset plugin reads" in why
    for name in ("nifti", "oasis1", "neurite-oasis"):
        assert name in why
