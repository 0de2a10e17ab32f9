"""`--like` gives an output the contrast of a reference, and changes nothing else."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.painting import PAINT_PLUGIN, painter
from kit.tool import oasis_gan
from numpy.typing import NDArray

from oasis_gan import (
    OASIS,
    CleanVolume,
    Geometry,
    OasisGanError,
    Progress,
    Translation,
    Volume,
    Window,
    ignore_progress,
    read_nifti,
    translate,
)
from oasis_gan.pipeline.reference_contrast import (
    apply_contrast,
    estimate_tissues,
    find_contrast,
)

SHAPE = (12, 14, 10)
GEOMETRY = Geometry(SHAPE, np.eye(4))
MEANS = np.array([0, 210.0, 470.0, 800.0])


def labels(seed: int = 0) -> NDArray[np.int32]:
    return np.random.default_rng(seed).integers(0, 4, SHAPE).astype(np.int32)


def reference(tissues: NDArray[np.int32], spread: float = 10) -> Volume:
    noise = np.random.default_rng(1).normal(0, spread, SHAPE)
    return Volume(((MEANS[tissues] + noise) * (tissues > 0)).astype(np.float32), GEOMETRY)


@pytest.mark.parametrize("labelled", [True, False])
def test_tissues_get_the_means_of_the_reference(labelled: bool) -> None:
    there = labels(1)
    ours = labels()
    tissues = Volume(there, GEOMETRY) if labelled else None
    contrast = find_contrast(painter().card, reference(there), tissues, Path("reference.nii"))
    like = apply_contrast(painter(), contrast)
    made = translate({"labels": Volume(ours, GEOMETRY)}, like).volume.voxels
    for tissue in (1, 2, 3):
        assert made[ours == tissue].mean() == pytest.approx(MEANS[tissue], rel=0.02)
    assert not made[ours == 0].any()


def test_a_model_of_percentiles_takes_those_of_the_reference() -> None:
    scan = reference(labels(1))
    model = painter(Window((0, 1), (0, 1)))
    contrast = find_contrast(model.card, scan, None, Path("reference.nii"))
    assert contrast == Window.from_percentiles(scan.voxels)
    assert apply_contrast(model, contrast).card.target == contrast


def test_tissues_can_be_estimated_from_intensities_alone() -> None:
    there = labels(2)
    told = estimate_tissues(reference(there, 40).voxels, OASIS)
    assert (told == there).mean() > 0.97


def test_labels_on_another_grid_are_refused() -> None:
    there = labels(1)
    moved = Volume(there, Geometry(SHAPE, np.diag([2.0, 1, 1, 1])))
    with pytest.raises(OasisGanError, match="same places"):
        find_contrast(painter().card, reference(there), moved, Path("reference.nii"))


def test_a_reference_of_another_contrast_is_refused() -> None:
    there = labels(1)
    scan = Volume((1000 - reference(there).voxels) * (there > 0), GEOMETRY)
    with pytest.raises(OasisGanError, match="rising from CSF to GM to WM"):
        find_contrast(painter().card, scan, Volume(there, GEOMETRY), Path("reference.nii"))


class WithoutTargets:
    """A model of volumes that cannot give its answers in another contrast."""

    card = painter().card

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        return painter().translate(sources, progress)


def test_outputs_of_a_model_with_a_fixed_contrast_are_converted_afterwards() -> None:
    there = labels(1)
    ours = labels()
    tissues = Volume(there, GEOMETRY)
    contrast = find_contrast(painter().card, reference(there), tissues, Path("reference.nii"))
    source = {"labels": Volume(ours, GEOMETRY)}
    afterwards = translate(source, apply_contrast(WithoutTargets(), contrast)).volume.voxels
    at_once = translate(source, apply_contrast(painter(), contrast)).volume.voxels
    np.testing.assert_allclose(afterwards, at_once, rtol=1e-5)


# A brain of 3 mm voxels, as a reference that a user names.

BIG = (60, 70, 56)
PLACE = np.diag([-3.0, 3, 3, 1])


def radius(shape: tuple[int, int, int] = BIG) -> NDArray[np.float64]:
    """Return the distance from the middle in voxels, the shortest axis of a brain being 20."""
    places = np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in shape), indexing="ij")
    return np.asarray(np.sqrt((places[0] / 0.9) ** 2 + (places[1] / 1.1) ** 2 + places[2] ** 2))


TISSUES = np.select([radius() < 13, radius() < 18, radius() < 20], [3, 2, 1], 0).astype(np.uint8)
BRAIN = np.where(
    TISSUES > 0,
    np.array([0, 80, 155, 215])[TISSUES] + np.random.default_rng(0).normal(0, 4, BIG),
    0,
).astype(np.float32)
ANCHORED = PAINT_PLUGIN.replace(
    "Window((0, 1000), (0, 1))", "Window((0, 10, 20, 30, 45), (0, 0.30, 0.55, 0.75, 1))"
)


LikeRun = Callable[..., tuple[subprocess.CompletedProcess[str], list[float]]]


@pytest.fixture
def like(tmp_path: Path) -> LikeRun:
    """Return a run with a reference, and the mean of each tissue in the output."""
    (tmp_path / "anchored.py").write_text(ANCHORED)
    nib.save(nib.Nifti1Image(TISSUES, PLACE), tmp_path / "seg.nii")

    def run(*words: object) -> tuple[subprocess.CompletedProcess[str], list[float]]:
        model = ("--plugin", "anchored.py", "--model", "paint", "--out", "out", "--overwrite")
        process = oasis_gan("run", "seg.nii", *model, *words, cwd=tmp_path)
        if process.returncode:
            return process, []
        made = read_nifti(tmp_path / "out/seg_synthT1w.nii.gz").voxels
        assert not made[TISSUES == 0].any()
        return process, [float(made[tissue == TISSUES].mean()) for tissue in (1, 2, 3)]

    return run


def store(path: Path, voxels: NDArray[Any], affine: NDArray[np.float64] = PLACE) -> Path:
    nib.save(nib.Nifti1Image(voxels, affine), path)
    return path


def test_a_reference_in_any_format_gives_the_same_contrast(
    tmp_path: Path,
    like: LikeRun,
    save_analyze: Callable[..., Path],
) -> None:
    _, expected = like("--like", store(tmp_path / "t1.nii.gz", BRAIN))
    assert expected == pytest.approx([80, 155, 215], rel=0.03)
    header = save_analyze(
        tmp_path / "OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc", BRAIN, sizes=(3, 3, 3)
    )
    nib.save(nib.MGHImage(BRAIN, PLACE), tmp_path / "brain.mgz")
    for file in (header, header.with_suffix(".img"), tmp_path / "brain.mgz"):
        process, means = like("--like", file)
        assert process.returncode == 0, process.stderr
        assert means == pytest.approx(expected, rel=1e-4)


def test_a_reference_can_be_read_by_a_plugin(tmp_path: Path, like: LikeRun) -> None:
    (tmp_path / "reader.py").write_text(NUMPY_READER)
    np.save(tmp_path / "brain.npy", BRAIN)
    process, means = like("--like", "brain.npy", "--plugin", "reader.py")
    assert process.returncode == 0, process.stderr
    assert means == pytest.approx([80, 155, 215], rel=0.03)


NUMPY_READER = """
import numpy as np
from oasis_gan import Dataset, Geometry, Scan, Subject, Volume, hookimpl

def read(path):
    voxels = np.load(path)
    return Volume(voxels, Geometry(voxels.shape, np.diag([3.0, 3, 3, 1])))

@hookimpl
def oasis_gan_datasets():
    yield Dataset(
        name="npy",
        summary="Arrays",
        open=lambda s: [Subject(s.root.stem, Scan(s.root, read))],
        recognises=lambda p: p.suffix == ".npy",
    )
"""


@pytest.mark.parametrize("labelled", [True, False])
def test_a_z_scored_reference_gives_its_contrast(
    tmp_path: Path, like: LikeRun, labelled: bool
) -> None:
    inside = BRAIN[TISSUES > 0]
    z = np.where(TISSUES > 0, (BRAIN - inside.mean()) / inside.std(), 0).astype(np.float32)
    words = ("--like-labels", "seg.nii") if labelled else ()
    process, means = like("--like", store(tmp_path / "z.nii", z), *words)
    assert process.returncode == 0, process.stderr
    expected = [float(z[tissue == TISSUES].mean()) for tissue in (1, 2, 3)]
    assert means == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize("background", [2, -1024, 300, "z-scored"])
def test_the_background_of_a_reference_is_subtracted(
    tmp_path: Path,
    like: LikeRun,
    background: float | str,
) -> None:
    z_scored = (BRAIN - BRAIN.mean()) / BRAIN.std()
    voxels = z_scored if isinstance(background, str) else BRAIN + background
    process, means = like("--like", store(tmp_path / "t1.nii", voxels.astype(np.float32)))
    assert process.returncode == 0, process.stderr
    there = [float(voxels[tissue == TISSUES].mean() - voxels[0, 0, 0]) for tissue in (1, 2, 3)]
    assert means == pytest.approx(there, rel=0.03)


def with_skull(noise: float, skull: float = 15) -> NDArray[np.float32]:
    shells = np.select([radius() < 20, radius() < 22, radius() < 24], [BRAIN, skull, 320], 0)
    around = np.abs(np.random.default_rng(1).normal(0, noise, BIG)) if noise else 0
    return (shells + around).astype(np.float32)


@pytest.mark.parametrize(("noise", "skull"), [(6, 15), (0, 15), (0, 0), (1, 0)])
def test_a_reference_with_a_skull_needs_its_tissue_map(
    tmp_path: Path,
    like: LikeRun,
    noise: float,
    skull: float,
) -> None:
    head = store(tmp_path / "head.nii", with_skull(noise, skull))
    process, _ = like("--like", head)
    assert process.returncode == 2
    assert "head.nii: expected a skull-stripped scan" in process.stderr
    assert "--like-labels" in process.stderr.splitlines()[-1]
    process, means = like("--like", head, "--like-labels", "seg.nii")
    assert process.returncode == 0, process.stderr
    assert means == pytest.approx([80, 155, 215], rel=0.08)


def test_a_label_map_is_no_reference(like: LikeRun) -> None:
    process, _ = like("--like", "seg.nii")
    assert process.returncode == 2
    assert "expected a scan to take the contrast from, found a label map" in process.stderr


@pytest.mark.parametrize("axes", ["LAS", "LPS", "PSR", "LIA"])
def test_a_tissue_map_along_other_axes_fits_its_reference(
    tmp_path: Path, like: LikeRun, axes: str
) -> None:
    turn = nib.orientations.ornt_transform(
        nib.io_orientation(PLACE), nib.orientations.axcodes2ornt(axes)
    )
    nib.save(nib.Nifti1Image(BRAIN, PLACE).as_reoriented(turn), tmp_path / "t1.nii")
    process, means = like("--like", "t1.nii", "--like-labels", "seg.nii")
    assert process.returncode == 0, process.stderr
    assert means == pytest.approx([80, 155, 215], rel=0.01)


def test_an_error_in_a_reference_names_the_reference(tmp_path: Path, like: LikeRun) -> None:
    dark = store(tmp_path / "t2.nii", np.where(TISSUES > 0, 300 - BRAIN, 0).astype(np.float32))
    process, _ = like("--like", dark, "--like-labels", "seg.nii")
    assert process.returncode == 2
    assert "t2.nii: expected a T1w contrast" in process.stderr
    assert "train" not in process.stderr
    process, _ = like("--like", store(tmp_path / "t1.nii", BRAIN), "--like-labels", dark)
    assert "t2.nii: expected labels" in process.stderr
    process, _ = like("--like", "nowhere.nii")
    assert "nowhere.nii" in process.stderr
