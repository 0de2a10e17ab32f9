"""Names of volumes: their endings, and which names a file system could take for the same."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from oasis_gan import NameLookup, OasisGanError, has_suffix, is_volume_name, stem_of, strip_suffix

COMPOSED, DECOMPOSED = (unicodedata.normalize(form, "Zoë") for form in ("NFC", "NFD"))


@pytest.mark.parametrize(
    ("name", "stem"),
    [
        ("a.nii.gz", "a"),
        ("a.NII.Gz", "a"),
        ("a.b.nii", "a.b"),
        ("aseg.mgz", "aseg"),
        ("aseg.mgh", "aseg"),
        ("aseg.mgh.gz", "aseg"),
        ("a.hdr", "a"),
        ("a.img.gz", "a"),
        ("a.nrrd", "a"),
        ("a.seg.nrrd", "a"),
        ("a.NHDR", "a"),
        ("a.mha", "a"),
        ("a.mhd", "a"),
        (".nii", ""),
    ],
)
def test_a_volume_is_named_by_its_ending(name: str, stem: str) -> None:
    assert is_volume_name(Path(name))
    assert stem_of(name) == stem


@pytest.mark.parametrize("name", ["a.gz", "a.nii.bz2", "nii", "a.raw", "a.mgz.txt", "a.json", ""])
def test_other_endings_are_no_volumes(name: str) -> None:
    assert not is_volume_name(Path(name))
    assert stem_of(name) == name


@pytest.mark.parametrize(
    ("name", "suffix", "left"),
    [
        ("a_seg.nii.gz", "_seg.nii.gz", "a"),
        ("a_seg.nii.gz", "_SEG.NII.gz", "a"),
        ("a_seg.nii.gz", "_seg", "a"),
        ("a_seg.nii", "_seg", "a"),
        ("a_seg.mgz", "_seg", "a"),
        ("aseg.mgz", "aseg", ""),
        ("a_seg.hdr", "_seg.img", "a"),
        ("a_seg.hdr", "_seg", "a"),
        ("a_seg.hdr.gz", "_seg.img.gz", "a"),
        ("a_seg.nii.gz", ".gz", "a_seg.nii"),
        ("a_seg.nii.gz", "", "a_seg"),
        (f"a_{DECOMPOSED}.nii", f"_{COMPOSED}.nii", "a"),
        (f"a_{COMPOSED}.nii", f"_{DECOMPOSED}", "a"),
        ("a_STRASSE.nii", "_straße", "a"),
    ],
)
def test_a_suffix_is_matched_with_its_ending_or_without(name: str, suffix: str, left: str) -> None:
    assert has_suffix(name, suffix)
    assert strip_suffix(name, suffix) == left


@pytest.mark.parametrize(
    ("name", "suffix"),
    [
        ("a_t1.nii", "_seg"),
        ("a_seg.nii", "_seg.nii.gz"),
        ("a_seg_2.nii", "_seg"),
        ("a_dseg.nii", "_seg"),
        ("", "_seg"),
    ],
)
def test_other_names_do_not_have_the_suffix(name: str, suffix: str) -> None:
    assert not has_suffix(name, suffix)
    assert strip_suffix(name, suffix) is None


@pytest.mark.parametrize(
    ("there", "asked"),
    [
        ("a.nii", "a.nii"),
        ("A.NII.GZ", "a.nii.gz"),
        (f"{DECOMPOSED}.nii", f"{COMPOSED}.nii"),
        (f"{COMPOSED}.nii", f"{DECOMPOSED}.nii"),
        (f"{DECOMPOSED}/Scans/a.nii", f"{COMPOSED.upper()}/scans/A.nii"),
    ],
)
def test_a_file_is_found_as_a_file_system_without_case_would_find_it(
    tmp_path: Path, there: str, asked: str
) -> None:
    (tmp_path / there).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / there).touch()
    assert NameLookup().find(tmp_path / asked) == tmp_path / there
    assert NameLookup().find(tmp_path / "other.nii") is None
    assert NameLookup().find(tmp_path / "no/such/folder.nii") is None


def test_the_exact_name_wins_and_an_ambiguous_one_is_not_picked(tmp_path: Path) -> None:
    for name in ("a.nii", "A.nii", f"{COMPOSED}.nii", f"{DECOMPOSED}.nii"):
        (tmp_path / name).touch()
    if len(list(tmp_path.iterdir())) < 4:
        pytest.skip("this file system takes some of them for one")
    assert NameLookup().find(tmp_path / "A.nii") == tmp_path / "A.nii"
    with pytest.raises(
        OasisGanError,
        match=r"a\.NII: expected one file of this name, found A\.nii and a\.nii; rename",
    ):
        NameLookup().find(tmp_path / "a.NII")


def test_a_link_that_leads_nowhere_is_found(tmp_path: Path) -> None:
    (tmp_path / "a.nii").symlink_to("nowhere")
    assert NameLookup().find(tmp_path / "a.nii") == tmp_path / "a.nii"
