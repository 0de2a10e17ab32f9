"""The discs of OASIS-1 can be read together or one by one, or a session alone."""

from __future__ import annotations

import gzip
import json
import subprocess
import time
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import nibabel as nib
import numpy as np
import pytest
import SimpleITK
from kit.tool import TINY, oasis_gan, paint_in
from numpy.typing import NDArray
from oasis_gan_nifti import oasis_gan_datasets as nifti_datasets
from oasis_gan_oasis import oasis_gan_datasets

from oasis_gan import OASIS, Dataset, OasisGanError, Selection, Subject
from oasis_gan.testing import DatasetContract

SaveAnalyze = Callable[..., Path]
Disc = Callable[..., Path]
SHAPE = (22, 26, 24)  # of 176x208x176


def head(seed: int = 0) -> tuple[NDArray[np.uint8], NDArray[np.int16]]:
    """Return a ball of three tissues that has no symmetry, and its MRI."""
    rng = np.random.default_rng(seed)
    grid = np.indices(SHAPE) - np.array([9, 14, 10]).reshape(3, 1, 1, 1)
    radius = np.sqrt((grid**2).sum(0)) + rng.normal(0, 0.3, SHAPE)
    labels = np.select([radius < 4, radius < 7, radius < 9], [3, 2, 1], 0).astype(np.uint8)
    mri = np.array([0, 300, 600, 900])[labels] + rng.normal(0, 20, SHAPE) * (labels > 0)
    return labels, mri.astype(np.int16)


def make_session(
    root: Path, save_analyze: SaveAnalyze, session: str = "OAS1_0001_MR1", scans: int = 4
) -> None:
    """Save a session to a disc, as the discs have it but smaller."""
    folder = root / session
    labels, mri = head(int(session[5:9]))
    averaged = f"{session}_mpr_n{scans}_anon"
    processed = folder / "PROCESSED" / "MPRAGE"
    for run in range(1, scans + 1):
        raw = np.full((32, 32, 16), run, np.int16)
        path = folder / "RAW" / f"{session}_mpr-{run}_anon"
        save_analyze(path, raw, orient=2, sizes=(1, 1, 1.25))
    subject_space = np.ones((32, 32, 20), np.int16)
    save_analyze(processed / "SUBJ_111" / f"{averaged}_sbj_111", subject_space, orient=2)
    save_analyze(processed / "T88_111" / f"{averaged}_111_t88_gfc", mri + np.int16(7))
    save_analyze(processed / "T88_111" / f"{averaged}_111_t88_masked_gfc", mri)
    segmentation = f"{averaged}_111_t88_masked_gfc_fseg"
    save_analyze(folder / "FSL_SEG" / segmentation, labels)
    (folder / "FSL_SEG" / f"{segmentation}.mat").write_bytes(b"stray")
    (folder / "FSL_SEG" / f"{segmentation}.txt").write_text("volumes")
    (folder / "FSL_SEG" / f"{segmentation}_tra_90.gif").write_bytes(b"GIF89a")
    (folder / f"{session}.txt").write_text("SESSION ID")
    (folder / f"{session}.xml").write_text("<xnat/>")


@pytest.fixture
def disc(tmp_path: Path, save_analyze: SaveAnalyze) -> Disc:
    """Return a function that saves a session to a disc, and returns the disc."""

    def make(session: str = "OAS1_0001_MR1", scans: int = 4, root: str = "disc1") -> Path:
        make_session(tmp_path / root, save_analyze, session, scans)
        return tmp_path / root

    return make


@pytest.fixture
def dataset() -> Dataset:
    return next(dataset for dataset in oasis_gan_datasets() if dataset.name == "oasis1")


class TestDisc(DatasetContract):
    """One disc."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return next(dataset for dataset in oasis_gan_datasets() if dataset.name == "oasis1")

    @pytest.fixture
    def selection(self, disc: Disc) -> Selection:
        disc("OAS1_0002_MR2", scans=3)
        return Selection(disc())


class TestPairs(TestDisc):
    """Other pairs than by default."""

    @pytest.fixture
    def selection(self, disc: Disc) -> Selection:
        return Selection(disc(), source_suffix="_fseg.hdr", target_suffix="_t88_gfc.hdr")


class TestRaw(TestDisc):
    """The scans as they came, several a session."""

    @pytest.fixture
    def selection(self, disc: Disc) -> Selection:
        return Selection(disc(), source_suffix="_anon.hdr")


class TestImage(TestDisc):
    """One image."""

    @pytest.fixture
    def selection(self, disc: Disc) -> Selection:
        return Selection(next(disc().rglob("*_fseg.hdr")))


def open_all(dataset: Dataset, root: Path, **options: Any) -> list[Subject]:  # noqa: ANN401
    return list(dataset.open(Selection(root, **options)))


@pytest.mark.parametrize("scans", [3, 4, 5, 6])
def test_a_session_has_its_label_map_as_source_and_its_mri_as_target(
    dataset: Dataset, disc: Disc, scans: int
) -> None:
    (subject,) = open_all(dataset, disc("OAS1_0042_MR1", scans))
    assert subject.name == "OAS1_0042_MR1"
    assert subject.source.labels is OASIS
    assert subject.target is not None
    assert subject.target.labels is None
    source, target = subject.read_both()
    labels, mri = head(42)
    assert np.array_equal(source.voxels, labels)
    assert np.array_equal(target.voxels, mri)
    assert source.geometry.orientation == "LAS"
    assert "the .mat file beside it is ignored" in source.notes


def test_discs_a_session_and_folders_in_it_may_be_named(
    dataset: Dataset, disc: Disc, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    disc("OAS1_0002_MR1", root="discs/disc1")
    disc("OAS1_0001_MR1", root="discs/disc1")
    disc("OAS1_0040_MR1", root="discs/disc2")
    names = [subject.name for subject in open_all(dataset, tmp_path / "discs")]
    assert names == ["OAS1_0001_MR1", "OAS1_0002_MR1", "OAS1_0040_MR1"]
    session = tmp_path / "discs/disc1/OAS1_0001_MR1"
    for root in (session, session / "FSL_SEG"):
        assert [subject.name for subject in open_all(dataset, root)] == ["OAS1_0001_MR1"]
    monkeypatch.chdir(session)
    (here,) = open_all(dataset, Path())
    assert here.name == "OAS1_0001_MR1"
    assert here.target is not None


def test_images_without_their_folders_are_told_apart_by_name(
    dataset: Dataset, disc: Disc, tmp_path: Path
) -> None:
    flat = tmp_path / "flat"
    flat.mkdir()
    disc("OAS1_0001_MR1")
    for path in disc("OAS1_0002_MR1").rglob("*_t88_masked_gfc*"):
        path.rename(flat / path.name)
    one, two = open_all(dataset, flat)
    assert [one.name, two.name] == ["OAS1_0001_MR1", "OAS1_0002_MR1"]
    assert np.array_equal(two.read_both()[1].voxels, head(2)[1])


@pytest.mark.parametrize("ending", ["", ".hdr", ".img", ".nii.gz"])
@pytest.mark.parametrize(
    ("suffix", "folder", "shape", "axes"),
    [
        ("_t88_masked_gfc", "T88_111", SHAPE, "LAS"),
        ("_t88_gfc", "T88_111", SHAPE, "LAS"),
        ("_sbj_111", "SUBJ_111", (32, 32, 20), "ASL"),
        ("_mpr-2_anon", "RAW", (32, 32, 16), "ASL"),
    ],
)
def test_suffixes_choose_other_images(
    dataset: Dataset,
    disc: Disc,
    suffix: str,
    ending: str,
    folder: str,
    shape: tuple[int, ...],
    axes: str,
) -> None:
    (subject,) = open_all(dataset, disc(), source_suffix=suffix + ending)
    assert subject.name == "OAS1_0001_MR1"
    assert subject.source.path.parent.name == folder
    assert subject.source.labels is None
    assert subject.target is None
    volume = subject.source.read()
    assert volume.voxels.shape == shape
    assert volume.geometry.orientation == axes


def test_several_images_of_a_session_are_named_by_the_image(dataset: Dataset, disc: Disc) -> None:
    names = [
        subject.name for subject in open_all(dataset, disc(scans=3), source_suffix="_anon.hdr")
    ]
    assert names == [f"OAS1_0001_MR1_mpr-{run}" for run in (1, 2, 3)]


def test_a_session_that_lacks_an_image_is_named(dataset: Dataset, disc: Disc) -> None:
    disc("OAS1_0001_MR1")
    root = disc("OAS1_0002_MR1")
    for path in (root / "OAS1_0002_MR1" / "FSL_SEG").iterdir():
        path.unlink()
    one, two = open_all(dataset, root)
    assert one.source.read().voxels.shape == SHAPE
    with pytest.raises(
        OasisGanError,
        match=r"OAS1_0002_MR1: expected one image \*_t88_masked_gfc_fseg.hdr, found none",
    ):
        two.source.read()
    (
        root / "OAS1_0001_MR1/PROCESSED/MPRAGE/T88_111/OAS1_0001_MR1_mpr_n4_anon_111_t88_gfc.hdr"
    ).unlink()
    one, two = open_all(dataset, root, target_suffix="_t88_gfc.hdr")
    with pytest.raises(OasisGanError, match="expected a header"):
        one.read_both()


def test_targets_that_are_none_or_many_are_refused_by_name(dataset: Dataset, disc: Disc) -> None:
    root = disc()
    (subject,) = open_all(dataset, root, target_suffix="_t99.hdr")
    with pytest.raises(OasisGanError, match=r"expected one image \*_t99.hdr, found none"):
        subject.read_both()
    (subject,) = open_all(dataset, root, target_suffix="_anon.hdr")
    with pytest.raises(
        OasisGanError, match=r"found OAS1_0001_MR1_mpr-1_anon.hdr, OAS1_0001_MR1_mpr-2_anon.hdr"
    ):
        subject.read_both()


def test_targets_in_another_folder_are_refused(
    dataset: Dataset, disc: Disc, tmp_path: Path
) -> None:
    with pytest.raises(OasisGanError, match="`target_root`: expected targets in the sessions"):
        open_all(dataset, disc(), target_root=tmp_path)


def test_only_this_reader_and_the_generic_one_recognise_a_disc(disc: Disc) -> None:
    root = disc()
    readers = [*oasis_gan_datasets(), *nifti_datasets()]
    for path in (root, root / "OAS1_0001_MR1" / "RAW", next(root.rglob("*_gfc.img"))):
        assert [reader.name for reader in readers if reader.recognises(path)] == ["oasis1", "nifti"]


def test_many_sessions_are_listed_at_once_with_flat_memory(
    dataset: Dataset, tmp_path: Path
) -> None:
    for number in range(300):
        session = f"OAS1_{number:04d}_MR1"
        folder = tmp_path / session / "FSL_SEG"
        folder.mkdir(parents=True)
        for end in ("gfc.hdr", "gfc.img", "gfc_fseg.hdr", "gfc_fseg.img", "gfc_fseg.txt"):
            (folder / f"{session}_mpr_n4_anon_111_t88_masked_{end}").touch()
    start = time.process_time()
    tracemalloc.start()
    count = sum(1 for _ in dataset.open(Selection(tmp_path)))
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert count == 300
    assert time.process_time() - start < 5
    assert peak < 1_000_000


# End to end


class DiscRun(NamedTuple):
    """A run over a disc."""

    folder: Path
    process: subprocess.CompletedProcess[str]


@pytest.fixture(scope="module")
def disc_run(
    tmp_path_factory: pytest.TempPathFactory, save_analyze: SaveAnalyze, paint_plugin: Path
) -> DiscRun:
    """Translate a disc with two sessions, and a third one that has no files."""
    folder = tmp_path_factory.mktemp("disc")
    make_session(folder / "disc1", save_analyze, "OAS1_0001_MR1")
    make_session(folder / "disc1", save_analyze, "OAS1_0002_MR1", scans=3)
    (folder / "disc1" / "OAS1_0003_MR1").mkdir()
    return DiscRun(folder, paint_in(folder, paint_plugin)("disc1"))


OUTPUTS = {number: f"out/OAS1_000{number}_MR1_synthT1w.nii.gz" for number in (1, 2)}


def test_a_disc_is_translated_although_a_session_is_empty(disc_run: DiscRun) -> None:
    process = disc_run.process
    assert process.returncode == 1
    assert process.stdout.split() == list(OUTPUTS.values())
    assert process.stderr.splitlines()[0] == "reading disc1 as oasis1"
    assert "OAS1_0003_MR1: expected one image" in process.stderr
    assert "Traceback" not in process.stderr


@pytest.mark.parametrize("number", OUTPUTS)
def test_an_output_has_the_axes_and_the_voxels_of_its_session(
    disc_run: DiscRun, number: int
) -> None:
    made = nib.Nifti1Image.from_filename(disc_run.folder / OUTPUTS[number])
    labels, _ = head(number)
    assert nib.aff2axcodes(made.affine) == ("L", "A", "S")
    greys = np.array([0, 300, 550, 750])
    assert np.allclose(np.asarray(made.dataobj), greys[labels], rtol=1e-5)


@pytest.mark.parametrize("number", OUTPUTS)
def test_itk_and_nibabel_place_an_output_alike(disc_run: DiscRun, number: int) -> None:
    path = disc_run.folder / OUTPUTS[number]
    made = nib.Nifti1Image.from_filename(path)
    image = SimpleITK.ReadImage(str(path))
    assert np.array_equal(SimpleITK.GetArrayFromImage(image).T, np.asarray(made.dataobj))
    for index in ((0, 0, 0), (5, 20, 3)):
        x, y, z = image.TransformIndexToPhysicalPoint(index)
        assert np.allclose((-x, -y, z), (made.affine @ [*index, 1])[:3], atol=1e-5)


def test_the_sidecar_names_both_files_of_a_pair(disc_run: DiscRun) -> None:
    record = json.loads((disc_run.folder / "out/OAS1_0001_MR1_synthT1w.json").read_text())
    header = record["source"]["file"]
    parts = [part["file"] for part in record["source"]["parts"]]
    assert parts == [header.replace(".hdr", ".img")]


def test_a_disc_trains_a_model(disc: Disc, tmp_path: Path) -> None:
    disc("OAS1_0001_MR1")
    disc("OAS1_0002_MR1", scans=3)
    (tmp_path / "tiny.toml").write_text(TINY)
    process = oasis_gan("train", "disc1", "--recipe", "tiny.toml", "--out", "m", cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert process.stderr.splitlines()[0] == "reading disc1 as oasis1"
    assert "left out" not in process.stderr
    assert (tmp_path / "m" / "model.json").exists()


def test_linked_discs_and_sessions_count_like_any_other(
    dataset: Dataset, disc: Disc, tmp_path: Path
) -> None:
    root = disc()
    disc("OAS1_0002_MR1")
    disc("OAS1_0003_MR1", root="disc2")
    (root / "OAS1_0002_MR1").rename(tmp_path / "elsewhere")
    (root / "OAS1_0002_MR1").symlink_to(tmp_path / "elsewhere")
    (tmp_path / "all").mkdir()
    for name in ("disc1", "disc2"):
        (tmp_path / "all" / name).symlink_to(tmp_path / name)
    (root / "loop").symlink_to(root)
    assert dataset.recognises(tmp_path / "all")
    found = open_all(dataset, tmp_path / "all")
    assert [subject.name for subject in found] == [
        "OAS1_0001_MR1",
        "OAS1_0002_MR1",
        "OAS1_0003_MR1",
    ]
    for subject in found:
        subject.read_both()


def test_a_session_without_a_file_is_named(dataset: Dataset, disc: Disc) -> None:
    root = disc()
    (root / "OAS1_0002_MR1").mkdir()
    _, empty = open_all(dataset, root)
    with pytest.raises(OasisGanError, match=r"OAS1_0002_MR1: expected one image .* found none"):
        empty.source.read()


def test_gzipped_images_are_read(dataset: Dataset, disc: Disc) -> None:
    root = disc()
    for path in [*root.rglob("*.hdr"), *root.rglob("*.img")]:
        path.with_name(f"{path.name}.gz").write_bytes(gzip.compress(path.read_bytes()))
        path.unlink()
    (subject,) = open_all(dataset, root)
    source, target = subject.read_both()
    assert source.voxels.max() == 3
    assert target.voxels.max() > 500
    for suffix in ("_fseg.hdr", "_fseg.img.gz", "_fseg"):
        assert len(open_all(dataset, root, source_suffix=suffix)) == 1
