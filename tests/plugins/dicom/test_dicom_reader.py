"""The DICOM plugin finds series, keeps the contract of readers, and pairs them with targets."""

from __future__ import annotations

import gzip
from pathlib import Path

import nibabel as nib
import numpy as np
import oasis_gan_dicom
import pytest
from kit.dicom_files import PATIENT, save_frames, save_series
from kit.tool import Painting

from oasis_gan import Dataset, OasisGanError, Selection
from oasis_gan.testing import DatasetContract

(DICOM,) = oasis_gan_dicom.oasis_gan_datasets()


class TestFolders(DatasetContract):
    """A folder with a folder for each series."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return DICOM

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        save_series(tmp_path / "one" / "t1")
        save_series(tmp_path / "two" / "t1")
        return Selection(tmp_path)


class TestOneFile(TestFolders):
    """One file of a series."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(save_series(tmp_path)[3])


class TestFrames(TestFolders):
    """A file of many frames."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        positions = [(0.0, 0.0, float(index)) for index in range(6)]
        return Selection(save_frames(tmp_path / "IM0001", positions=positions))


class TestPairs(TestFolders):
    """Two series of each head, told apart by the names of their folders."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        for head in ("one", "two"):
            save_series(tmp_path / head / "t1")
            save_series(tmp_path / head / "flair")
        return Selection(tmp_path, source_suffix="t1", target_suffix="flair")


def test_subjects_are_named_after_their_folders(tmp_path: Path) -> None:
    save_series(tmp_path / "one" / "t1")
    save_series(tmp_path / "two" / "t1")
    assert [one.name for one in DICOM.open(Selection(tmp_path))] == ["one_t1", "two_t1"]


def test_one_folder_of_several_series_does_not_stop_the_others(tmp_path: Path) -> None:
    save_series(tmp_path / "a")
    save_series(tmp_path / "a", series="1.2.3.5", prefix="other")
    save_series(tmp_path / "b")
    several, single = DICOM.open(Selection(tmp_path))
    with pytest.raises(OasisGanError, match=r"series 4 .* series 5"):
        several.source.read()
    assert single.source.read().voxels.size


def test_a_volume_in_another_format_can_be_the_target(tmp_path: Path) -> None:
    save_series(tmp_path / "heads" / "one")
    target = tmp_path / "targets" / "one.nii.gz"
    target.parent.mkdir()
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.float32), np.eye(4)), target)
    (subject,) = DICOM.open(Selection(tmp_path / "heads", tmp_path / "targets"))
    assert subject.target is not None
    assert subject.target.path == target


def test_a_folder_with_volumes_beside_the_series_is_left_to_their_reader(tmp_path: Path) -> None:
    save_series(tmp_path / "a")
    assert DICOM.recognises(tmp_path)
    (tmp_path / "a.nii.gz").touch()
    assert not DICOM.recognises(tmp_path)


def test_a_run_translates_a_series_and_writes_no_field_of_its_patient(
    tmp_path: Path, paint: Painting
) -> None:
    labels = np.random.default_rng(0).integers(0, 4, (12, 14, 10)).astype(np.int16)
    save_series(tmp_path / "heads" / "one", labels)
    done = paint("heads", "--source-is", "labels")
    assert done.returncode == 0, done.stderr
    written = [path for path in (tmp_path / "out").iterdir() if path.is_file()]
    assert "one_synthT1w.nii.gz" in {path.name for path in written}
    for path in written:
        content = path.read_bytes()
        if path.suffix == ".gz":
            content = gzip.decompress(content)
        assert PATIENT.partition("^")[0].encode() not in content
    assert "Doe" not in done.stdout + done.stderr
