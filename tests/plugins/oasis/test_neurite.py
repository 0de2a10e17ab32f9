"""The folder of Neurite OASIS, volumes or slices, is read, and labels keep their meaning."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from kit.tool import TINY, Painting, oasis_gan
from numpy.typing import NDArray
from oasis_gan_nifti import oasis_gan_datasets as nifti_datasets
from oasis_gan_oasis import oasis_gan_datasets

from oasis_gan import NEURITE_SEG4, NEURITE_SEG35, Dataset, OasisGanError, Selection, Subject
from oasis_gan.testing import DatasetContract

Make = Callable[..., Path]
SHAPE = (20, 24, 28)  # of 160x192x224
LIA = np.array([[-1.0, 0, 0, 10], [0, 0, 1, -14], [0, -1, 0, 12], [0, 0, 0, 1]])
GREYS = np.array([0, 550, 550, 750, 300])  # of cortex, deep grey matter, white matter, CSF
SPACES = {"aligned_": SHAPE, "": (28, 28, 28), "slice_": (20, 24, 1)}


def head(shape: tuple[int, ...]) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a ball of four tissues in the order of seg4, and its MRI from 0 to 1."""
    rng = np.random.default_rng(0)
    middle = np.array([9, 13, 15 if shape[2] > 1 else 0]).reshape(3, 1, 1, 1)
    radius = np.sqrt(((np.indices(shape) - middle) ** 2).sum(0)) + rng.normal(0, 0.3, shape)
    labels = np.select([radius < 3, radius < 6, radius < 8, radius < 9], [2, 3, 1, 4], 0).astype(
        np.uint8
    )
    mri = np.array([0, 0.6, 0.62, 0.8, 0.3])[labels] + rng.normal(0, 0.01, shape) * (labels > 0)
    return labels, mri.astype(np.float32)


@pytest.fixture
def neurite(tmp_path: Path) -> Make:
    """Return a maker of subjects' folders, as in the archive but smaller."""

    def make(
        name: str = "OASIS_OAS1_0001_MR1",
        spaces: tuple[str, ...] = tuple(SPACES),
        root: str = "neurite",
    ) -> Path:
        folder = tmp_path / root / name
        folder.mkdir(parents=True)
        (tmp_path / root / "subjects.txt").write_text(f"{name}\n")
        for space in spaces:
            labels, mri = head(SPACES[space])
            images = {
                "seg4": labels,
                "seg35": labels * 7,
                "seg24": labels * 5,
                "norm": mri,
                "orig": mri + 0.1,
            }
            for what, voxels in images.items():
                nib.save(nib.Nifti1Image(voxels, LIA), folder / f"{space}{what}.nii.gz")
        return tmp_path / root

    return make


@pytest.fixture
def dataset() -> Dataset:
    return next(dataset for dataset in oasis_gan_datasets() if dataset.name == "neurite-oasis")


class TestVolumes(DatasetContract):
    """The whole archive."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return next(dataset for dataset in oasis_gan_datasets() if dataset.name == "neurite-oasis")

    @pytest.fixture
    def selection(self, neurite: Make) -> Selection:
        neurite("OASIS_OAS1_0002_MR1")
        return Selection(neurite("OASIS_OAS1_0010_MR1", root="neurite"))


class TestSlices(TestVolumes):
    """The smaller archive of slices."""

    @pytest.fixture
    def selection(self, neurite: Make) -> Selection:
        return Selection(neurite(spaces=("slice_",)))


class TestPairs(TestVolumes):
    """Pairs chosen by suffix."""

    @pytest.fixture
    def selection(self, neurite: Make) -> Selection:
        return Selection(neurite(), source_suffix="seg35.nii.gz", target_suffix="_orig.nii.gz")


class TestImage(TestVolumes):
    """One image of a subject."""

    @pytest.fixture
    def selection(self, neurite: Make) -> Selection:
        return Selection(neurite() / "OASIS_OAS1_0001_MR1" / "seg4.nii.gz")


def only(dataset: Dataset, root: Path, **options: Any) -> Subject:  # noqa: ANN401
    (subject,) = dataset.open(Selection(root, **options))
    return subject


def files(subject: Subject) -> list[str]:
    """Return the names of a subject's source and target."""
    return [scan.path.name for scan in (subject.source, subject.target) if scan is not None]


@pytest.mark.parametrize(
    ("spaces", "found"),
    [
        (("aligned_", "", "slice_"), ["aligned_seg4.nii.gz", "aligned_norm.nii.gz"]),
        (("", "slice_"), ["seg4.nii.gz", "norm.nii.gz"]),
        (("slice_",), ["slice_seg4.nii.gz", "slice_norm.nii.gz"]),
    ],
)
def test_a_subject_is_its_tissues_and_its_mri_in_one_space(
    dataset: Dataset, neurite: Make, spaces: tuple[str, ...], found: list[str]
) -> None:
    subject = only(dataset, neurite(spaces=spaces))
    assert subject.name == "OASIS_OAS1_0001_MR1"
    assert files(subject) == found
    labels, mri = subject.read_both()
    assert labels.voxels.shape == mri.voxels.shape == SPACES[spaces[0]]
    assert labels.geometry.orientation == "LIA"


@pytest.mark.parametrize(
    ("source", "target", "found"),
    [
        ("seg35", "", ["aligned_seg35.nii.gz"]),
        ("_seg35.nii.gz", "norm.nii.gz", ["aligned_seg35.nii.gz", "aligned_norm.nii.gz"]),
        ("slice_seg24.nii.gz", "norm", ["slice_seg24.nii.gz", "slice_norm.nii.gz"]),
        ("slice_seg4", "slice_orig.nii.gz", ["slice_seg4.nii.gz", "slice_orig.nii.gz"]),
        ("", "orig", ["aligned_seg4.nii.gz", "aligned_orig.nii.gz"]),
        ("norm", "", ["aligned_norm.nii.gz"]),
        ("norm", "seg4", ["aligned_norm.nii.gz", "aligned_seg4.nii.gz"]),
    ],
)
def test_suffixes_choose_other_images(
    dataset: Dataset, neurite: Make, source: str, target: str, found: list[str]
) -> None:
    assert files(only(dataset, neurite(), source_suffix=source, target_suffix=target)) == found


@pytest.mark.parametrize(
    ("what", "labels"),
    [("seg4", NEURITE_SEG4), ("seg35", NEURITE_SEG35), ("seg24", None), ("norm", None)],
)
def test_what_labels_mean_is_said(
    dataset: Dataset, neurite: Make, what: str, labels: object
) -> None:
    root = neurite()
    for space in SPACES:
        assert only(dataset, root, source_suffix=f"{space}{what}").source.labels is labels
        assert (
            only(dataset, root / f"OASIS_OAS1_0001_MR1/{space}{what}.nii.gz").source.labels
            is labels
        )


def test_a_subject_that_lacks_its_image_is_named(dataset: Dataset, neurite: Make) -> None:
    root = neurite(spaces=("",))
    neurite("OASIS_OAS1_0002_MR1", spaces=())
    one, two = dataset.open(Selection(root, target_suffix="slice_norm"))
    with pytest.raises(
        OasisGanError, match=r"OASIS_OAS1_0002_MR1/seg4.nii.gz: .* found no such file"
    ):
        two.source.read()
    with pytest.raises(
        OasisGanError, match=r"OASIS_OAS1_0001_MR1/slice_norm.nii.gz: .* found no such file"
    ):
        one.read_both()
    with pytest.raises(OasisGanError, match="`target_root`: expected targets beside the sources"):
        only(dataset, root, target_root=root)


def test_a_subjects_folder_may_be_named(
    dataset: Dataset, neurite: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = neurite() / "OASIS_OAS1_0001_MR1"
    assert only(dataset, folder).name == folder.name
    assert only(dataset, folder / "norm.nii.gz").name == folder.name
    monkeypatch.chdir(folder)
    assert only(dataset, Path()).name == folder.name
    assert dataset.recognises(Path())
    # Asked for by name it is read under any other.
    assert only(dataset, folder.rename(tmp_path / "mine")).name == "mine"


def test_only_this_reader_and_the_generic_one_recognise_it(neurite: Make, tmp_path: Path) -> None:
    root = neurite()
    folder = root / "OASIS_OAS1_0001_MR1"
    readers = [*oasis_gan_datasets(), *nifti_datasets()]
    for path in (root, folder, folder / "slice_seg4.nii.gz"):
        assert [reader.name for reader in readers if reader.recognises(path)] == [
            "neurite-oasis",
            "nifti",
        ]
    other = tmp_path / "other"
    other.mkdir()
    (folder / "seg4.nii.gz").rename(other / "seg4.nii.gz")
    for path in (other, other / "seg4.nii.gz"):
        assert [reader.name for reader in readers if reader.recognises(path)] == ["nifti"]


# End to end


@pytest.mark.parametrize(("space", "plane"), [("aligned_", "axial"), ("slice_", "coronal")])
def test_tissues_keep_their_meaning_on_the_way_to_a_model(
    neurite: Make, tmp_path: Path, paint: Painting, space: str, plane: str
) -> None:
    neurite(spaces=(space,))
    process = paint("neurite", "--plane", plane)
    assert process.returncode == 0, process.stderr
    assert process.stderr.splitlines()[0] == "reading neurite as neurite-oasis"
    assert process.stdout.split() == ["out/OASIS_OAS1_0001_MR1_synthT1w.nii.gz"]
    made = nib.Nifti1Image.from_filename(tmp_path / process.stdout.strip())
    voxels = np.asarray(made.dataobj)
    assert np.allclose(voxels, GREYS[head(SPACES[space])[0]], rtol=1e-5)
    assert np.array_equal(made.affine, LIA)
    image = SimpleITK.ReadImage(str(tmp_path / process.stdout.strip()))
    assert np.array_equal(SimpleITK.GetArrayFromImage(image).T, voxels)
    x, y, z = image.TransformIndexToPhysicalPoint((3, 7, 0))
    assert np.allclose((-x, -y, z), (LIA @ [3, 7, 0, 1])[:3], atol=1e-5)


def test_the_archive_trains_a_model_of_other_labels(neurite: Make, tmp_path: Path) -> None:
    neurite(spaces=("aligned_",))
    (tmp_path / "tiny.toml").write_text(TINY)
    process = oasis_gan("train", "neurite", "--recipe", "tiny.toml", "--out", "m", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert "labels converted from neurite-seg4 to oasis" in process.stderr
    assert "left out" not in process.stderr
    assert json.loads((tmp_path / "m" / "model.json").read_text())["source"]["name"] == "oasis"


def test_linked_subjects_folders_count_like_any_other(
    dataset: Dataset, neurite: Make, tmp_path: Path
) -> None:
    root = neurite()
    neurite("OASIS_OAS1_0002_MR1")
    for store, name in (("store", "OASIS_OAS1_0001_MR1"), ("any", "OASIS_OAS1_0002_MR1")):
        (tmp_path / store).mkdir()
        (root / name).rename(tmp_path / store / "x")
        (root / name).symlink_to(tmp_path / store / "x")
    (root / "loop").symlink_to(root)
    assert dataset.recognises(root)
    names = ["OASIS_OAS1_0001_MR1", "OASIS_OAS1_0002_MR1"]
    assert [subject.name for subject in dataset.open(Selection(root))] == names


def test_an_image_that_has_not_been_fetched_does_not_give_way_to_another_space(
    dataset: Dataset, neurite: Make
) -> None:
    root = neurite()
    image = root / "OASIS_OAS1_0001_MR1" / "aligned_seg4.nii.gz"
    image.unlink()
    image.symlink_to("../.git/annex/objects/xx/yy/SHA256E-s1--1.nii.gz/SHA256E-s1--1.nii.gz")
    (subject,) = dataset.open(Selection(root))
    with pytest.raises(
        OasisGanError,
        match=r"aligned_seg4\.nii\.gz: .* content that has not been fetched; .*datalad",
    ):
        subject.source.read()
