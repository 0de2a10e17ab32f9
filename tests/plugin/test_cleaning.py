"""Every volume enters through `Scan.read`, which checks what a reader gave and cleans it once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan
from numpy.typing import NDArray

from oasis_gan import (
    OASIS,
    Geometry,
    OasisGanError,
    Plane,
    RepairNote,
    Scan,
    Subject,
    Volume,
    Window,
    read_nifti,
)
from oasis_gan.image.volume import Content

Array = NDArray[Any]
SHAPE = (20, 24, 18)


def ball(radius: float) -> NDArray[np.bool_]:
    """Return a ball in the middle of the grid."""
    places = np.stack(np.meshgrid(*(np.arange(n) - (n - 1) / 2 for n in SHAPE), indexing="ij"))
    return np.asarray(np.linalg.norm(places, axis=0) < radius)


LABELS = (ball(8).astype(np.uint8) + ball(6) + ball(4)).astype(np.float32)
T1 = np.where(
    LABELS > 0,
    np.array([0, 300, 550, 750])[LABELS.astype(int)]
    + np.random.default_rng(0).normal(0, 20, SHAPE),
    0,
).astype(np.float32)
NAN_AROUND = np.where(LABELS > 0, LABELS, np.nan)


def scan(voxels: Array, content: Content | None = None) -> Scan:
    volume = Volume(voxels, Geometry(voxels.shape, np.eye(4)))
    return Scan(Path("volume.nii"), lambda _: volume, content=content)


def save(path: Path, voxels: Array) -> Path:
    nib.save(nib.Nifti1Image(voxels, np.diag([-1.0, 1, 1, 1])), path)
    return path


# What a reader gives


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (None, "found nothing"),
        ("a volume", "found an object of type str"),
        (
            Volume(np.zeros((2, 3, 4), complex), Geometry((2, 3, 4), np.eye(4))),
            "found voxels of type complex128",
        ),
        (Volume(np.zeros((2, 3)), Geometry((2, 3), np.eye(4))), r"found voxels of shape \(2, 3\)"),  # type: ignore[arg-type]
        (
            Volume(np.zeros((2, 0, 3)), Geometry((2, 0, 3), np.eye(4))),
            r"found voxels of shape \(2, 0, 3\)",
        ),
        (
            Volume(np.zeros((2, 3, 4)), Geometry((2, 3, 4), np.zeros((4, 4)))),
            "an affine that gives voxels no place",
        ),
        (
            Volume(np.zeros((2, 3, 4)), Geometry((2, 3, 4), np.eye(3))),
            "an affine that is no 4x4 array",
        ),
    ],
)
def test_a_reader_that_returns_no_volume_is_named_with_the_file(answer: Any, said: str) -> None:  # noqa: ANN401
    broken = Scan(Path("sub-01.nii"), lambda _: answer, plugin="homemade")
    with pytest.raises(
        OasisGanError, match=rf"^sub-01\.nii: expected a 3-D volume.*{said}.*plugin homemade$"
    ):
        broken.read()


READER = """
from oasis_gan import Dataset, Scan, Subject, hookimpl, read_nifti

def read(path):
    return None if path.name == "b.none" else read_nifti(path)

@hookimpl
def oasis_gan_datasets():
    def subjects(selection):
        paths = sorted(selection.root.glob("*.none"))
        return [Subject(path.stem, Scan(path, read)) for path in paths]
    yield Dataset(
        name="homemade",
        summary="A reader of its own",
        open=subjects,
        recognises=lambda path: False,
    )
"""


def test_a_reader_that_returns_nothing_does_not_stop_the_others_subject(
    tmp_path: Path, paint: Painting
) -> None:
    (tmp_path / "reader.py").write_text(READER)
    for name in "abc":
        save(tmp_path / "volume.nii", LABELS).rename(tmp_path / f"{name}.none")
    process = paint(tmp_path, "--dataset", "homemade", "--plugin", tmp_path / "reader.py")
    assert process.returncode == 1
    rows = (tmp_path / "out/subjects.tsv").read_text().splitlines()[1:]
    assert [row.split("\t")[1] for row in rows] == ["done", "failed", "done"]
    assert "b.none: expected a 3-D volume" in rows[1]
    assert "homemade" in rows[1]


# NaN and Inf


def test_a_nan_background_of_a_label_map_becomes_background_with_a_note() -> None:
    volume = scan(NAN_AROUND).read()
    assert np.array_equal(volume.voxels, LABELS)
    assert volume.content == "labels"
    (note,) = volume.notes
    outside = (LABELS == 0).sum()
    said = f"{outside} voxels around the head are not finite: they are taken as background"
    assert note == said
    assert isinstance(note, RepairNote)


def test_nan_beyond_a_field_of_view_is_background_too() -> None:
    voxels = LABELS.copy()
    voxels[:2] = np.nan
    voxels[:, -1] = np.inf
    assert np.array_equal(scan(voxels, "labels").read().voxels, LABELS)


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
@pytest.mark.parametrize("where", [LABELS == 3, LABELS == 2])
def test_labels_that_are_not_finite_within_the_head_are_refused(value: float, where: Array) -> None:
    for voxels in (LABELS, NAN_AROUND):
        with pytest.raises(
            OasisGanError,
            match=rf"^volume\.nii: expected a whole number.*found (nan|{value:g}) in ",
        ):
            scan(np.where(where, value, voxels), "labels").read()


def test_a_tissue_that_is_lost_is_refused_though_it_reaches_the_background() -> None:
    for tissue in (1, 2, 3):
        for cropped in (LABELS, LABELS[2:-2, 4:-4, 1:-1]):
            half = cropped[cropped.shape[0] // 2 :]
            with pytest.raises(OasisGanError, match="found nan"):
                scan(np.where(half == tissue, np.nan, half), "labels").read()


def test_a_single_label_that_is_not_finite_is_refused_wherever_it_is() -> None:
    for place in ((0, 0, 0), (10, 12, 9)):
        voxels = LABELS.copy()
        voxels[place] = np.nan
        with pytest.raises(OasisGanError, match="found nan in 1 voxels"):
            scan(voxels, "labels").read()


def test_a_slice_has_no_faces_in_front_and_behind() -> None:
    voxels = NAN_AROUND[:, :, 9:10]
    assert np.array_equal(scan(voxels, "labels").read().voxels, LABELS[:, :, 9:10])
    hole = np.where(LABELS == 3, np.nan, LABELS)[:, :, 9:10]
    with pytest.raises(OasisGanError, match="found nan"):
        scan(hole, "labels").read()


def test_a_nan_background_of_an_mri_is_background() -> None:
    volume = scan(np.where(LABELS > 0, T1, np.nan)).read()
    assert np.array_equal(volume.voxels, T1)
    assert volume.content == "image"
    assert isinstance(volume.notes[0], RepairNote)


def test_nan_within_an_mri_becomes_background_with_a_warning() -> None:
    voxels = T1.copy()
    voxels[10, 12, 9] = np.nan
    voxels[10, 12, 10] = np.inf
    volume = scan(voxels).read()
    assert np.isfinite(volume.voxels).all()
    assert volume.notes == ("2 voxels are not finite: they are taken as background",)
    assert not isinstance(volume.notes[0], RepairNote)


def test_a_volume_without_a_finite_voxel_is_refused() -> None:
    for content in ("labels", "image", None):
        with pytest.raises(
            OasisGanError, match=r"^volume\.nii: expected finite voxels, found none"
        ):
            scan(np.full(SHAPE, np.nan, np.float32), content).read()


def test_a_volume_that_is_clean_keeps_its_array() -> None:
    for voxels in (LABELS.astype(np.uint8), T1, T1.astype(np.float64)):
        volume = scan(voxels).read()
        assert volume.voxels is voxels
        assert volume.notes == ()


def test_what_has_been_cleaned_is_not_cleaned_again() -> None:
    volume = scan(np.where(LABELS > 0, T1, np.nan), "image").read()
    assert Window((0, 1000), (0, 1)).clean(volume, "t1.nii") is volume
    labels = OASIS.clean(scan(NAN_AROUND).read(), "seg.nii")
    assert len(labels.notes) == 1


# What a user sees


def test_label_maps_with_a_nan_background_are_translated(tmp_path: Path, paint: Painting) -> None:
    save(tmp_path / "spm.nii", NAN_AROUND)
    save(tmp_path / "plain.nii", LABELS)
    process = paint("spm.nii", "plain.nii")
    assert process.returncode == 0, process.stderr
    spm, plain = (
        read_nifti(tmp_path / f"out/{name}_synthT1w.nii.gz").voxels for name in ("spm", "plain")
    )
    assert np.array_equal(spm, plain)
    assert "around the head are not finite" in (tmp_path / "out/subjects.tsv").read_text()


@pytest.mark.parametrize("model_plane", list(Plane)[:1])
def test_a_nan_background_of_the_reference_is_background(
    tmp_path: Path, paint: Painting, model_plane: Plane
) -> None:
    inside = T1.copy()
    inside[10, 12, 9] = np.inf
    for name, voxels in (
        ("clean", T1),
        ("nan", np.where(LABELS > 0, T1, np.nan)),
        ("inf", inside),
        ("seg", LABELS),
    ):
        save(tmp_path / f"{name}.nii", voxels)
    outputs = []
    for name, notes in (("clean", []), ("nan", [True]), ("inf", [True])):
        process = paint(
            "seg.nii", "--like", f"{name}.nii", "--plane", model_plane.value, "--overwrite"
        )
        assert process.returncode == 0, process.stderr
        note = "not finite: they are taken as background"
        assert [
            note in line for line in process.stderr.splitlines() if line.startswith("--like: ")
        ] == notes
        outputs.append(read_nifti(tmp_path / "out/seg_synthT1w.nii.gz").voxels)
    assert np.array_equal(outputs[0], outputs[1])
    np.testing.assert_allclose(outputs[0], outputs[2], rtol=1e-2)


def test_check_says_that_a_background_of_nan_is_taken_as_background(tmp_path: Path) -> None:
    save(tmp_path / "seg.nii", NAN_AROUND)
    process = oasis_gan("check", "seg.nii", "--format", "tsv", cwd=tmp_path)
    assert process.returncode == 0
    assert "fix" in process.stdout.splitlines()[1]


def test_a_target_with_one_nan_is_learnt_from() -> None:
    voxels = T1.copy()
    voxels[10, 12, 9] = np.nan
    _, target = Subject("a", scan(LABELS), scan(voxels)).with_content("labels", "image").read_both()
    assert np.isfinite(target.voxels).all()


# A background that is not 0


def levels(count: int) -> Array:
    """Return the MRI with so many grey levels, as integers."""
    return np.where(LABELS > 0, np.clip(np.rint(T1 / 850 * count), 1, count), 0).astype(np.int16)


FEW_LEVELS = levels(99)
WITH_BACKGROUND = {
    "z-scored": ((T1 - T1.mean()) / T1.std()).astype(np.float32),
    "-1024": (np.rint(T1) - 1024).astype(np.int16),
    "-1024 around": np.where(LABELS > 0, np.rint(T1), -1024).astype(np.int16),
    "plus 1": (FEW_LEVELS + 1).astype(np.uint8),
    "white": np.where(LABELS > 0, FEW_LEVELS, 255).astype(np.uint8),
}


@pytest.mark.parametrize("name", WITH_BACKGROUND)
@pytest.mark.parametrize("content", ["image", None])
def test_a_constant_background_of_an_image_becomes_0_and_no_voxel_of_the_head_does(
    name: str, content: Content | None
) -> None:
    there = WITH_BACKGROUND[name]
    volume = scan(there, content).read()
    assert volume.content == "image"
    assert not volume.voxels[LABELS == 0].any()
    assert volume.voxels[LABELS > 0].all()
    differences = volume.voxels[LABELS > 0] - there[LABELS > 0].astype(np.float64)
    assert np.ptp(differences) < 1e-6
    (note,) = volume.notes
    assert note == f"the background is {there[0, 0, 0]:g}: it is subtracted from all intensities"


@pytest.mark.parametrize(
    "part", [np.s_[:, :, 9:10], np.s_[10:11], np.s_[:, 6:18, :], np.s_[10:, :, :]]
)
def test_the_background_of_a_part_of_a_head_is_found_too(part: Any) -> None:  # noqa: ANN401
    volume = scan(WITH_BACKGROUND["-1024"][part], "image").read()
    assert not volume.voxels[LABELS[part] == 0].any()


@pytest.mark.parametrize("spread", [0.5, 1, 3])
def test_noise_around_a_head_is_no_background(spread: float) -> None:
    noise = np.abs(np.random.default_rng(0).normal(0, spread, SHAPE))
    for voxels in (T1 + noise, np.rint(T1 + noise)):
        volume = scan(voxels.astype(np.float32)).read()
        assert volume.content == "image"
        assert volume.notes == ()


def test_voxels_that_are_no_number_become_background_where_that_is_not_0() -> None:
    voxels = WITH_BACKGROUND["z-scored"].copy()
    voxels[10, 12, 9] = np.nan
    assert scan(voxels, "image").read().voxels[10, 12, 9] == 0


def test_label_maps_keep_their_values() -> None:
    for voxels in (LABELS + 1, np.where(LABELS > 0, LABELS, 255)):
        volume = scan(voxels.astype(np.uint8), "labels").read()
        assert volume.notes == ()
        assert np.array_equal(volume.voxels, voxels)


# What is a label map


def test_an_mri_of_few_grey_levels_is_no_label_map() -> None:
    for voxels in (FEW_LEVELS, levels(49)):
        assert scan(voxels).read().content == "image"


def test_label_maps_of_many_structures_are_label_maps() -> None:
    i, j, k = np.indices(SHAPE) // 4
    many = np.where(LABELS > 0, 1000 + i + 6 * j + 36 * k, 0)
    assert len(np.unique(many)) > 40
    for voxels in (LABELS, LABELS > 0, many, np.where(LABELS == 0, -1, LABELS)):
        assert scan(voxels.astype(np.int32)).read().content == "labels"


def test_known_content_is_not_guessed() -> None:
    assert scan(LABELS, "image").read().content == "image"
    assert scan(T1, "labels").read().content == "labels"


COPY = """
from pathlib import Path
from oasis_gan import Canvas, ModelCard, ModelKind, Percentiles, Plane, Window, hookimpl, slicewise

CARD = ModelCard(
    name="copy",
    version="1",
    sources={"image": Percentiles()},
    target=Window((100, 1000), (0, 1)),
    output="T2w",
)

def copy(slices, mask):
    return slices

def load(folder):
    return slicewise(copy, CARD, planes=[Plane.AXIAL], canvas=Canvas(1.0, size=1, multiple=1))

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="copy",
        summary="As it is",
        card=lambda _: CARD,
        load=load,
        shipped={"copy": Path()},
    )
"""


@pytest.mark.parametrize("name", WITH_BACKGROUND)
def test_outputs_are_0_where_the_source_is_background_whatever_its_value(
    tmp_path: Path, name: str
) -> None:
    (tmp_path / "copying.py").write_text(COPY)
    save(tmp_path / "t1.nii", WITH_BACKGROUND[name])
    model = ("--plugin", "copying.py", "--model", "copy", "--out", "out")
    process = oasis_gan("run", "t1.nii", *model, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    made = read_nifti(tmp_path / "out/t1_synthT2w.nii.gz").voxels
    assert not made[LABELS == 0].any()
    assert (made[LABELS > 0] >= 100).all()
    assert "the background is" in (tmp_path / "out/subjects.tsv").read_text()


def test_source_is_decides_what_check_expects_of_a_source(tmp_path: Path) -> None:
    save(tmp_path / "few.nii", levels(6))
    save(tmp_path / "t1.nii", FEW_LEVELS)
    save(tmp_path / "seg.nii", LABELS.astype(np.uint8))

    def verdicts(*words: object) -> list[str]:
        process = oasis_gan("check", *words, "--format", "tsv", cwd=tmp_path)
        return [line.split("\t")[1] for line in process.stdout.splitlines()[1:]]

    assert verdicts("few.nii") == ["reject"]
    assert verdicts("few.nii", "--source-is", "image") == ["accept"]
    assert verdicts("t1.nii", "seg.nii") == ["accept", "accept"]
    assert verdicts("t1.nii", "--source-is", "labels") == ["reject"]
    assert verdicts("few.nii", "--target", "seg.nii", "--source-is", "image") == ["accept"]


def test_source_is_must_fit_the_model(tmp_path: Path, paint: Painting) -> None:
    save(tmp_path / "seg.nii", LABELS)
    process = paint("seg.nii", "--source-is", "image")
    assert process.returncode == 2
    assert (
        "--source-is: expected labels, which this model translates, found image" in process.stderr
    )
    process = paint("seg.nii", "--source-is", "image", "--labels", "oasis")
    assert process.returncode == 2
