"""The NIfTI reader finds the volumes a user means, names them, and finds the target of each."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from oasis_gan_nifti import oasis_gan_datasets

from oasis_gan import Dataset, OasisGanError, Selection, Subject

NIFTI: Dataset = next(oasis_gan_datasets())


def save(path: Path, value: int = 1, size: int = 2) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    # By bytes, as nibabel minds the case of endings.
    path.write_bytes(nib.Nifti1Image(np.full((size, 3, 4), value, np.int16), np.eye(4)).to_bytes())
    return path


def subjects(selection: Selection) -> list[Subject]:
    return list(NIFTI.open(selection))


def names(root: Path, suffix: str = "") -> list[str]:
    return [subject.name for subject in subjects(Selection(root, source_suffix=suffix))]


def targets(selection: Selection) -> dict[str, int]:
    """Return the value that fills each subject's target."""
    return {subject.name: int(subject.paired()[1].voxels[0, 0, 0]) for subject in subjects(selection)}


# Sources


@pytest.mark.parametrize("name", ["sub-01.nii", "sub-01.nii.gz", "sub-01.NII.GZ", "sub-01.Nii"])
def test_a_file_is_one_subject_named_without_its_ending(tmp_path: Path, name: str) -> None:
    (subject,) = subjects(Selection(save(tmp_path / name, value=7)))
    assert subject.name == "sub-01"
    assert subject.target is None
    assert subject.source.read().voxels.max() == 7


def test_a_folder_is_searched_with_its_subfolders_in_a_stable_order(tmp_path: Path) -> None:
    for name in ("b.nii", "site2/a.nii.gz", "site1/z.NII", "site1/deep/er/a.nii", "a.nii.gz"):
        save(tmp_path / name)
    for other in ("notes.txt", "image.tif", "nii", "b.nii.json"):
        (tmp_path / other).touch()
    assert names(tmp_path) == ["a", "b", "site1_z", "site1_deep_er_a", "site2_a"]


def test_nothing_is_read_before_it_is_asked_for(tmp_path: Path) -> None:
    (tmp_path / "broken.nii").write_bytes(b"x")
    (subject,) = subjects(Selection(tmp_path))
    with pytest.raises(OasisGanError, match=r"broken\.nii"):
        subject.source.read()


def test_of_a_folder_only_files_with_the_suffix_are_taken_and_it_is_no_part_of_the_name(tmp_path: Path) -> None:
    for name in ("sub-01_seg.nii.gz", "sub-01_t1.nii.gz", "sub-02_SEG.nii.gz", "seg.nii.gz"):
        save(tmp_path / name)
    assert names(tmp_path, "_seg.nii.gz") == ["sub-01", "sub-02"]


def test_a_file_named_by_nothing_but_the_suffix_is_named_by_its_folder(tmp_path: Path) -> None:
    for name in ("sub-01/seg.nii.gz", "sub-02/seg.nii.gz"):
        save(tmp_path / name)
    assert names(tmp_path, "seg.nii.gz") == ["sub-01", "sub-02"]
    assert names(tmp_path / "sub-01", "seg.nii.gz") == ["sub-01"]


@pytest.mark.parametrize(
    "name", ["sub 01", "被験者", "e\u0301", "two\nlines", "-rf", "~", "$HOME", "a'b\"c", "\udce9", "%s"]
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    save(tmp_path / f"{name}.nii.gz")
    (subject,) = subjects(Selection(tmp_path))
    assert subject.name == name
    assert subject.source.read().voxels.max() == 1
    assert NIFTI.recognises(tmp_path / f"{name}.nii.gz")


def test_a_folder_without_such_files_is_refused_by_name(tmp_path: Path) -> None:
    save(tmp_path / "sub-01_t1.nii.gz")
    with pytest.raises(OasisGanError, match=r"expected files named \*_seg\.nii\.gz, found none; check the folder"):
        subjects(Selection(tmp_path, source_suffix="_seg.nii.gz"))


def test_a_folder_that_is_linked_into_itself_is_searched_once(tmp_path: Path) -> None:
    save(tmp_path / "a.nii")
    (tmp_path / "loop").symlink_to(tmp_path)
    assert names(tmp_path) == ["a"]


def test_a_linked_file_is_a_file(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "linked.nii").symlink_to(save(tmp_path / "store" / "x.nii"))
    assert names(tmp_path / "data") == ["linked"]


# Recognising


def test_nifti_files_and_folders_with_them_are_recognised(tmp_path: Path) -> None:
    save(tmp_path / "deep" / "er" / "a.NII.GZ")
    (tmp_path / "empty").mkdir()
    assert NIFTI.recognises(tmp_path)
    assert NIFTI.recognises(tmp_path / "deep" / "er" / "a.NII.GZ")
    assert not NIFTI.recognises(tmp_path / "empty")
    assert not NIFTI.recognises(tmp_path / "a.png")


# Targets


def test_targets_lie_in_a_second_folder_under_the_same_names(tmp_path: Path) -> None:
    for value, name in enumerate(("a.nii.gz", "b.NII.GZ", "site1/c.nii"), start=1):
        save(tmp_path / "seg" / name)
        save(tmp_path / "t1" / name, value)
    found = targets(Selection(tmp_path / "seg", target_root=tmp_path / "t1"))
    assert found == {"a": 1, "b": 2, "site1_c": 3}


@pytest.mark.parametrize(("source", "target"), [("a.nii", "a.nii.gz"), ("a.nii.gz", "a.nii"), ("A.NII", "A.nii.gz")])
def test_a_target_may_be_compressed_where_the_source_is_not(tmp_path: Path, source: str, target: str) -> None:
    save(tmp_path / "seg" / source)
    save(tmp_path / "t1" / target, 5)
    assert list(targets(Selection(tmp_path / "seg", target_root=tmp_path / "t1")).values()) == [5]


@pytest.mark.parametrize("target", ["sub-01_seg.nii.gz", "sub-01.nii.gz", "sub-01.nii"])
def test_a_target_in_a_second_folder_may_leave_the_suffix_out(tmp_path: Path, target: str) -> None:
    save(tmp_path / "seg" / "sub-01_seg.nii.gz")
    save(tmp_path / "t1" / target, 5)
    selection = Selection(tmp_path / "seg", target_root=tmp_path / "t1", source_suffix="_seg.nii.gz")
    assert targets(selection) == {"sub-01": 5}


@pytest.mark.parametrize("root", ["", "site1", "site1/sub-01_seg.nii.gz"])
def test_suffixes_tell_targets_from_sources_in_one_folder(tmp_path: Path, root: str) -> None:
    save(tmp_path / "site1" / "sub-01_seg.nii.gz")
    save(tmp_path / "site1" / "sub-01_t1.nii.gz", 9)
    selection = Selection(tmp_path / root, source_suffix="_seg.nii.gz", target_suffix="_t1.nii.gz")
    assert list(targets(selection).values()) == [9]


def test_suffixes_and_a_second_folder_go_together(tmp_path: Path) -> None:
    save(tmp_path / "seg" / "site1" / "sub-01_seg.nii.gz")
    save(tmp_path / "mri" / "site1" / "sub-01_t1.nii.gz", 9)
    selection = Selection(tmp_path / "seg", tmp_path / "mri", "_seg.nii.gz", "_t1.nii.gz")
    assert targets(selection) == {"site1_sub-01": 9}


def test_a_file_may_have_a_file_for_its_target(tmp_path: Path) -> None:
    source, target = save(tmp_path / "a.nii"), save(tmp_path / "b.nii", 4)
    assert targets(Selection(source, target_root=target)) == {"a": 4}


def test_a_missing_target_fails_only_the_subject_it_belongs_to(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save(tmp_path / f"{name}_seg.nii")
    for name in ("a", "c"):
        save(tmp_path / f"{name}_t1.nii")
    first, second, third = subjects(Selection(tmp_path, source_suffix="_seg.nii", target_suffix="_t1.nii"))
    first.paired()
    third.paired()
    with pytest.raises(OasisGanError, match=r"b_t1\.nii: expected a NIfTI file, found no such file"):
        second.paired()
    assert second.source.read().voxels.any()


def test_a_target_on_another_grid_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a_seg.nii")
    save(tmp_path / "a_t1.nii", size=3)
    (subject,) = subjects(Selection(tmp_path, source_suffix="_seg.nii", target_suffix="_t1.nii"))
    with pytest.raises(OasisGanError, match=r"a_t1\.nii: expected shape \(2, 3, 4\), found \(3, 3, 4\)"):
        subject.paired()


def test_a_subject_without_a_target_cannot_be_learnt_from(tmp_path: Path) -> None:
    (subject,) = subjects(Selection(save(tmp_path / "a.nii")))
    with pytest.raises(OasisGanError, match="expected a target beside it, found none"):
        subject.paired()


def test_no_volume_is_its_own_target(tmp_path: Path) -> None:
    save(tmp_path / "a_seg.nii")
    for selection in (
        Selection(tmp_path, source_suffix="_seg.nii", target_suffix="_seg.nii"),
        Selection(tmp_path / "a_seg.nii", target_root=tmp_path / "a_seg.nii"),
    ):
        with pytest.raises(OasisGanError, match=r"a_seg\.nii: expected a target beside it, found itself"):
            subjects(selection)
    (subject,) = subjects(Selection(tmp_path, target_root=tmp_path))
    with pytest.raises(OasisGanError, match="no such file"):
        subject.paired()
