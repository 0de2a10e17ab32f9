"""``oasis-gan check`` and ``train`` find faults of subjects, accept sound ones, and say why."""

from __future__ import annotations

import csv
import io
import json
import tracemalloc
import unicodedata
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan
from numpy.typing import NDArray

from oasis_gan import (
    NEURITE_SEG4,
    OASIS,
    Geometry,
    Label,
    LabelSet,
    RepairNote,
    Scan,
    Subject,
    Volume,
    read_nifti,
)
from oasis_gan.checks.doctor import examine, examine_all
from oasis_gan.checks.findings import Report, Verdict
from oasis_gan.checks.similarity import SAME_HEAD, compute_similarity, make_fingerprint

SHAPE = (50, 60, 46)
AFFINE = np.diag([3.0, 3, 3, 1])
AFFINE[:3, 3] = -75, -90, -60
Array = NDArray[Any]


def head(seed: int = 0) -> tuple[Array, Array]:
    """Return a tissue map with folds of its own, no mirror image of itself, and its T1w."""
    rng = np.random.default_rng(seed)
    places = np.stack(np.meshgrid(*(np.linspace(-1.15, 1.15, n) for n in SHAPE), indexing="ij"))
    folds = sum(
        np.cos(np.tensordot(rng.normal(0, 5, 3), places, 1) + rng.uniform(0, 6.3))
        for _ in range(12)
    ) / np.sqrt(12)
    radius = np.linalg.norm(places, axis=0)
    labels = np.select(
        [radius + 0.16 * folds < 0.6, radius + 0.12 * folds < 0.85, radius < 1], [3, 2, 1], 0
    )
    ventricle = np.linalg.norm(places - np.array([0.2, 0.1, 0.1]).reshape(3, 1, 1, 1), axis=0) < 0.2
    labels = np.where(ventricle, 1, labels).astype(np.uint8)
    t1 = np.array([0, 300, 550, 750])[labels] + rng.normal(0, 20, SHAPE)
    return labels, np.where(labels > 0, t1, 0).astype(np.float32)


LABELS, T1 = head()


def subject(source: Array, target: Array | None = None, name: str = "sub-01", **of: Any) -> Subject:  # noqa: ANN401
    """Return a subject of volumes in memory."""
    return Subject(name, scan(source), scan(target) if target is not None else None, **of)


def scan(voxels: Array, affine: Array = AFFINE, notes: tuple[str, ...] = ()) -> Scan:
    return Scan(
        Path("volume.nii.gz"), lambda _: Volume(voxels, Geometry(voxels.shape, affine), notes)
    )


def meaning(one: Subject, labels: LabelSet) -> Subject:
    """Return a subject of which somebody has said what the values of its source mean."""
    return replace(one, source=replace(one.source, labels=labels))


def report(one: Subject) -> Report:
    return examine(one, OASIS)[0]


def moved(voxels: Array, by: tuple[int, int, int]) -> Array:
    """Return voxels moved along the axes, background following."""
    return np.roll(voxels, by, (0, 1, 2))  # the rim of a head is background


def test_a_healthy_pair_is_accepted_whichever_way_it_is_given() -> None:
    for pair in (subject(LABELS, T1), subject(T1, LABELS)):
        found = report(pair)
        assert (found.verdict, found.message) == (Verdict.ACCEPT, "")
        assert found.figures["shift"] == [0, 0, 0]
    for alone in (LABELS, T1):
        assert report(subject(alone)).verdict is Verdict.ACCEPT


@pytest.mark.parametrize(
    "by", [(1, 0, 0), (0, -1, 0), (0, 0, 1), (-2, 0, 0), (0, 2, 0), (1, 1, -1), (3, -2, 1)]
)
def test_a_shifted_label_map_is_found_and_the_shift_that_aligns_it_is_reported(
    by: tuple[int, int, int],
) -> None:
    found = report(subject(moved(LABELS, by), T1))
    assert found.verdict is Verdict.REJECT
    assert found.figures["shift"] == [-step for step in by]
    shift = ", ".join(f"{-step:+d}" for step in by)
    assert found.message == f"the labels fit the MRI when they are moved by ({shift}) voxels"


@pytest.mark.parametrize(
    "contrast", [lambda t1: 1000 * (t1 > 0) - t1, lambda t1: np.sqrt(t1), lambda t1: t1 % 500]
)
def test_a_shift_is_found_in_any_contrast(contrast: Callable[[Array], Array]) -> None:
    mri = contrast(T1)
    found = report(subject(LABELS, mri))
    assert found.verdict is not Verdict.REJECT
    assert found.figures["shift"] == [0, 0, 0]
    assert report(subject(moved(LABELS, (0, 1, 0)), mri)).figures["shift"] == [0, -1, 0]


def test_a_shift_of_a_mask_is_found() -> None:
    mask = (LABELS > 0).astype(np.uint8)
    brain = LabelSet(name="mask", labels=(Label(1, "brain"),))
    assert report(meaning(subject(mask, T1), brain)).verdict is Verdict.ACCEPT
    assert report(meaning(subject(moved(mask, (0, 0, 2)), T1), brain)).figures["shift"] == [
        0,
        0,
        -2,
    ]


def test_labels_with_left_and_right_swapped_are_found() -> None:
    found = report(subject(LABELS[::-1], T1))
    assert found.verdict is Verdict.REJECT
    assert "left and right swapped" in found.message


def test_labels_unrelated_to_the_mri_get_a_warning() -> None:
    noise = np.where(LABELS > 0, np.random.default_rng(0).uniform(100, 900, SHAPE), 0)
    found = report(subject(LABELS, noise))
    assert found.verdict is Verdict.WARN
    assert "do they belong together?" in found.message


def test_a_header_that_swaps_left_and_right_is_reported() -> None:
    mirrored = AFFINE @ np.diag([-1.0, 1, 1, 1])
    found = report(Subject("a", scan(LABELS, mirrored), scan(T1)))
    assert found.verdict is Verdict.REJECT
    assert "left and right are swapped, LAS against RAS" in found.message


def test_a_pair_stored_along_other_axes_is_reordered(tmp_path: Path) -> None:
    for axes in ("LAS", "LPS", "PSR", "LIA", "SAR"):
        image = nib.Nifti1Image(T1, AFFINE).as_reoriented(
            nib.orientations.ornt_transform(
                nib.orientations.axcodes2ornt("RAS"), nib.orientations.axcodes2ornt(axes)
            )
        )
        nib.save(image, tmp_path / "t1.nii")
        for one in (
            Subject("a", scan(LABELS), Scan(tmp_path / "t1.nii", read_nifti)),
            Subject("a", Scan(tmp_path / "t1.nii", read_nifti), scan(LABELS)),
        ):
            found = report(one)
            assert (found.verdict, "swapped" in found.message) == (Verdict.FIX, False), (
                found.message
            )
            assert "nothing is resampled" in found.message
            assert found.figures["shift"] == [0, 0, 0]
            source, target = one.read_both()
            source.geometry.require_same_grid(target.geometry, "t1.nii")
            mri, labels = (source, target) if source.content == "image" else (target, source)
            for tissue, mean in ((1, 300), (2, 550), (3, 750)):
                assert mri.voxels[labels.voxels == tissue].mean() == pytest.approx(mean, rel=0.01)


def test_an_oblique_pair_along_other_axes_is_aligned_to_the_voxel() -> None:
    turn = np.eye(4)
    turn[:3, :3] = nib.eulerangles.euler2mat(np.radians(45), np.radians(20), np.radians(-10))
    affine = turn @ AFFINE
    order = np.array([[2, -1], [0, 1], [1, -1]])
    voxels = nib.orientations.apply_orientation(T1, order)
    other = affine @ nib.orientations.inv_ornt_aff(order, T1.shape)
    source, target = Subject("a", scan(LABELS, affine), scan(voxels, other)).read_both()
    assert np.array_equal(target.voxels, T1)
    assert np.array_equal(target.geometry.affine, source.geometry.affine)


def test_only_a_mirrored_head_is_reported_as_mirrored() -> None:
    turned = AFFINE @ np.diag([-1.0, 1, 1, 1])
    assert "swapped" in report(Subject("a", scan(LABELS), scan(T1, turned))).message
    aside = turned.copy()
    aside[:3, 3] += AFFINE[:3, 0] * (SHAPE[0] - 1) + (0, 5, 0)
    found = report(Subject("a", scan(LABELS), scan(T1, aside)))
    assert found.verdict is Verdict.REJECT
    assert "swapped" not in found.message


def test_grids_that_differ_by_more_than_a_micron_are_refused() -> None:
    for mm, verdict in ((1e-4, Verdict.ACCEPT), (0.01, Verdict.REJECT)):
        near = AFFINE + mm * np.array([[0, 0, 0, 1], *[[0] * 4] * 3])
        assert report(Subject("a", scan(LABELS, near), scan(T1))).verdict is verdict
    short = report(subject(LABELS[:, :-1], T1))
    assert "expected shape (50, 59, 46), found (50, 60, 46)" in short.message


def test_a_volume_without_a_position_takes_that_of_its_counterpart(tmp_path: Path) -> None:
    for name, voxels, codes in (("seg", LABELS, 0), ("t1", T1, 1)):
        image = nib.Nifti1Image(voxels, AFFINE)
        image.set_sform(AFFINE, codes)
        image.set_qform(AFFINE, codes)
        nib.save(image, tmp_path / f"{name}.nii")
    one = Subject(
        "a", Scan(tmp_path / "seg.nii", read_nifti), Scan(tmp_path / "t1.nii", read_nifti)
    )
    found = report(one)
    assert found.verdict is Verdict.WARN
    assert "no orientation in the header" in found.message
    source, target = one.read_both()
    assert source.geometry is target.geometry


@pytest.mark.parametrize(
    ("labels", "verdict", "said"),
    [
        (LABELS.astype(np.float32), Verdict.FIX, "labels stored as float32"),
        (LABELS * 1.0000001, Verdict.WARN, "off whole numbers"),
        (LABELS * 0.5, Verdict.REJECT, "found 0.5, 1.5"),
        (np.where(LABELS == 2, 4, LABELS), Verdict.REJECT, "found 4"),
        (np.where(LABELS == 2, np.nan, LABELS), Verdict.REJECT, "found nan"),
        (np.zeros_like(LABELS), Verdict.WARN, "nothing but background"),
    ],
)
def test_labels_must_be_whole_numbers_of_their_label_set(
    labels: Array, verdict: Verdict, said: str
) -> None:
    found = report(subject(labels, T1))
    assert found.verdict is verdict
    assert said in found.message


def test_a_label_map_that_was_resampled_linearly_is_found() -> None:
    weights = np.random.default_rng(0).uniform(0, 0.5, SHAPE)
    between = (1 - weights) * LABELS + weights * moved(LABELS, (1, 0, 0))
    assert "expected labels" in report(subject(between, T1)).message


def test_labels_mean_what_their_layout_says() -> None:
    neurite = Scan(
        Path("seg4.nii.gz"),
        subject(np.array([0, 4, 1, 3], np.uint8)[LABELS]).source.reader,
        NEURITE_SEG4,
    )
    assert report(Subject("a", neurite, scan(T1))).verdict is Verdict.ACCEPT
    assert "labels converted" in report(Subject("a", neurite.in_labels(OASIS), scan(T1))).message


@pytest.mark.parametrize(
    ("mri", "verdict", "said"),
    [
        (np.where(LABELS == 3, np.nan, T1), Verdict.WARN, "voxels are not finite"),
        (np.full(SHAPE, np.inf, np.float32), Verdict.REJECT, "expected finite voxels"),
        (np.zeros(SHAPE, np.int16), Verdict.WARN, "nothing but background"),
        (T1 * np.float32(1e-42), Verdict.WARN, "denormal"),
        (T1 * (np.arange(46) < 23), Verdict.WARN, "cut off along axis k: "),
        (T1 * (np.arange(46) != 20), Verdict.WARN, "1 empty slices inside, along axis k"),
        (T1[20:21, 20:21, 20:21], Verdict.REJECT, "nothing can be sliced"),
        (np.arange(1200.0).reshape(300, 2, 2), Verdict.WARN, "only 300 x 2 x 2 voxels"),
        (np.arange(2400.0).reshape(40, 30, 2), Verdict.ACCEPT, ""),
    ],
)
def test_voxels_must_be_finite_and_show_a_whole_head(
    mri: Array, verdict: Verdict, said: str
) -> None:
    found = report(subject(mri))
    assert found.verdict is verdict
    assert said in found.message


@pytest.mark.parametrize(
    ("shape", "mm"), [((40, 40, 40), 100), ((9000, 8, 8), 1), ((60, 60, 50), 25)]
)
def test_a_head_that_fits_on_no_canvas_is_rejected(shape: tuple[int, int, int], mm: float) -> None:
    voxels = np.random.default_rng(0).uniform(1, 2, shape)
    found = report(Subject("a", scan(voxels, np.diag([mm, mm, mm, 1.0]))))
    assert found.verdict is Verdict.REJECT
    assert "check the voxel size and correct it" in found.message
    assert f"{shape[0]} x {shape[1]} voxels" in found.message


def test_a_head_in_a_large_field_of_view_is_not_cut_off() -> None:
    assert report(subject(np.pad(T1, ((40, 0), (0, 60), (30, 30))))).verdict is Verdict.ACCEPT


@pytest.mark.parametrize(
    ("affine", "said"),
    [
        (np.diag([1e-3, 1e-3, 1e-3, 1]), "is the unit right"),
        (AFFINE + 1e5 * np.eye(4, k=3), "m from the middle"),
    ],
)
def test_an_implausible_position_gets_a_warning(affine: Array, said: str) -> None:
    found = report(Subject("a", scan(T1, affine)))
    assert found.verdict is Verdict.WARN
    assert said in found.message


@pytest.mark.parametrize(("degrees", "mm"), [(0.02, 0), (0, 0.05), (1, 0), (0, 3), (30, 20)])
def test_the_difference_between_sform_and_qform_is_measured(
    tmp_path: Path, degrees: float, mm: float
) -> None:
    turn = np.eye(4)
    turn[:3, :3] = nib.eulerangles.euler2mat(np.radians(degrees))
    qform = turn @ AFFINE
    qform[:3, 3] = AFFINE[:3, 3] + (mm, 0, 0)
    image = nib.Nifti1Image(T1, AFFINE)
    image.set_sform(AFFINE, 2)
    image.set_qform(qform, 1)
    nib.save(image, tmp_path / "t1.nii")
    found = report(Subject("a", Scan(tmp_path / "t1.nii", read_nifti)))
    assert found.figures["forms_angle"] == pytest.approx(degrees, abs=0.02)
    corners = np.array(np.meshgrid(*((0, n - 1) for n in SHAPE), [1], indexing="ij")).reshape(4, -1)
    worst = float(np.linalg.norm(((AFFINE - qform) @ corners)[:3], axis=0).max())
    assert found.figures["forms_mm"] == pytest.approx(worst, abs=0.05)
    assert (found.verdict, "disagree" in found.message) == (
        (Verdict.WARN, True) if max(degrees, mm) >= 1 else (Verdict.ACCEPT, False)
    )


def test_repairs_by_the_reader_are_fixes_and_its_doubts_are_warnings() -> None:
    for note, verdict in (
        (RepairNote("a code was unknown"), Verdict.FIX),
        ("a code is unknown", Verdict.WARN),
    ):
        found = report(Subject("a", scan(T1, notes=(note,))))
        assert (found.verdict, found.message) == (verdict, note)


def print_of(voxels: Array, affine: Array = AFFINE) -> Any:  # noqa: ANN401
    return make_fingerprint(Volume(voxels, Geometry(voxels.shape, affine)))


def test_the_same_head_is_recognised_after_changes() -> None:
    rng = np.random.default_rng(1)
    mirrored = AFFINE @ np.diag([-1.0, 1, 1, 1])
    mirrored[:3, 3] += AFFINE[:3, 0] * (SHAPE[0] - 1)
    there = print_of(T1)
    for again in (
        print_of(3.5 * T1),
        print_of(T1 + rng.normal(0, 30, SHAPE) * (T1 > 0)),
        print_of(T1[::-1], mirrored),
        print_of(moved(T1, (2, -1, 1))),
        print_of(np.swapaxes(T1, 0, 2), AFFINE[:, [2, 1, 0, 3]]),
    ):
        assert compute_similarity(there, again) > SAME_HEAD


def test_different_heads_are_not_taken_for_the_same() -> None:
    prints = [print_of(head(seed)[1]) for seed in range(4)]
    assert (
        max(compute_similarity(one, other) for i, one in enumerate(prints) for other in prints[:i])
        < SAME_HEAD
    )


def test_an_empty_volume_has_no_fingerprint() -> None:
    assert print_of(np.zeros(SHAPE)) is None
    assert print_of(np.ones(SHAPE)) is None


def test_a_head_on_two_sides_of_a_split_is_found() -> None:
    other = head(1)
    subjects = [subject(LABELS, T1, "a"), subject(*other, "b"), subject(LABELS, 2 * T1, "c")]
    found = {one.subject.name: one for one in examine_all(subjects, OASIS, ["c"])}
    assert {name: one.duplicate for name, one in found.items()} == {"a": None, "b": None, "c": "a"}
    assert "the same head as a on another side of the split" in found["c"].report.message
    assert found["c"].side == "validate"


def test_the_split_of_the_data_counts_and_a_head_may_repeat_within_a_side() -> None:
    def duplicates(*splits: str) -> list[str | None]:
        subjects = [subject(T1, name=str(index), split=split) for index, split in enumerate(splits)]
        return [one.duplicate for one in examine_all(subjects, OASIS)]

    assert duplicates("train", "test") == [None, "0"]
    assert duplicates("train", "train") == [None, None]
    assert duplicates("", "") == [None, None]


def test_a_rejected_subject_is_no_duplicate() -> None:
    subjects = [subject(0.5 * LABELS, T1, "a"), subject(LABELS, T1, "b")]
    assert [one.duplicate for one in examine_all(subjects, OASIS, ["b"])] == [None, None]


def broken(path: Path) -> Volume:
    raise RuntimeError(path)


def test_one_bad_subject_does_not_stop_the_others() -> None:
    subjects = [Subject("bad", Scan(Path("bad.nii"), broken)), subject(LABELS, T1, "good")]
    bad, good = examine_all(subjects, OASIS, ["good"])
    assert bad.report.verdict is Verdict.REJECT
    assert (
        "bad.nii: expected something that its reader can read, found RuntimeError: bad.nii"
        in bad.report.message
    )
    assert good.report.verdict is Verdict.ACCEPT


def test_volumes_are_not_kept_in_memory() -> None:
    def peak(count: int) -> int:
        tracemalloc.start()
        there = [subject(LABELS, T1, str(index)) for index in range(count)]
        assert sum(1 for _ in examine_all(there, OASIS, ["0"])) == count
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        return most

    # Five subjects more cost five fingerprints: less than one volume.
    assert peak(8) - peak(3) < 5 * 63_000 + 50_000 < T1.nbytes


# What a user sees.


LISTING = """
from oasis_gan import ModelKind, hookimpl

def train(request):
    for side, subjects in (("learnt", request.subjects), ("measured", request.validation)):
        lines = [f"{one.name} {one.read_both()[0].voxels.max()}" for one in subjects]
        (request.out / side).write_text("\\n".join(lines))

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="listing",
        summary="Lists whom it is to learn from",
        card=lambda folder: None,
        load=lambda folder: None,
        train=train,
    )
"""


def save(path: Path, voxels: Array) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, AFFINE), path)


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """Return a folder with pairs of three heads: healthy, shifted, and without its target."""
    other = head(1)
    for name, labels, t1 in (
        ("a", LABELS, T1),
        ("b", moved(other[0], (0, 1, 0)), other[1]),
        ("c\t<b>", LABELS, None),
    ):
        save(tmp_path / f"heads/{name}_seg.nii", labels)
        if t1 is not None:
            save(tmp_path / f"heads/{name}_t1.nii", t1)
    (tmp_path / "listing.py").write_text(LISTING)
    return tmp_path


PAIRS = ("heads", "--source-suffix", "_seg.nii", "--target-suffix", "_t1.nii")


def test_tsv_has_a_row_a_subject_and_names_are_escaped(heads: Path) -> None:
    process = oasis_gan("check", *PAIRS, "--format", "tsv", cwd=heads)
    rows = list(csv.DictReader(io.StringIO(process.stdout), delimiter="\t"))
    assert process.returncode == 1
    assert {row["subject"]: row["verdict"] for row in rows} == {
        "a": "accept",
        "b": "reject",
        "c\\t<b>": "reject",
    }
    assert "no such file" in rows[2]["message"]


def test_json_holds_the_figures_and_the_status_is_0_without_a_rejection(heads: Path) -> None:
    process = oasis_gan(
        "check", "heads/a_seg.nii", "--target", "heads/a_t1.nii", "--format", "json", cwd=heads
    )
    (row,) = json.loads(process.stdout)
    assert process.returncode == 0
    assert (row["subject"], row["verdict"], row["message"]) == ("a_seg", "accept", "")
    assert row["figures"]["shift"] == [0, 0, 0]
    assert row["figures"]["explained"] > 0.9


def test_a_source_that_cannot_be_opened_is_a_row_of_the_table(heads: Path) -> None:
    process = oasis_gan("check", "heads/a_t1.nii", "missing", cwd=heads)
    assert process.returncode == 1
    words = process.stdout.split()
    assert [word for word in words if word in list(Verdict)] == ["reject", "accept"]
    assert "nothing there" in process.stdout


def test_training_leaves_out_what_is_rejected_and_converts_labels(heads: Path) -> None:
    save(heads / "heads/d_seg.nii", np.array([0, 4, 1, 3], np.uint8)[head(2)[0]])
    save(heads / "heads/d_t1.nii", head(2)[1])
    words = (
        "--kind",
        "listing",
        "--plugin",
        "listing.py",
        "--out",
        "model",
        "--labels",
        "neurite-seg4",
    )
    process = oasis_gan("train", *PAIRS, *words, "--validate", "d", cwd=heads)
    assert process.returncode == 0, process.stderr
    assert (heads / "model/measured").read_text() == "d 3"
    assert "left out b: reject - " in process.stderr
    assert "d: fix - source: labels converted from neurite-seg4 to oasis" in process.stderr


def test_a_subject_is_held_out_however_its_accents_are_written(heads: Path) -> None:
    labels, t1 = head(2)
    listed, typed = (unicodedata.normalize(form, "Zoë") for form in ("NFD", "NFC"))
    save(heads / f"heads/{listed}_seg.nii", labels)
    save(heads / f"heads/{listed}_t1.nii", t1)
    words = ("--kind", "listing", "--plugin", "listing.py", "--out", "model")
    process = oasis_gan("train", *PAIRS, *words, "--validate", typed, cwd=heads)
    assert process.returncode == 0, process.stderr
    assert (heads / "model/measured").read_text().startswith(listed)


def test_training_is_refused_where_a_head_is_on_both_sides(heads: Path) -> None:
    save(heads / "heads/twin_seg.nii", LABELS)
    save(heads / "heads/twin_t1.nii", 2 * T1)
    words = ("--kind", "listing", "--plugin", "listing.py", "--out", "model", "--validate", "twin")
    process = oasis_gan("train", *PAIRS, *words, cwd=heads)
    assert process.returncode == 2
    assert "found twin and a, the same head" in process.stderr.splitlines()[-1]
    assert not (heads / "model").exists()


def test_run_reads_labels_as_the_user_says(tmp_path: Path, paint: Painting) -> None:
    neurite = np.array([0, 4, 1, 3], np.uint8)[LABELS]
    nib.save(nib.Nifti1Image(neurite, np.eye(4)), tmp_path / "seg4.nii")
    process = paint("seg4.nii", "--labels", "neurite-seg4")
    assert process.returncode == 0, process.stderr
    made = read_nifti(tmp_path / "out/seg4_synthT1w.nii.gz").voxels
    np.testing.assert_allclose(made, np.array([0, 300, 550, 750])[LABELS], rtol=1e-5)
    record = json.loads((tmp_path / "out/seg4_synthT1w.json").read_text())
    assert record["source_labels"] == "neurite-seg4"
    assert record["notes"] == ["labels converted from neurite-seg4 to oasis"]


def test_an_unknown_label_set_is_refused_with_a_list_of_the_known_ones(heads: Path) -> None:
    process = oasis_gan("check", "heads", "--labels", "nobodys", cwd=heads)
    assert process.returncode == 2
    assert "--labels: expected one of oasis, fsl-fast, neurite-seg4" in process.stderr
