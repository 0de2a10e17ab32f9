"""The OASIS PNG slices are found in every form in which they reach a disk."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_nifti
import oasis_gan_oasis
import pytest
from kit.png_slices import (
    COLUMNS,
    GREY,
    READER,
    ROWS,
    assert_complete,
    encode_png,
    image_slice,
    label_slice,
    list_subjects,
    make_dataset,
    make_zip,
    refusal,
    save_png,
)

from oasis_gan import (
    Dataset,
    Selection,
)
from oasis_gan.testing import DatasetContract


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """Return the folder of the slices, as it is distributed."""
    return make_dataset(tmp_path / "in" / "keras_png_slices_data")


LAYOUTS: dict[str, dict[str, Any]] = {
    "as it comes": {},
    "nested": {
        "images": "slices/keras_png_slices_{}",
        "segs": "slices_seg/keras_png_slices_seg_{}",
    },
    "nested, seg said once": {
        "images": "slices/keras_png_slices_{}",
        "segs": "slices_seg/keras_png_slices_{}",
    },
    "a folder for ImageFolder": {
        "images": "keras_png_slices_{}/data",
        "segs": "keras_png_slices_seg_{}/data",
    },
    "labels named like their MRIs": {"prefix": "case"},
    "labels from 0 to 3": {"step": 1},
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("form", ["folder", "its parent", "zip"])
def test_every_layout_gives_the_same_pairs(tmp_path: Path, layout: str, form: str) -> None:
    root = make_dataset(tmp_path / "in" / "keras_png_slices_data", **LAYOUTS[layout])
    root = {
        "folder": root,
        "its parent": root.parent,
        "zip": make_zip(root, tmp_path / "slices.ZIP"),
    }[form]
    assert READER.recognises(root)
    assert_complete(list_subjects(root))


def test_linked_folders_of_slices_count_like_any_other(data: Path, tmp_path: Path) -> None:
    (tmp_path / "links").mkdir()
    for folder in data.iterdir():
        (tmp_path / "links" / folder.name).symlink_to(folder)
        (folder / "loop").symlink_to(folder)
    assert_complete(list_subjects(tmp_path / "links"))


def test_a_slice_that_has_not_been_fetched_or_is_no_png_is_called_what_it_is(
    data: Path, tmp_path: Path
) -> None:
    path = next(data.rglob("*.png"))
    for content, said in (
        (b"<!DOCTYPE html><html>", "a web page"),
        (b"version https://git-lfs.github.com/spec/v1", "LFS"),
    ):
        path.write_bytes(content)
        assert said in refusal(
            lambda: [subject.read_both() for subject in list_subjects(data).values()]
        )
    path.unlink()
    path.symlink_to("../.git/annex/objects/x")
    assert "has not been fetched" in refusal(
        lambda: [subject.read_both() for subject in list_subjects(data).values()]
    )


def test_a_zip_that_has_not_been_fetched_is_called_so(tmp_path: Path) -> None:
    path = tmp_path / "slices.zip"
    path.write_bytes(b"/annex/objects/MD5E-s12--abc.zip\n")
    assert "has not been fetched; fetch it with datalad get" in refusal(lambda: list_subjects(path))


def test_macos_leftovers_are_passed_over(data: Path) -> None:
    save_png(data / "keras_png_slices_train" / "._case_001_slice_0.nii.png", b"rubbish")
    save_png(
        data.parent / "__MACOSX" / "keras_png_slices_train" / "._case_001_slice_1.nii.png",
        b"rubbish",
    )
    assert_complete(list_subjects(data.parent))


def test_a_folder_of_labels_alone_can_be_translated(data: Path) -> None:
    found = list_subjects(data / "keras_png_slices_seg_test")
    assert list(found) == ["case_441"]
    assert found["case_441"].target is None
    assert found["case_441"].split == "test"
    assert found["case_441"].source.read().voxels.max() == 3


def test_a_folder_of_mri_alone_makes_them_the_source(data: Path) -> None:
    """The direction of a translation is chosen in this way."""
    subject = list_subjects(data / "keras_png_slices_train")["case_002"]
    assert subject.source.labels is None
    np.testing.assert_array_equal(subject.source.read().voxels[:, ::-1, 3].T, image_slice(2, 3))


def test_the_direction_of_pairs_is_that_of_the_two_folders(data: Path) -> None:
    mri = data / "keras_png_slices_train"
    seg = data / "keras_png_slices_seg_train"
    for root, target in (
        (mri, seg),
        (mri, data),
        (seg, mri),
        (seg, data),
        (seg, make_zip(data, data / "all.zip")),
    ):
        found = list_subjects(root, target)
        assert list(found) == ["case_001", "case_002"]
        source, goal = found["case_001"].read_both()
        assert (source.voxels.max() == 3) == (root is seg)
        assert (goal.voxels.max() == 3) != (root is seg)


def test_one_png_is_a_volume_of_one_slice(data: Path, tmp_path: Path) -> None:
    mri = data / "keras_png_slices_test" / "case_441_slice_7.nii.png"
    seg = data / "keras_png_slices_seg_test" / "seg_441_slice_7.nii.png"
    assert READER.recognises(mri)
    found = list_subjects(seg, mri)
    source, target = found["seg_441_slice_7"].read_both()
    assert source.voxels.shape == target.voxels.shape == (COLUMNS, ROWS, 1)
    np.testing.assert_array_equal(source.voxels[:, ::-1, 0].T, label_slice(441, 7))
    np.testing.assert_array_equal(target.voxels[:, ::-1, 0].T, image_slice(441, 7))
    assert (
        list_subjects(save_png(tmp_path / "MyScan.PNG", image_slice(1, 1)))["MyScan"]
        .source.read()
        .voxels.shape[2]
        == 1
    )


def test_a_number_on_two_sides_is_two_subjects(data: Path) -> None:
    save_png(data / "keras_png_slices_test" / "case_001_slice_0.nii.png", image_slice(9, 0))
    save_png(data / "keras_png_slices_seg_test" / "seg_001_slice_0.nii.png", label_slice(9, 0))
    found = list_subjects(data)
    assert {"train_case_001", "test_case_001"} < set(found)
    assert found["test_case_001"].source.read().voxels.shape[2] == 1


def test_no_other_reader_claims_the_slices(data: Path) -> None:
    others = [one for one in oasis_gan_oasis.oasis_gan_datasets() if one.name != "oasis-png"]
    for path in (data, make_zip(data, data.parent / "all.zip"), next(data.rglob("*.png"))):
        assert READER.recognises(path)
        for other in (*others, *oasis_gan_nifti.oasis_gan_datasets()):
            assert not other.recognises(path)


@pytest.mark.parametrize("name", ["picture.png", "case_1.png", "case_x_slice_0.png", "notes.txt"])
def test_other_folders_and_zips_are_not_claimed(tmp_path: Path, name: str) -> None:
    save_png(tmp_path / "in" / name, image_slice(1, 1))
    for root in (tmp_path / "in", make_zip(tmp_path / "in", tmp_path / "in.zip")):
        assert not READER.recognises(root)
        assert "found none" in refusal(lambda root=root: list_subjects(root))  # type: ignore[misc]


@pytest.mark.parametrize(
    ("asked", "said"),
    [
        (lambda root: Selection(root, source_suffix="_seg.png"), "`source_suffix`"),
        (lambda root: Selection(root, target_suffix="_seg.png"), "`target_suffix`"),
    ],
)
def test_suffixes_are_refused_and_not_ignored(
    data: Path, asked: Callable[[Path], Selection], said: str
) -> None:
    assert said in refusal(lambda: list(READER.open(asked(data))))


def test_a_loop_of_links_ends(data: Path) -> None:
    (data / "again").symlink_to(data)
    assert_complete(list_subjects(data))


class TestFolder(DatasetContract):
    """The reader, given the folder."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return READER

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(make_dataset(tmp_path / "in" / "keras_png_slices_data", slices=3))


class TestPairs(TestFolder):
    """The reader, asked for pairs by two folders."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        root = make_dataset(tmp_path / "in" / "keras_png_slices_data", slices=3)
        return Selection(root / "keras_png_slices_seg_train", root / "keras_png_slices_train")


class TestZip(TestFolder):
    """The reader, given the zip."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(make_zip(make_dataset(tmp_path / "in", slices=3), tmp_path / "all.zip"))


class TestPng(TestFolder):
    """The reader, given a slice."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(save_png(tmp_path / "slice.png", GREY))


def test_a_zip_called_after_the_label_map_it_was_made_from_holds_what_its_slices_are_called(
    tmp_path: Path,
) -> None:
    grey = np.arange(ROWS * COLUMNS, dtype=np.uint8).reshape(ROWS, COLUMNS)
    path = tmp_path / "sub-01_seg_synthT1w.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("case_001_slice_0.nii.png", encode_png(grey))
    assert list_subjects(path)["case_001"].source.read().voxels.max() == grey.max()
