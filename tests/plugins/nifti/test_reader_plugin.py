"""The NIfTI reader finds the volumes a user means, names them, and finds the target of each."""

from __future__ import annotations

import gzip
import unicodedata
from pathlib import Path
from typing import Literal

import nibabel as nib
import numpy as np
import pytest
from kit.dicom_files import save_series
from nibabel.freesurfer.mghformat import MGHImage
from oasis_gan_nifti import oasis_gan_datasets

from oasis_gan import Dataset, OasisGanError, Selection, Subject

FORMS: tuple[Literal["NFC", "NFD"], ...] = ("NFC", "NFD")
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
    return {
        subject.name: int(subject.read_both()[1].voxels[0, 0, 0]) for subject in subjects(selection)
    }


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


def test_of_a_folder_only_files_with_the_suffix_are_taken_and_it_is_no_part_of_the_name(
    tmp_path: Path,
) -> None:
    for name in ("sub-01_seg.nii.gz", "sub-01_t1.nii.gz", "sub-02_SEG.nii.gz", "seg.nii.gz"):
        save(tmp_path / name)
    assert names(tmp_path, "_seg.nii.gz") == ["sub-01", "sub-02"]


def test_a_file_named_by_nothing_but_the_suffix_is_named_by_its_folder(tmp_path: Path) -> None:
    for name in ("sub-01/seg.nii.gz", "sub-02/seg.nii.gz"):
        save(tmp_path / name)
    assert names(tmp_path, "seg.nii.gz") == ["sub-01", "sub-02"]
    assert names(tmp_path / "sub-01", "seg.nii.gz") == ["sub-01"]


@pytest.mark.parametrize(
    "name",
    ["sub 01", "被験者", "e\u0301", "two\nlines", "-rf", "~", "$HOME", "a'b\"c", "\udce9", "%s"],
)
def test_a_file_may_have_any_name(tmp_path: Path, name: str) -> None:
    save(tmp_path / f"{name}.nii.gz")
    (subject,) = subjects(Selection(tmp_path))
    assert subject.name == name
    assert subject.source.read().voxels.max() == 1
    assert NIFTI.recognises(tmp_path / f"{name}.nii.gz")


def test_a_folder_without_such_files_is_refused_by_name(tmp_path: Path) -> None:
    save(tmp_path / "sub-01_t1.nii.gz")
    with pytest.raises(
        OasisGanError,
        match=r"expected files named \*_seg\.nii\.gz, found none, but sub-01_t1\.nii\.gz; check",
    ):
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


@pytest.mark.parametrize(
    ("source", "target"), [("a.nii", "a.nii.gz"), ("a.nii.gz", "a.nii"), ("A.NII", "A.nii.gz")]
)
def test_a_target_may_be_compressed_where_the_source_is_not(
    tmp_path: Path, source: str, target: str
) -> None:
    save(tmp_path / "seg" / source)
    save(tmp_path / "t1" / target, 5)
    assert list(targets(Selection(tmp_path / "seg", target_root=tmp_path / "t1")).values()) == [5]


@pytest.mark.parametrize("target", ["sub-01_seg.nii.gz", "sub-01.nii.gz", "sub-01.nii"])
def test_a_target_in_a_second_folder_may_leave_the_suffix_out(tmp_path: Path, target: str) -> None:
    save(tmp_path / "seg" / "sub-01_seg.nii.gz")
    save(tmp_path / "t1" / target, 5)
    selection = Selection(
        tmp_path / "seg", target_root=tmp_path / "t1", source_suffix="_seg.nii.gz"
    )
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
    source = save(tmp_path / "a.nii")
    target = save(tmp_path / "b.nii", 4)
    assert targets(Selection(source, target_root=target)) == {"a": 4}


def test_a_missing_target_fails_only_the_subject_it_belongs_to(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        save(tmp_path / f"{name}_seg.nii")
    for name in ("a", "c"):
        save(tmp_path / f"{name}_t1.nii")
    first, second, third = subjects(
        Selection(tmp_path, source_suffix="_seg.nii", target_suffix="_t1.nii")
    )
    first.read_both()
    third.read_both()
    with pytest.raises(
        OasisGanError, match=r"b_t1\.nii: expected a NIfTI file, found no such file"
    ):
        second.read_both()
    assert second.source.read().voxels.any()


def test_a_target_on_another_grid_is_refused(tmp_path: Path) -> None:
    save(tmp_path / "a_seg.nii")
    save(tmp_path / "a_t1.nii", size=3)
    (subject,) = subjects(Selection(tmp_path, source_suffix="_seg.nii", target_suffix="_t1.nii"))
    with pytest.raises(
        OasisGanError, match=r"a_t1\.nii: expected shape \(2, 3, 4\), found \(3, 3, 4\)"
    ):
        subject.read_both()


def test_a_subject_without_a_target_cannot_be_learnt_from(tmp_path: Path) -> None:
    (subject,) = subjects(Selection(save(tmp_path / "a.nii")))
    with pytest.raises(OasisGanError, match="expected a target beside it, found none"):
        subject.read_both()


def test_no_volume_is_its_own_target(tmp_path: Path) -> None:
    save(tmp_path / "a_seg.nii")
    for selection in (
        Selection(tmp_path, source_suffix="_seg.nii", target_suffix="_seg.nii"),
        Selection(tmp_path / "a_seg.nii", target_root=tmp_path / "a_seg.nii"),
    ):
        with pytest.raises(
            OasisGanError, match=r"a_seg\.nii: expected a target beside it, found itself"
        ):
            subjects(selection)
    (subject,) = subjects(Selection(tmp_path, target_root=tmp_path))
    with pytest.raises(OasisGanError, match="no such file"):
        subject.read_both()


# Links, other formats, other spellings


def test_linked_subject_folders_are_searched_wherever_they_lead(tmp_path: Path) -> None:
    save(tmp_path / "store" / "one" / "a_seg.nii")
    save(tmp_path / "ds" / "sub-02" / "b_seg.nii")
    (tmp_path / "ds" / "sub-01").symlink_to(tmp_path / "store" / "one")
    assert names(tmp_path / "ds") == ["sub-01_a_seg", "sub-02_b_seg"]
    assert NIFTI.recognises(tmp_path / "ds")


def test_a_folder_of_nothing_but_links_is_recognised(tmp_path: Path) -> None:
    save(tmp_path / "store" / "a.nii")
    (tmp_path / "ds").mkdir()
    (tmp_path / "ds" / "sub-01").symlink_to(tmp_path / "store")
    assert NIFTI.recognises(tmp_path / "ds")


@pytest.mark.parametrize("name", ["aseg.mgz", "ASEG.MGZ", "aseg.mgh", "aseg.mgh.gz"])
def test_freesurfers_volumes_are_found_like_any_other(tmp_path: Path, name: str) -> None:
    image = MGHImage(np.full((2, 3, 4), 7, np.int16), np.eye(4))
    for head in ("sub-01", "sub-02"):
        (tmp_path / head / "mri").mkdir(parents=True)
        (tmp_path / head / "mri" / name).write_bytes(image.to_bytes())
    assert names(tmp_path, "aseg") == ["sub-01_mri", "sub-02_mri"]
    assert names(tmp_path, name) == ["sub-01_mri", "sub-02_mri"]
    (subject,) = subjects(Selection(tmp_path / "sub-01" / "mri" / name))
    assert subject.source.read().voxels.max() == 7
    assert NIFTI.recognises(tmp_path / "sub-01" / "mri" / name)


def test_where_a_file_is_called_as_the_suffix_is_the_others_are_not_meant(tmp_path: Path) -> None:
    for name in ("one/seg.nii", "one/aparc+seg.nii", "two/x_seg.nii", "two/y_seg.nii"):
        save(tmp_path / name)
    for suffix in ("seg.nii", "seg"):
        assert names(tmp_path, suffix) == ["one", "two_x", "two_y"]


@pytest.mark.parametrize("target", ["x.nii", "x.nii.gz", "x.mgh", "x.mgz"])
@pytest.mark.parametrize("source", ["x.nii.gz", "x.mgh"])
def test_a_target_may_be_of_another_format(tmp_path: Path, source: str, target: str) -> None:
    for folder, name, value in (("seg", source, 1), ("t1", target, 5)):
        path = tmp_path / folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        kind = MGHImage if ".mg" in name else nib.Nifti1Image
        path.write_bytes(kind(np.full((2, 3, 4), value, np.int16), np.eye(4)).to_bytes())
    assert targets(Selection(tmp_path / "seg", target_root=tmp_path / "t1")) == {"x": 5}


def test_a_suffix_without_an_ending_chooses_whatever_the_ending(tmp_path: Path) -> None:
    save(tmp_path / "a_seg.nii.gz")
    save(tmp_path / "b_seg.nii")
    for value, name in enumerate(("a_t1.nii", "b_t1.nii.gz"), start=3):
        save(tmp_path / name, value)
    assert targets(Selection(tmp_path, source_suffix="_seg", target_suffix="_t1")) == {
        "a": 3,
        "b": 4,
    }


def test_of_two_copies_that_a_suffix_without_an_ending_names_none_is_picked(tmp_path: Path) -> None:
    for name in ("a_seg.nii", "a_t1.nii", "a_t1.nii.gz"):
        save(tmp_path / name)
    (subject,) = subjects(Selection(tmp_path, source_suffix="_seg", target_suffix="_t1"))
    with pytest.raises(
        OasisGanError,
        match=r"expected one target, found a_t1\.nii and a_t1\.nii\.gz; give `target_s",
    ):
        subject.read_both()


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("name", ["Zoë_t1.nii", "ZOË_T1.NII"])
def test_a_target_is_found_as_a_file_system_without_case_would_find_it(
    tmp_path: Path, form: Literal["NFC", "NFD"], name: str
) -> None:
    save(tmp_path / unicodedata.normalize("NFD", "Zoë_seg.nii"))
    save(tmp_path / unicodedata.normalize(form, name), 4)
    found = targets(Selection(tmp_path, source_suffix="_seg.nii", target_suffix="_t1.nii"))
    assert list(found.values()) == [4]


def test_a_missing_target_of_which_others_begin_alike_points_to_the_suffix(tmp_path: Path) -> None:
    """The layout is that of nnU-Net's raw data."""
    for case in ("BLB_400", "BLB_4001"):
        save(tmp_path / "labelsTr" / f"{case}.nii.gz")
        save(tmp_path / "imagesTr" / f"{case}_0000.nii.gz", 6)
    first, _ = subjects(Selection(tmp_path / "labelsTr", target_root=tmp_path / "imagesTr"))
    said = r"BLB_400\.nii\.gz: expected the target of BLB_400\.nii\.gz, found BLB_400_0000\.nii\.gz"
    said += "; say with `target_s"
    with pytest.raises(OasisGanError, match=said):
        first.read_both()
    selection = Selection(
        tmp_path / "labelsTr", tmp_path / "imagesTr", target_suffix="_0000.nii.gz"
    )
    assert targets(selection) == {"BLB_400": 6, "BLB_4001": 6}


def test_a_missing_target_with_a_shorter_name_points_to_the_suffix_of_sources(
    tmp_path: Path,
) -> None:
    for case in ("BLB_40", "BLB_400"):
        save(tmp_path / "labelsTr" / f"{case}.nii.gz", 6)
    save(tmp_path / "imagesTr/BLB_400_0000.nii.gz")
    (subject,) = subjects(Selection(tmp_path / "imagesTr", target_root=tmp_path / "labelsTr"))
    said = r"expected the target of BLB_400_0000\.nii\.gz, found BLB_400\.nii\.gz; "
    said += "say with `source_suffix`"
    assert subject.target is not None
    with pytest.raises(OasisGanError, match=said):
        subject.target.read()
    found = targets(
        Selection(tmp_path / "imagesTr", target_root=tmp_path / "labelsTr", source_suffix="_0000")
    )
    assert list(found.values()) == [6]


def test_copies_that_lie_with_functional_data_are_no_subjects(tmp_path: Path) -> None:
    save(tmp_path / "fmriprep/sub-01/anat/sub-01_desc-aseg_dseg.nii.gz")
    save(tmp_path / "fmriprep/sub-01/ses-1/func/sub-01_ses-1_task-rest_desc-aseg_dseg.nii.gz")
    save(tmp_path / "fmriprep/sub-01/func/sub-01_task-rest_desc-aseg_dseg.nii.gz")
    save(tmp_path / "fmriprep/func/group_desc-aseg_dseg.nii.gz")
    for root in (tmp_path, tmp_path / "fmriprep"):
        assert [
            name.rpartition("fmriprep_")[2] for name in names(root, "_desc-aseg_dseg.nii.gz")
        ] == [
            "func_group",
            "sub-01_anat_sub-01",
        ]
    assert names(tmp_path / "fmriprep/sub-01", "_dseg") == ["anat_sub-01_desc-aseg"]
    # What is named, or is all there is, is what was meant.
    assert names(tmp_path / "fmriprep/sub-01/func") == ["sub-01_task-rest_desc-aseg_dseg"]
    assert len(names(tmp_path, "_task-rest_desc-aseg_dseg.nii.gz")) == 2


def test_a_gzipped_pair_is_read_and_listed_once(tmp_path: Path) -> None:
    voxels = np.full((2, 3, 4), 5, np.int16)
    for name in ("a_seg", "a_t1"):
        nib.save(nib.Nifti1Pair(voxels, np.eye(4)), tmp_path / f"{name}.hdr")
    for name in ("a_seg.hdr", "a_seg.img", "a_t1.img"):
        (tmp_path / f"{name}.gz").write_bytes(gzip.compress((tmp_path / name).read_bytes()))
        (tmp_path / name).unlink()
    assert names(tmp_path) == ["a_seg", "a_t1"]
    for source in ("_seg.hdr.gz", "_seg.img.gz", "_seg"):
        (subject,) = subjects(Selection(tmp_path, source_suffix=source, target_suffix="_t1.hdr"))
        assert subject.source.parts == (tmp_path / "a_seg.img.gz",)
        assert subject.read_both()[1].voxels.max() == 5


@pytest.mark.parametrize("target", ["scans", "scans/sub-01"])
def test_a_dicom_series_can_be_the_target_of_a_label_map(tmp_path: Path, target: str) -> None:
    source = tmp_path / "heads" / "sub-01.nii.gz"
    source.parent.mkdir()
    source.touch()
    save_series(tmp_path / "scans" / "sub-01")
    root = source if target == "scans/sub-01" else source.parent
    (subject,) = subjects(Selection(root, tmp_path / target))
    assert subject.target is not None
    assert subject.target.read().voxels.shape == (4, 5, 6)
