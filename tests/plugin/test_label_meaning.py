"""The meaning of label values is found however a file is reached, or the file is refused."""

from __future__ import annotations

import json
import os
import re
import subprocess
import time
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.tool import TINY, Painting, oasis_gan
from numpy.typing import NDArray

from oasis_gan import (
    BIDS,
    FREESURFER,
    FREESURFER_A2009S,
    FREESURFER_APARC,
    FSL_FAST,
    NEURITE_SEG4,
    NEURITE_SEG35,
    OASIS,
    LabelSet,
    LabelSetFinder,
    OasisGanError,
    Selection,
    Volume,
    find_label_set,
)
from oasis_gan.cli.choosing import list_subjects
from oasis_gan.plugin.registry import Registry

Array = NDArray[Any]
SHAPE = (50, 60, 46)
GREYS = {1: 300, 2: 550, 3: 750}  # that the painting model gives CSF, GM and WM
BIDS_OF = np.array([0, 3, 1, 2], np.uint8)  # of 1 CSF, 2 GM, 3 WM
TSV = "index\tname\n0\tBackground\n1\tGM\n2\tWM\n3\tCSF\n"


def head() -> Array:
    """Return a tissue map (1 CSF, 2 GM, 3 WM): white in folded grey matter, fluid in and around."""
    rng = np.random.default_rng(0)
    places = np.stack(np.meshgrid(*(np.linspace(-1.15, 1.15, n) for n in SHAPE), indexing="ij"))
    folds = sum(
        np.cos(np.tensordot(rng.normal(0, 5, 3), places, 1) + rng.uniform(0, 6.3))
        for _ in range(12)
    )
    radius = np.linalg.norm(places, axis=0)
    labels = np.select(
        [radius + 0.046 * folds < 0.6, radius + 0.035 * folds < 0.85, radius < 1], [3, 2, 1], 0
    )
    return np.where(radius < 0.2, 1, labels).astype(np.uint8)


HEAD = head()
NOISE = (np.random.default_rng(0).normal(0, 5, SHAPE) * (HEAD > 0)).astype(np.float32)
MRI = np.array([0, 300, 550, 750], np.float32)[HEAD]


def save(path: Path, voxels: Array, millimetres: float = 3.0) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, np.diag([millimetres] * 3 + [1])), path)
    return path


def describe(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "dataset_description.json").write_text(
        json.dumps({"Name": "x", "BIDSVersion": "1.10.0"})
    )


def fmriprep(root: Path) -> Path:
    """Make a dataset with a derivative whose dseg is coded as BIDS has it."""
    describe(root)
    describe(root / "derivatives/fmriprep")
    save(root / "sub-01/anat/sub-01_T1w.nii.gz", MRI)
    return save(root / "derivatives/fmriprep/sub-01/anat/sub-01_dseg.nii.gz", BIDS_OF[HEAD])


def understand(path: Path, labels: str | None = None, dataset: str | None = None) -> Volume:
    """Read a file as ``run`` does for a model of tissues."""
    subjects, broken = list_subjects(Registry.discover(), [Selection(path)], dataset, labels)
    assert not broken, broken[0].message
    (subject,) = subjects
    return subject.source.in_labels(OASIS).with_content("labels").read()


def assert_painted_right(folder: Path) -> None:
    """Assert that the one output in a folder has each tissue's grey where the tissue is."""
    (output,) = folder.glob("*.nii.gz")
    made = np.asarray(nib.Nifti1Image.from_filename(output).dataobj)
    for tissue, grey in GREYS.items():
        # At 3 mm the tissues mix where they meet.
        assert made[tissue == HEAD].mean() == pytest.approx(grey, rel=0.1)


# Found beside the file


@pytest.mark.parametrize(
    "source",
    [
        ("ds",),
        ("ds/derivatives/fmriprep",),
        ("ds/derivatives",),
        ("ds/derivatives", "--source-suffix", "_dseg.nii.gz"),
        ("ds/derivatives/fmriprep/sub-01",),
        ("ds/derivatives/fmriprep/sub-01/anat",),
        ("ds/derivatives/fmriprep/sub-01/anat", "--dataset", "nifti"),
        ("ds/derivatives/fmriprep/sub-01/anat/sub-01_dseg.nii.gz",),
        ("pairs.tsv",),
        ("linked.nii.gz",),
    ],
)
def test_a_dseg_of_a_dataset_means_the_same_however_it_is_named(
    tmp_path: Path, paint: Painting, source: tuple[str, ...]
) -> None:
    dseg = fmriprep(tmp_path / "ds")
    (tmp_path / "pairs.tsv").write_text(f"source\n{dseg.relative_to(tmp_path)}\n")
    (tmp_path / "linked.nii.gz").symlink_to(dseg)
    process = paint(*source)
    assert process.returncode == 0, process.stderr
    assert "labels converted from bids to oasis" in process.stderr
    assert_painted_right(tmp_path / "out")


@pytest.mark.parametrize(
    ("file", "table", "content"),
    [
        ("sub-01/anat/sub-01_dseg.nii.gz", "sub-01/anat/sub-01_dseg.tsv", TSV),
        ("sub-01/anat/sub-01_dseg.nii.gz", "dseg.tsv", TSV),
        (
            "sub-01/ses-1/anat/sub-01_ses-1_run-01_dseg.nii.gz",
            "sub-01/ses-1/sub-01_ses-1_run-1_dseg.tsv",
            TSV,
        ),
        ("sub-01/anat/sub-01_desc-x_dseg.nii.gz", "desc-x_dseg.tsv", TSV),
        ("mine/map.nii.gz", "mine/map.tsv", TSV),
        ("mine/map.nii.gz", "mine/map.tsv", "index\ttissue\n1\tgrey matter\n2\twhite\n3\tcsf\n"),
        (
            "mine/seg.nii.gz",
            "mine/FreeSurferColorLUT.txt",
            "# No name\n1 Gray-Matter 1 2 3 0\n2 WM 1 1 1 0\n3 CSF 1 1 1 0\n",
        ),
        (
            "mine/seg.nii.gz",
            "mine/my_LUT.txt",
            "1 Cerebral-Cortex 1 2 3 0\n2 WM 1 1 1 0\n3 CSF 1 1 1 0\n",
        ),
        ("mine/x.nii.gz", "mine/x.lut", "1 GM 1 2 3 0\n2 WM 1 1 1 0\n3 CSF 1 1 1 0\n"),
    ],
)
def test_a_table_beside_a_label_map_says_what_its_values_mean(
    tmp_path: Path, file: str, table: str, content: str
) -> None:
    save(tmp_path / "d" / file, BIDS_OF[HEAD])
    (tmp_path / "d" / table).write_text(content)
    volume = understand(tmp_path / "d" / file)
    assert volume.notes == (f"labels converted from {Path(table).name} to oasis",)
    assert np.array_equal(volume.voxels, HEAD)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("aseg.nii.gz", FREESURFER),
        ("aseg.mgz", FREESURFER),
        ("aseg.presurf.mgz", FREESURFER),
        ("sub-01_aseg.nii.gz", FREESURFER),
        ("lh.aseg.nii.gz", FREESURFER),
        ("aparc+aseg.mgz", FREESURFER_APARC),
        ("aparc.DKTatlas+aseg.nii.gz", FREESURFER_APARC),
        ("aparc.a2009s+aseg.mgz", FREESURFER_A2009S),
        ("wmparc.mgz", FREESURFER_APARC),
        ("synthseg.nii.gz", FREESURFER_APARC),
        ("sub-01_desc-aseg_dseg.nii.gz", FREESURFER),
        ("sub-01_ses-1_desc-aparcaseg_dseg.nii.gz", FREESURFER_APARC),
        ("seg4.nii.gz", NEURITE_SEG4),
        ("aligned_seg35.nii.gz", NEURITE_SEG35),
        ("OAS1_0001_MR1_mpr_n4_anon_111_t88_masked_gfc_fseg.hdr", OASIS),
        ("t1_brain_pveseg.nii.gz", FSL_FAST),
        ("sub-01_seg.nii.gz", None),
        ("sub-01_dseg.nii.gz", None),
        ("sub-01_T1w.nii.gz", None),
        ("sub-01_desc-aseg_T1w.nii.gz", None),
        ("aseg_tissue.nii.gz", None),
        ("t2_pveseg.nii.gz", None),
        ("map.nii.gz", None),
    ],
)
def test_the_name_of_a_file_says_what_its_values_mean_where_it_is_a_known_one(
    tmp_path: Path, name: str, expected: LabelSet | None
) -> None:
    (tmp_path / name).touch()
    assert find_label_set(tmp_path / name) is expected


def test_the_segmentation_of_fast_is_known_by_what_lies_beside_it(tmp_path: Path) -> None:
    for name in ("t1_seg.nii.gz", "t1_pveseg.nii.gz"):
        (tmp_path / name).touch()
    assert find_label_set(tmp_path / "t1_seg.nii.gz") is FSL_FAST


def test_a_dseg_in_sourcedata_is_not_assumed_to_follow_bids(tmp_path: Path) -> None:
    describe(tmp_path)
    assert find_label_set(save(tmp_path / "sourcedata/x_dseg.nii.gz", HEAD)) is None
    assert find_label_set(save(tmp_path / "sub-01/anat/sub-01_dseg.nii.gz", HEAD)) is BIDS


def test_a_colour_table_is_not_for_the_mri_beside_it(tmp_path: Path) -> None:
    (tmp_path / "FreeSurferColorLUT.txt").write_text("2 Left-Cerebral-White-Matter 1 1 1 0\n")
    for name in ("t1.nii.gz", "sub-01_T1w.nii.gz", "brain.nii.gz"):
        assert find_label_set(save(tmp_path / name, MRI)) is None


def test_two_colour_tables_are_named_and_none_is_chosen(tmp_path: Path) -> None:
    for name in ("a_LUT.txt", "b_LUT.txt"):
        (tmp_path / name).write_text("1 GM 1 1 1 0\n")
    with pytest.raises(
        OasisGanError, match=r"found a_LUT.txt and b_LUT.txt; name one with `labels`"
    ):
        find_label_set(save(tmp_path / "seg.nii.gz", HEAD))


@pytest.mark.parametrize("kind", ["dangling", "fifo", "huge", "binary", "folder"])
def test_a_table_that_cannot_be_used_fails_its_subjects_in_one_line_and_no_others(
    tmp_path: Path, paint: Painting, kind: str
) -> None:
    for sub in ("01", "02"):
        save(tmp_path / f"d/sub-{sub}/anat/sub-{sub}_dseg.nii.gz", BIDS_OF[HEAD])
    (tmp_path / "d/sub-02/anat/sub-02_dseg.tsv").write_text(TSV)
    table = tmp_path / "d/sub-01/anat/sub-01_dseg.tsv"
    if kind == "dangling":
        table.symlink_to("nowhere")
    elif kind == "fifo":
        os.mkfifo(table)
    elif kind == "folder":
        table.mkdir()
    else:
        table.write_bytes(b"\xff\xfe\0" if kind == "binary" else b"index\tname\n" * 200_000)
    process = paint("d", "--dataset", "nifti")
    assert process.returncode == 1
    assert "Traceback" not in process.stderr
    assert (
        sum(
            "sub-01_dseg.tsv: expected a table of labels" in line
            for line in process.stderr.splitlines()
        )
        == 1
    )
    assert len(list((tmp_path / "out").glob("*.nii.gz"))) == 1
    # Whoever says what the values mean needs no table.
    assert paint("d", "--dataset", "nifti", "--labels", "bids", "--overwrite").returncode == 0


# Said by the user


@pytest.mark.parametrize(
    "table",
    [
        "index\tname\n1\tGray Matter\n2\tWhite Matter\n3\tCSF\n",
        "index\ttissue\n1\tGM\n2\tWM\n3\tCSF\n",
        "Index\tTissue\tName\n"
        "1\tgray\tA\n"
        "2\twhite matter\tB\n"
        "3\tcerebrospinal fluid\tC\n"
        "9\tbackground\tx\n",
        "index\ttissue\n1.0\tGM\n2.0\tWM\n3.0\tCSF\n\n\t\n",
        "\ufeffindex\ttissue\r\n1\tGM\r\n2\tWM\r\n3\tCSF\r\n",
    ],
)
def test_a_table_of_ones_own_says_what_the_values_mean(tmp_path: Path, table: str) -> None:
    save(tmp_path / "map.nii.gz", BIDS_OF[HEAD])
    (tmp_path / "my table.tsv").write_text(table, encoding="utf-8", newline="")
    assert np.array_equal(
        understand(tmp_path / "map.nii.gz", str(tmp_path / "my table.tsv")).voxels, HEAD
    )


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        (None, "nowhere.tsv: expected a table of labels, found no such file; check the path"),
        ("index\ttissue\n1\tpurple\n", "tissue 'purple' is none of CSF, GM, WM, background"),
        (
            "value\ttissue\n1\tGM\n",
            "expected a table of labels with the columns index and name, or index and tissue",
        ),
        ("index\ttissue\n1\tGM\n1\tWM\n", "each index once"),
        ("index\ttissue\n0\tGM\n", "expected background at index 0"),
        ("index\ttissue\nx\tGM\n", "expected a table of labels"),
        ("index\ttissue\nnan\tGM\n", "expected a table of labels"),
        ("index\ttissue\ninf\tGM\n", "expected a table of labels"),
        ("index\ttissue\n1.5\tGM\n", "index '1.5' is no whole number"),
    ],
)
def test_a_wrong_table_of_ones_own_is_refused_in_one_line(
    tmp_path: Path, table: str | None, complaint: str
) -> None:
    save(tmp_path / "map.nii.gz", HEAD)
    if table is not None:
        (tmp_path / "nowhere.tsv").write_text(table)
    process = oasis_gan("check", "map.nii.gz", "--labels", "nowhere.tsv", cwd=tmp_path)
    assert process.returncode == 2
    assert complaint in process.stderr
    assert len(process.stderr.splitlines()) == 1


def test_label_sets_go_by_the_names_of_their_files_too(tmp_path: Path) -> None:
    save(tmp_path / "map.nii.gz", np.array([0, 24, 42, 41], np.uint8)[HEAD])
    assert np.array_equal(understand(tmp_path / "map.nii.gz", "aseg").voxels, HEAD)


def test_an_output_made_by_another_table_is_not_taken_for_this_one(
    tmp_path: Path, paint: Painting
) -> None:
    save(tmp_path / "map.nii.gz", BIDS_OF[HEAD])
    table = tmp_path / "t.tsv"
    table.write_text("index\ttissue\n1\tGM\n2\tWM\n3\tCSF\n")
    assert paint("map.nii.gz", "--labels", "t.tsv").returncode == 0
    assert "skipped" in paint("map.nii.gz", "--labels", "t.tsv").stderr
    table.write_text("index\ttissue\n1\tGM\n2\tCSF\n3\tCSF\n")
    process = paint("map.nii.gz", "--labels", "t.tsv")
    assert process.returncode == 1
    assert "found one with another source_labels" in process.stderr


# Asked about


@pytest.mark.parametrize(
    "name",
    [
        "sub-01_dseg.nii.gz",
        "sub-01_sess-d0105_T1w_dseg.nii.gz",
        "sub-01_ses-1_space-MNI_desc-x_dseg.nii.gz",
        "sub-01_label-tissue_dseg.nii",
    ],
)
@pytest.mark.parametrize(("labels", "label_set"), [(HEAD, "oasis"), (BIDS_OF[HEAD], "bids")])
def test_a_dseg_that_can_be_read_in_two_ways_is_refused(
    tmp_path: Path, name: str, labels: Array, label_set: str
) -> None:
    path = save(tmp_path / "anat4" / name, labels)
    line = (
        f"{name}: expected a *_dseg.tsv or a BIDS dataset that says what its values mean, "
        "found neither: they may be"
    )
    with pytest.raises(OasisGanError) as caught:
        understand(path)
    assert line in str(caught.value)
    ways = (
        "1 GM, 2 WM, 3 CSF (bids), or 1 CSF, 2 GM, 3 WM (oasis); "
        "say `labels` bids or `labels` oasis"
    )
    assert ways in str(caught.value)
    assert np.array_equal(understand(path, label_set).voxels, HEAD)


def test_run_and_check_refuse_an_ambiguous_dseg_with_the_same_line(
    tmp_path: Path, paint: Painting
) -> None:
    save(tmp_path / "d/sub-01_dseg.nii.gz", HEAD)
    save(tmp_path / "d/sub-02_seg.nii.gz", HEAD)
    line = (
        "sub-01_dseg.nii.gz: expected a *_dseg.tsv or a BIDS dataset that says what its values "
        "mean, found neither:"
    )
    process = paint("d")
    assert process.returncode == 1
    assert line in process.stderr
    assert_painted_right(tmp_path / "out")
    checked = oasis_gan("check", "d", "--format", "tsv", cwd=tmp_path)
    assert checked.returncode == 1
    assert line in checked.stdout


@pytest.mark.parametrize(
    ("labels", "suggested"),
    [
        (BIDS_OF[HEAD], "`labels` bids or `labels` oasis"),
        (np.array([0, 0, 3, 2], np.uint8)[HEAD], "`labels` freesurfer or `labels` oasis"),
        (np.array([0, 1, 3, 2], np.uint8)[HEAD], "`labels` oasis"),
        (np.array([0, 3, 2, 1], np.uint8)[HEAD], "`labels` oasis"),
    ],
)
def test_tissues_that_lie_as_in_no_head_are_refused(
    tmp_path: Path, labels: Array, suggested: str
) -> None:
    path = save(tmp_path / "seg.nii.gz", labels)
    with pytest.raises(
        OasisGanError, match=r"seg\.nii\.gz: expected white matter within grey matter"
    ) as caught:
        understand(path)
    assert f"say what they mean: {suggested}, or a table of your own" in str(caught.value)
    assert np.array_equal(understand(path, "oasis").voxels, labels)


def test_a_dseg_of_a_dataset_that_lies_as_in_no_head_is_refused(
    tmp_path: Path, paint: Painting
) -> None:
    dseg = fmriprep(tmp_path / "ds")
    # As older derivatives have it: the values of FAST, and no table.
    save(dseg, HEAD.astype(np.float32))
    line = (
        "expected white matter within grey matter, if the values are 1 GM, 2 WM, 3 CSF (bids), "
        "found white matter"
    )
    for source in ("ds", "ds/derivatives/fmriprep/sub-01/anat/sub-01_dseg.nii.gz"):
        with pytest.raises(OasisGanError) as caught:
            understand(tmp_path / source)
        assert line in str(caught.value)
        assert "say what they mean: `labels` oasis or `labels` bids, or a table of your own" in str(
            caught.value
        )
        assert np.array_equal(understand(tmp_path / source, "oasis").voxels, HEAD)
        assert oasis_gan("check", source, cwd=tmp_path).returncode == 1
    assert paint("ds").returncode == 1
    assert not list((tmp_path / "out").glob("*.nii.gz"))


def test_a_dseg_of_a_dataset_with_nan_around_the_head_is_read_as_bids(tmp_path: Path) -> None:
    dseg = fmriprep(tmp_path / "ds")
    save(dseg, np.where(HEAD > 0, BIDS_OF[HEAD], np.nan).astype(np.float32))
    assert np.array_equal(understand(dseg).voxels, HEAD)


@pytest.mark.parametrize(
    "part",
    [
        HEAD,
        HEAD[25:],
        HEAD[:, :30],
        HEAD[:, :, 20:21],
        HEAD[10:40, 10:40, 10:40],
        np.where(HEAD == 1, 0, HEAD),
        np.random.default_rng(0).integers(0, 4, (40, 40, 40)).astype(np.uint8),
        np.full((5, 5, 5), 2, np.uint8),
    ],
)
def test_heads_halves_crops_slices_and_small_maps_are_read_as_they_are(
    tmp_path: Path, part: Array
) -> None:
    assert np.array_equal(understand(save(tmp_path / "seg.nii.gz", part)).voxels, part)


@pytest.mark.parametrize("value", [1, 2, 3, 255])
def test_a_brain_mask_is_no_tissue_map(tmp_path: Path, value: int) -> None:
    save(tmp_path / "mask.nii.gz", np.where(HEAD > 0, value, 0).astype(np.uint8))
    line = (
        f"mask.nii.gz: expected a label map of several tissues, found nothing but {value}: a mask?"
    )
    with pytest.raises(OasisGanError, match=re.escape(line)):
        understand(tmp_path / "mask.nii.gz")
    checked = oasis_gan("check", "mask.nii.gz", "--format", "tsv", cwd=tmp_path)
    assert checked.returncode == 1
    assert line in checked.stdout
    (tmp_path / "t.tsv").write_text(f"index\ttissue\n{value}\tGM\n")
    assert understand(tmp_path / "mask.nii.gz", str(tmp_path / "t.tsv")).voxels.max() == 2


def test_the_greys_of_the_oasis_slices_are_known_in_any_format(tmp_path: Path) -> None:
    volume = understand(save(tmp_path / "seg.nii.gz", (HEAD * 85).astype(np.uint8)))
    assert volume.notes == ("labels converted from oasis-png to oasis",)
    assert np.array_equal(volume.voxels, HEAD)


@pytest.mark.parametrize(
    ("values", "fitting"),
    [
        ([0, 24, 42, 41], "they fit freesurfer: say --labels freesurfer"),
        ([0, 24, 2012, 41], "they fit freesurfer-aparc: say --labels freesurfer-aparc"),
        ([0, 24, 12118, 41], "they fit freesurfer-a2009s: say --labels freesurfer-a2009s"),
        ([0, 4, 2, 3], "neurite-seg4"),
    ],
)
def test_values_of_another_set_are_refused_with_its_name(
    tmp_path: Path, paint: Painting, values: list[int], fitting: str
) -> None:
    save(tmp_path / "seg.nii.gz", np.array(values, np.int32)[HEAD])
    for process in (
        paint("seg.nii.gz"),
        oasis_gan("check", "seg.nii.gz", "--format", "tsv", cwd=tmp_path),
    ):
        assert process.returncode == 1
        assert fitting in process.stderr + process.stdout


def test_values_of_parcels_under_aseg_point_to_the_set_that_has_them(tmp_path: Path) -> None:
    path = save(tmp_path / "seg.nii.gz", np.array([0, 24, 1035, 41], np.int32)[HEAD])
    fitting = "expected labels of freesurfer, found 1035; they fit freesurfer-aparc: say "
    with pytest.raises(OasisGanError, match=f"{fitting}`labels` freesurfer-aparc"):
        understand(path, "freesurfer")
    checked = oasis_gan("check", path, "--labels", "freesurfer", "--format", "tsv", cwd=tmp_path)
    assert f"{fitting}--labels freesurfer-aparc" in checked.stdout


# The reference of --like


LIKE = np.array([0, 100, 210, 320], np.float32)


@pytest.fixture
def anchored(tmp_path: Path, paint_plugin: Path) -> Painting:
    """Return ``oasis-gan run ... --out out`` with a model whose contrast is anchored on tissues."""
    text = paint_plugin.read_text().replace(
        "Window((0, 1000), (0, 1))", "Window((0, 10, 20, 30, 45), (0, 0.3, 0.55, 0.75, 1))"
    )
    (tmp_path / "anchored.py").write_text(text)

    def run(*words: object, **options: Any) -> subprocess.CompletedProcess[str]:  # noqa: ANN401
        model = ("--plugin", "anchored.py", "--model", "paint", "--out", "out")
        return oasis_gan("run", *words, *model, cwd=tmp_path, **options)

    return run


@pytest.mark.parametrize(
    ("name", "values", "words"),
    [
        ("ref_seg.nii.gz", [0, 1, 2, 3], ()),
        ("ref_seg.nii.gz", [0, 3, 1, 2], ("--like-label-set", "bids")),
        ("ref_seg.nii.gz", [0, 24, 42, 41], ("--like-label-set", "aseg")),
        ("ref_seg.nii.gz", [0, 7, 8, 9], ("--like-label-set", "ref.tsv")),
        ("aseg.nii.gz", [0, 24, 42, 41], ()),
        ("seg4.nii.gz", [0, 4, 1, 3], ()),
        ("ds/sub-01/anat/sub-01_dseg.nii.gz", [0, 3, 1, 2], ()),
    ],
)
def test_the_label_map_of_a_reference_is_understood_as_a_source_is(
    tmp_path: Path, anchored: Painting, name: str, values: list[int], words: tuple[str, ...]
) -> None:
    describe(tmp_path / "ds")
    save(tmp_path / "map.nii.gz", HEAD)
    save(tmp_path / "ref.nii.gz", LIKE[HEAD] + NOISE)
    save(tmp_path / name, np.array(values, np.uint8)[HEAD])
    (tmp_path / "ref.tsv").write_text("index\ttissue\n7\tCSF\n8\tGM\n9\tWM\n")
    process = anchored("map.nii.gz", "--like", "ref.nii.gz", "--like-labels", name, *words)
    assert process.returncode == 0, process.stderr
    made = np.asarray(nib.Nifti1Image.from_filename(tmp_path / "out/map_synthT1w.nii.gz").dataobj)
    for tissue in (1, 2, 3):
        assert made[tissue == HEAD].mean() == pytest.approx(LIKE[tissue], rel=0.1)


@pytest.mark.parametrize(
    ("name", "values", "complaint"),
    [
        ("ref_seg.nii.gz", [0, 24, 42, 41], "they fit freesurfer: say --like-label-set freesurfer"),
        (
            "ref_seg.nii.gz",
            [0, 3, 1, 2],
            "say what they mean: --like-label-set bids or --like-label-set oasis",
        ),
        ("sub-01_dseg.nii.gz", [0, 3, 1, 2], "say --like-label-set bids or --like-label-set oasis"),
        ("ref_seg.nii.gz", [0, 100, 200, 231], "or say with --like-label-set what they mean"),
        ("seg24.nii.gz", [0, 1, 2, 3], "found seg24"),
    ],
)
def test_what_is_wrong_with_the_label_map_of_a_reference_names_it_and_its_option(
    tmp_path: Path, anchored: Painting, name: str, values: list[int], complaint: str
) -> None:
    save(tmp_path / "map.nii.gz", HEAD)
    save(tmp_path / "ref.nii.gz", LIKE[HEAD] + NOISE)
    save(tmp_path / name, np.array(values, np.uint8)[HEAD])
    process = anchored("map.nii.gz", "--like", "ref.nii.gz", "--like-labels", name)
    assert process.returncode == 2
    assert process.stderr.startswith(f"oasis-gan: {name}: expected")
    assert complaint in process.stderr
    assert "--labels" not in process.stderr
    assert not (tmp_path / "out").exists()


def test_a_label_set_for_a_reference_without_a_label_map_is_refused(
    tmp_path: Path, paint: Painting
) -> None:
    save(tmp_path / "map.nii.gz", HEAD)
    process = paint("map.nii.gz", "--like", "map.nii.gz", "--like-label-set", "bids")
    assert process.returncode == 2
    assert "--like-label-set: expected --like-labels beside it, found none" in process.stderr


# Structures beyond the three tissues


def test_ants_with_a_proper_table_is_read_whole(tmp_path: Path) -> None:
    six = HEAD.copy()
    six[:, :20][HEAD[:, :20] == 2] = 6
    six[:, 20:24][HEAD[:, 20:24] == 2] = 4
    six[:, 20:24][HEAD[:, 20:24] == 3] = 5
    save(tmp_path / "sub-01_dseg.nii.gz", six)
    names = ("CSF", "Cortical GM", "WM", "Deep GM", "Brain Stem", "Cerebellum")
    rows = "".join(f"{value}\t{name}\n" for value, name in enumerate(names, start=1))
    (tmp_path / "sub-01_dseg.tsv").write_text(f"index\tname\n{rows}")
    volume = understand(tmp_path / "sub-01_dseg.nii.gz")
    assert "Cerebellum counts as GM, its white matter included" in volume.notes
    assert np.array_equal(volume.voxels, HEAD)


@pytest.mark.parametrize(
    ("label_set", "values", "outside"),
    [
        ("bids", BIDS_OF, (4, "Bone")),
        ("freesurfer", np.array([0, 24, 42, 41], np.uint8), (165, "Skull")),
    ],
)
def test_what_lies_outside_the_brain_becomes_background_with_a_note(
    tmp_path: Path, label_set: str, values: Array, outside: tuple[int, str]
) -> None:
    value, name = outside
    labels = values[HEAD].astype(np.int16)
    labels[:2, :2, :2] = value
    save(tmp_path / "seg.nii.gz", labels)
    volume = understand(tmp_path / "seg.nii.gz", label_set)
    assert f"8 voxels outside the brain are taken as background: {name}" in volume.notes
    assert np.array_equal(volume.voxels, HEAD)


@pytest.mark.parametrize(("value", "name"), [(25, "Left-Lesion"), (29, "Left-undetermined")])
def test_a_structure_of_no_tissue_is_named_with_the_remedy(
    tmp_path: Path, value: int, name: str
) -> None:
    save(tmp_path / "seg.nii.gz", np.array([0, 24, 42, value], np.int16)[HEAD])
    found = f"found {value} {name}; name another label set, or give `labels` a table of your own"
    with pytest.raises(OasisGanError, match=found):
        understand(tmp_path / "seg.nii.gz", "freesurfer")


@pytest.mark.parametrize(
    ("value", "tissue"), [(9, 2), (34, 3), (136, 2), (192, 3), (19, 2), (257, 1)]
)
def test_rare_structures_of_freesurfer_have_their_tissue(
    tmp_path: Path, value: int, tissue: int
) -> None:
    values = np.array([0, 24, 42, 41], np.int16)
    values[tissue] = value
    path = save(tmp_path / "seg.nii.gz", values[HEAD])
    assert np.array_equal(understand(path, "freesurfer").voxels, HEAD)


def test_seg24_is_refused_by_name(tmp_path: Path, paint: Painting) -> None:
    folder = tmp_path / "n/OASIS_OAS1_0001_MR1"
    save(folder / "slice_seg24.nii.gz", HEAD[:, :, 20:21])
    save(folder / "seg24.nii.gz", HEAD)
    for words in (("n", "--source-suffix", "slice_seg24"), (folder / "seg24.nii.gz",)):
        process = paint(*words)
        assert process.returncode == 1
        assert (
            "expected label maps of a published label set (seg4 or seg35), found seg24"
            in process.stderr
        )


# Beside an MRI


@pytest.mark.parametrize("stem", ["t1", "image"])
def test_labels_that_contradict_the_mri_are_found(tmp_path: Path, stem: str) -> None:
    """Half the size, so that the tissues are not judged by how they lie."""
    coarse = np.s_[::2, ::2, ::2]
    save(tmp_path / "d/a_seg.nii.gz", BIDS_OF[HEAD][coarse], 6.0)
    save(tmp_path / f"d/a_{stem}.nii.gz", MRI[coarse], 6.0)
    words = ("d", "--source-suffix", "_seg.nii.gz", "--target-suffix", f"_{stem}.nii.gz")
    checked = oasis_gan("check", *words, "--format", "tsv", cwd=tmp_path)
    assert checked.returncode == 1
    assert (
        "the labels contradict the MRI, whose mean intensities are CSF 550, GM 750, WM 300"
        in checked.stdout
    )
    assert "say so with --labels bids" in checked.stdout
    (tmp_path / "tiny.toml").write_text('contrast = "robust"\n' + TINY)
    trained = oasis_gan("train", *words, "--recipe", "tiny.toml", "--out", "m", cwd=tmp_path)
    assert trained.returncode != 0
    assert "left out a: reject - the labels contradict the MRI" in trained.stderr
    right = oasis_gan("check", *words, "--labels", "bids", "--format", "tsv", cwd=tmp_path)
    assert right.returncode == 0, right.stdout


@pytest.mark.parametrize(
    ("name", "greys", "verdict"),
    [
        ("t1", [0, 300, 550, 750], "accept"),
        ("t2", [0, 900, 550, 350], "accept"),
        ("pd", [0, 900, 650, 550], "accept"),
        ("flair", [0, 100, 750, 550], "accept"),
        ("mri", [0, 100, 750, 550], "warn"),
        ("t1", [0, 900, 550, 350], "warn"),
        ("mri", [0, 560, 550, 555], "accept"),
    ],
)
def test_each_contrast_allows_its_own_orders_of_tissues(
    tmp_path: Path, name: str, greys: list[float], verdict: str
) -> None:
    save(tmp_path / "d/a_seg.nii.gz", HEAD)
    noise = np.random.default_rng(0).normal(0, 5, SHAPE) * (HEAD > 0)
    save(tmp_path / f"d/a_{name}.nii.gz", (np.array(greys)[HEAD] + noise).astype(np.float32))
    words = ("d", "--source-suffix", "_seg.nii.gz", "--target-suffix", f"_{name}.nii.gz")
    process = oasis_gan("check", *words, "--format", "json", cwd=tmp_path)
    (record,) = json.loads(process.stdout)
    assert np.allclose(record["figures"]["tissue_means"], greys[1:], atol=1)
    assert (record["verdict"] == verdict) or (
        verdict == "accept" and "contradict" not in record["message"]
    )


def test_labels_is_about_the_targets_if_the_sources_are_images(tmp_path: Path) -> None:
    save(tmp_path / "d/a_seg.nii.gz", np.array([0, 24, 42, 41], np.uint8)[HEAD])
    save(tmp_path / "d/a_t1.nii.gz", MRI + NOISE)
    words = (
        "d",
        "--source-suffix",
        "_t1.nii.gz",
        "--target-suffix",
        "_seg.nii.gz",
        "--labels",
        "aseg",
    )
    checked = oasis_gan("check", *words, "--source-is", "image", cwd=tmp_path)
    assert checked.returncode == 0, checked.stdout
    (tmp_path / "tiny.toml").write_text('source = "image"\ntarget = "labels"\n' + TINY)
    trained = oasis_gan("train", *words, "--recipe", "tiny.toml", "--out", "m", cwd=tmp_path)
    assert trained.returncode == 0, trained.stderr
    assert "labels converted from freesurfer to oasis" in trained.stderr


def test_thousands_of_files_in_one_folder_are_looked_up_in_seconds(tmp_path: Path) -> None:
    for number in range(4000):
        (tmp_path / f"sub-{number:05}_dseg.nii.gz").touch()
        (tmp_path / f"sub-{number:05}_dseg.tsv").write_text(TSV)
    finder = LabelSetFinder()
    began = time.process_time()
    assert finder.find(tmp_path / "sub-00007_dseg.nii.gz") is not None
    for number in range(4000):
        finder.find(tmp_path / f"sub-{number:05}_dseg.nii.gz")
    assert time.process_time() - began < 10
