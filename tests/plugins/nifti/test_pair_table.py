"""A table of pairs is read row by row, with any file names, and a bad row fails alone."""

from __future__ import annotations

import csv
import json
import unicodedata
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from oasis_gan_nifti import oasis_gan_datasets

from oasis_gan import Dataset, OasisGanError, Selection, Subject
from oasis_gan.testing import DatasetContract

NIFTI: Dataset = next(iter(oasis_gan_datasets()))


def save(path: Path, value: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(nib.Nifti1Image(np.full((3, 4, 5), value, np.uint8), np.eye(4)).to_bytes())
    return path


def write(table: Path, *rows: tuple[str, ...], encoding: str = "utf-8") -> Path:
    with table.open("w", newline="", encoding=encoding, errors="surrogateescape") as file:
        csv.writer(file, dialect="excel-tab").writerows(rows)
    return table


def subjects(table: Path) -> list[Subject]:
    return list(NIFTI.open(Selection(table)))


class TestTable(DatasetContract):
    """The contract, with a table for the source."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return NIFTI

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        names = [(f"seg/{name}.nii", f"mri/{name}.nii") for name in "ab"]
        for value, name in enumerate(sum(names, ())):
            save(tmp_path / name, value)
        return Selection(write(tmp_path / "pairs.tsv", ("source", "target"), *names))


def test_paths_are_relative_to_the_table_and_may_be_absolute(tmp_path: Path) -> None:
    save(tmp_path / "seg/site1/a.nii", 1)
    target = save(tmp_path / "elsewhere/b.nii", 7)
    (tmp_path / "tables").mkdir()
    (subject,) = subjects(
        write(
            tmp_path / "tables/t.TSV",
            ("source", "target"),
            ("../seg/site1/a.nii", str(target.absolute())),
        )
    )
    assert subject.name == "seg_site1_a"
    assert subject.read_both()[1].voxels.max() == 7


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig"])
def test_columns_come_in_any_order_and_say_subject_and_split(tmp_path: Path, encoding: str) -> None:
    rows = [
        ("split", "target", "note", "source", "subject"),
        ("test", "b.nii", "x", "a.nii", "one"),
    ]
    (subject,) = subjects(write(tmp_path / "t.tsv", *rows, encoding=encoding))
    assert (subject.name, subject.split) == ("one", "test")


def test_a_row_without_a_target_can_be_translated(tmp_path: Path) -> None:
    save(tmp_path / "a.nii")
    for rows in ([("source",), ("a.nii",)], [("source", "target"), ("a.nii", "")]):
        (subject,) = subjects(write(tmp_path / "t.tsv", *rows))
        assert subject.target is None
        assert subject.source.read().voxels.any()


@pytest.mark.parametrize(
    "name", ["a b", "-rf", "脑", "50%s<b>", "two\nlines", "ta\tb", '"quoted"', "\udcff", "=1+1"]
)
def test_files_may_have_any_name(tmp_path: Path, name: str) -> None:
    save(tmp_path / f"{name}.nii", 5)
    (subject,) = subjects(
        write(tmp_path / "t.tsv", ("source", "target"), (f"{name}.nii", f"{name}.nii.gz"))
    )
    assert subject.name == name
    assert subject.source.read().voxels.max() == 5


def test_names_are_matched_as_a_file_system_without_case_would_match_them(tmp_path: Path) -> None:
    save(tmp_path / unicodedata.normalize("NFD", "Zoë") / "SEG.nii")
    save(tmp_path / unicodedata.normalize("NFC", "Zoë_t1.nii"))
    typed = unicodedata.normalize("NFC", "Zoë/seg.nii"), unicodedata.normalize("NFD", "zoë_T1.nii")
    (subject,) = subjects(write(tmp_path / "t.tsv", ("source", "target"), typed))
    subject.read_both()


def test_a_bad_row_is_named_and_the_others_go_on(tmp_path: Path) -> None:
    save(tmp_path / "a.nii")
    save(tmp_path / "b.nii")
    rows = [
        ("source", "target", "subject", "split"),
        ("a.nii", "b.nii", "good", "train"),
        ("", "b.nii", "", ""),
        ("a.nii", "missing.nii", "", ""),
        ("missing.nii", "b.nii", "", ""),
        ("a.nii", "a.nii", "", ""),
        ("a.nii", "b.nii", "s", "dev"),
    ]
    said = []
    for subject in subjects(write(tmp_path / "t.tsv", *rows)):
        try:
            subject.read_both()
            said.append(f"{subject.name}: fine")
        except OasisGanError as error:
            said.append(str(error).replace(str(tmp_path), "").split(";")[0])
    assert said == [
        "good: fine",
        "/t.tsv, row 2: expected a source, found none",
        "/missing.nii: expected a NIfTI file, found no such file",
        "/missing.nii: expected a NIfTI file, found no such file",
        "/t.tsv, row 5: expected a target beside the source, found the source",
        "/t.tsv, row 6: expected split train, validate or test, found dev",
    ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "no column source"),
        (b"image\tlabels\n", "no column source"),
        (
            b"source,target\na,b\n",
            "found one column source,target; separate the columns by tabs, not by commas",
        ),
        (b"source;target\na;b\n", "separate the columns by tabs"),
        (b"/annex/objects/MD5E-s12--abc.tsv\n", "the content has not been fetched"),
        (b"source\ttarget\n", "expected a row for each pair"),
        (b"source\n" + b"x" * 200_000, "field larger than field limit"),
    ],
)
def test_another_table_is_refused_by_name(tmp_path: Path, content: bytes, said: str) -> None:
    (tmp_path / "t.tsv").write_bytes(content)
    with pytest.raises(OasisGanError, match=r"t\.tsv: expected") as caught:
        subjects(tmp_path / "t.tsv")
    assert said in str(caught.value)


@given(data=st.binary(max_size=200))
def test_random_tables_are_refused_or_read(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "t.tsv").write_bytes(b"source\ttarget\n" + data)
    try:
        for subject in subjects(tmp_path / "t.tsv"):
            subject.read_both()
    except (OasisGanError, OSError) as error:
        assert str(error).isprintable()


def test_a_table_is_a_source_like_any_other(tmp_path: Path, paint: Callable[..., Any]) -> None:
    """Without --dataset: its name says what it is."""
    save(tmp_path / "a.nii")
    write(tmp_path / "t.tsv", ("source", "subject"), ("a.nii", "one"), ("b.nii", "two"))
    process = paint("t.tsv")
    assert process.returncode == 1
    assert process.stdout.split() == ["out/one_synthT1w.nii.gz"]
    assert json.loads((tmp_path / "out/one_synthT1w.json").read_text())["source"]["file"] == "a.nii"
    assert "two: failed - b.nii: expected a NIfTI file, found no such file" in process.stderr
