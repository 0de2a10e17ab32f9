"""The BIDS reader finds the label maps of a dataset, and pairs each with its own T1w."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kit.tool import oasis_gan
from oasis_gan_bids import oasis_gan_datasets

from oasis_gan import OASIS, Dataset, OasisGanError, Selection, Subject, convert
from oasis_gan.testing import DatasetContract

BIDS: Dataset = next(iter(oasis_gan_datasets()))
TISSUES = "index\tname\n0\tBackground\n1\tCSF\n2\tGM\n3\tWM\n"
AFFINES = {"scan": np.diag([-1.0, 1.2, 2.0, 1.0]), "MNI": np.diag([2.0, 2.0, 2.0, 1.0])}

Save = Callable[..., Path]


@pytest.fixture
def ds(tmp_path: Path) -> Path:
    """Return a dataset without participants."""
    return describe(tmp_path / "ds")


@pytest.fixture
def save(ds: Path) -> Save:
    """Return a function that puts a volume into the dataset, filled with a value of its own."""

    def write(path: str, value: int = 1, space: str = "scan") -> Path:
        return save_volume(ds / path, value, space)

    return write


def describe(folder: Path, **fields: object) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    description = {"Name": "A stand-in", "BIDSVersion": "1.10.0", **fields}
    (folder / "dataset_description.json").write_text(json.dumps(description))
    return folder


def save_volume(path: Path, value: int = 1, space: str = "scan") -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(np.full((3, 4, 5), value, np.uint8), AFFINES[space]), path)
    return path


def oasis3(root: Path) -> Path:
    """Make a dataset like OASIS-3: sessions, runs, and a derivative with label maps."""
    describe(root)
    derivative = describe(root / "derivatives/fast", DatasetType="derivative")
    (derivative / "dseg.tsv").write_text(TISSUES)
    for visit in ("OAS30001/d0129", "OAS30001/d2430", "OAS30002/d0371"):
        sub, ses = visit.split("/")
        for run in ("01", "02"):
            stem = f"sub-{sub}/ses-{ses}/anat/sub-{sub}_ses-{ses}_run-{run}"
            save_volume(root / f"{stem}_T1w.nii.gz", int(run))
            (root / f"{stem}_T1w.json").write_text("{}")
            save_volume(derivative / f"{stem}_dseg.nii.gz")
    return root


def subjects(root: Path, **requested: object) -> list[Subject]:
    return list(BIDS.open(Selection(root, **requested)))  # type: ignore[arg-type]


def targets(root: Path, **requested: object) -> dict[str, int]:
    """Return the value that fills each subject's target."""
    return {
        subject.name: int(subject.read_both()[1].voxels[0, 0, 0])
        for subject in subjects(root, **requested)
    }


class TestTranslating(DatasetContract):
    """The contract, with label maps alone."""

    @pytest.fixture
    def dataset(self) -> Dataset:
        return BIDS

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(oasis3(tmp_path / "OASIS3"))


class TestPairs(TestTranslating):
    """The contract, with T1w asked for by their names."""

    @pytest.fixture
    def selection(self, tmp_path: Path) -> Selection:
        return Selection(oasis3(tmp_path / "OASIS3"), target_suffix="_T1w.nii.gz")


# Which files


def test_a_subject_names_its_participant_and_session(tmp_path: Path) -> None:
    first, *_ = subjects(oasis3(tmp_path / "OASIS3"))
    assert first.entities["sub"] == "OAS30001"
    assert first.entities["ses"] == "d0129"
    assert "run" in first.entities


def test_label_maps_are_named_by_their_entities_and_mean_what_the_table_says(
    tmp_path: Path,
) -> None:
    found = subjects(oasis3(tmp_path))
    assert [subject.name for subject in found] == [
        "sub-OAS30001_ses-d0129_run-01",
        "sub-OAS30001_ses-d0129_run-02",
        "sub-OAS30001_ses-d2430_run-01",
        "sub-OAS30001_ses-d2430_run-02",
        "sub-OAS30002_ses-d0371_run-01",
        "sub-OAS30002_ses-d0371_run-02",
    ]
    for subject in found:
        assert subject.source.labels is not None
        assert subject.source.labels.labels == OASIS.labels
        assert subject.source.read().notes == ()


@pytest.mark.parametrize(
    ("requested", "names"),
    [
        (
            {"participants": ("OAS30002",)},
            ["sub-OAS30002_ses-d0371_run-01", "sub-OAS30002_ses-d0371_run-02"],
        ),
        (
            {"sessions": ("d2430", "d0371"), "source_suffix": "run-02_dseg.nii.gz"},
            ["sub-OAS30001_ses-d2430", "sub-OAS30002_ses-d0371"],
        ),
        (
            {"sessions": ("d0129",), "source_suffix": "run-01_T1w.nii.gz"},
            ["sub-OAS30001_ses-d0129"],
        ),
    ],
)
def test_participants_sessions_and_suffixes_choose(
    tmp_path: Path, requested: dict[str, object], names: list[str]
) -> None:
    assert [subject.name for subject in subjects(oasis3(tmp_path), **requested)] == names


@pytest.mark.parametrize(
    ("requested", "message"),
    [
        (
            {"participants": ("OAS30001", "OAS39999")},
            "`participants`: expected one of OAS30001, OAS30002, found",
        ),
        ({"sessions": ("d1",)}, "`sessions`: expected one of d0129, d0371, d2430, found d1"),
        (
            {"participants": ("OAS30002",), "sessions": ("d0129",)},
            "expected files named .*, found none",
        ),
        ({"source_suffix": "_seg.nii.gz"}, r"expected files named \*_seg\.nii\.gz, found none"),
    ],
)
def test_what_is_not_there_is_named(
    tmp_path: Path, requested: dict[str, object], message: str
) -> None:
    with pytest.raises(OasisGanError, match=message):
        subjects(oasis3(tmp_path), **requested)


def test_two_derivatives_with_the_same_are_refused_until_one_is_named(ds: Path, save: Save) -> None:
    save("sub-01/anat/sub-01_T1w.nii.gz", 7)
    for pipeline in ("fast", "synthseg"):
        save(f"derivatives/{pipeline}/sub-01/anat/sub-01_dseg.nii.gz")
    message = (
        "expected one derivative with such files of sub-01, "
        "found derivatives/fast and derivatives/synthseg; name one"
    )
    with pytest.raises(OasisGanError, match=message):
        subjects(ds)
    assert targets(ds / "derivatives/fast") == {"sub-01": 7}


def test_derivatives_may_share_out_the_participants(ds: Path, save: Save) -> None:
    for sub, pipeline in (("01", "fast"), ("02", "manual")):
        save(f"derivatives/{pipeline}/sub-{sub}/anat/sub-{sub}_dseg.nii.gz")
    assert [subject.name for subject in subjects(ds)] == ["sub-01", "sub-02"]


def test_files_that_are_not_named_as_in_bids_are_passed_over(ds: Path, save: Save) -> None:
    save("derivatives/fast/sub-01/anat/sub-01_dseg.nii.gz")
    for other in (
        "derivatives/fast/sub-01/anat/sub-01-b_dseg.nii.gz",
        "derivatives/fast/sub-01/anat/sub-01_%s<b>_dseg.nii.gz",
        "derivatives/fast/sub-01/anat/._sub-01_dseg.nii.gz",
        "derivatives/fast/sub-01/.git/sub-01_dseg.nii.gz",
        "derivatives/fast/group_dseg.nii.gz",
        "sourcedata/sub-01/anat/sub-01_dseg.nii.gz",
    ):
        save(other)
    assert [subject.name for subject in subjects(ds)] == ["sub-01"]


def test_links_in_circles_are_not_followed(ds: Path, save: Save) -> None:
    save("derivatives/fast/sub-01/anat/sub-01_dseg.nii.gz")
    for loop in ("sub-01", "derivatives/loop", "derivatives/fast/sub-01/anat/sub-02"):
        (ds / loop).symlink_to(ds)
    assert len(subjects(ds)) == 1


def test_linked_participants_count_like_any_other(tmp_path: Path, ds: Path, save: Save) -> None:
    for sub in ("01", "02", "03"):
        save(f"sub-{sub}/anat/sub-{sub}_dseg.nii.gz")
    for sub in ("01", "02"):
        (ds / f"sub-{sub}").rename(tmp_path / f"disk-{sub}")
        (ds / f"sub-{sub}").symlink_to(tmp_path / f"disk-{sub}")
    assert BIDS.recognises(ds)
    assert [subject.name for subject in subjects(ds)] == ["sub-01", "sub-02", "sub-03"]
    assert [subject.name for subject in subjects(ds, participants=("01",))] == ["sub-01"]


def fmriprep(ds: Path, save: Save) -> Path:
    """Make what fMRIPrep leaves: label maps of the anatomy, and a coarse copy for each run."""
    save("sub-01/anat/sub-01_T1w.nii.gz")
    derivative = "derivatives/fmriprep/sub-01"
    save(f"{derivative}/anat/sub-01_dseg.nii.gz")
    save(f"{derivative}/anat/sub-01_desc-preproc_T1w.nii.gz", 2)
    save(f"{derivative}/anat/sub-01_desc-aparcaseg_dseg.nii.gz")
    for run in ("1", "2"):
        stem = f"{derivative}/func/sub-01_task-rest_run-{run}_space-T1w"
        save(f"{stem}_desc-aparcaseg_dseg.nii.gz", 1, "MNI")
        save(f"{stem}_boldref.nii.gz", 1, "MNI")
    return ds / "derivatives/fmriprep"


def test_copies_that_lie_with_functional_data_are_no_subjects(ds: Path, save: Save) -> None:
    derivative = fmriprep(ds, save)
    for root in (ds, derivative, derivative / "sub-01"):
        assert [subject.name for subject in subjects(root)] == ["sub-01_desc-aparcaseg", "sub-01"]
        assert len(subjects(root, source_suffix="_desc-aparcaseg_dseg.nii.gz")) == 1


def test_copies_that_lie_with_functional_data_are_used_if_they_are_named(
    ds: Path, save: Save
) -> None:
    derivative = fmriprep(ds, save)
    copies = [f"sub-01_task-rest_run-{run}_space-T1w_desc-aparcaseg" for run in "12"]
    assert [subject.name for subject in subjects(derivative / "sub-01/func")] == copies
    suffix = "_space-T1w_desc-aparcaseg_dseg"
    assert [subject.name for subject in subjects(ds, source_suffix=suffix)] == [
        name[:22] for name in copies
    ]
    assert len(subjects(ds, source_suffix="_boldref.nii.gz")) == 2


def test_where_only_functional_copies_are_there_their_folder_is_named(ds: Path, save: Save) -> None:
    save("sub-01/func/sub-01_task-rest_desc-aseg_dseg.nii.gz")
    with pytest.raises(
        OasisGanError,
        match=r"expected dseg of the anatomy, found 1 with other data, such as sub-01/f",
    ):
        subjects(ds)


def test_the_folder_of_a_participant_or_a_session_may_be_named(tmp_path: Path) -> None:
    derivative = oasis3(tmp_path) / "derivatives/fast"
    names = [f"sub-OAS30001_ses-d0129_run-{run}" for run in ("01", "02")]
    for folder in ("sub-OAS30001/ses-d0129", "sub-OAS30001/ses-d0129/anat"):
        assert [subject.name for subject in subjects(derivative / folder)] == names
    assert len(subjects(derivative / "sub-OAS30001")) == 4


def oasis3_download(root: Path) -> Path:
    """Make the tree in which OASIS-3 is handed out: a folder for each visit, sess- for ses-."""
    for visit in ("OAS31462_MR_d0105", "OAS31462_MR_d0364", "OAS31463_MR_d0001"):
        sub, _, day = visit.split("_")
        for folder, suffix in (("anat2", "T1w"), ("anat3", "dseg")):
            save_volume(
                root / visit / folder / f"sub-{sub}_sess-{day}_{suffix}.nii.gz", int(day[1:]) % 200
            )
    return root


@pytest.mark.parametrize("described", [True, False])
def test_oasis3_is_found_and_paired_as_it_is_downloaded(tmp_path: Path, described: bool) -> None:
    root = oasis3_download(tmp_path / "OASIS3")
    if described:
        describe(root)
    assert targets(root) == {
        "sub-OAS31462_sess-d0105": 105,
        "sub-OAS31462_sess-d0364": 164,
        "sub-OAS31463_sess-d0001": 1,
    }
    assert list(targets(root, sessions=("d0364",))) == ["sub-OAS31462_sess-d0364"]
    assert list(targets(root, participants=("OAS31463",))) == ["sub-OAS31463_sess-d0001"]
    assert list(targets(root / "OAS31462_MR_d0105")) == ["sub-OAS31462_sess-d0105"]


def test_a_session_is_chosen_whichever_way_it_is_spelt(ds: Path, save: Save) -> None:
    save("sub-01/ses-d0105/anat/sub-01_sess-d0105_dseg.nii.gz")
    save("sub-01/ses-d0105/anat/sub-01_ses-d0105_T1w.nii.gz", 5)
    save("sub-01/ses-d0364/anat/sub-01_ses-d0364_dseg.nii.gz")
    assert targets(ds, sessions=("d0105",)) == {"sub-01_sess-d0105": 5}
    assert [subject.name for subject in subjects(ds, sessions=("D0364",))] == ["sub-01_ses-d0364"]


def test_labels_of_participants_are_matched_without_case_unless_that_is_ambiguous(
    ds: Path, save: Save
) -> None:
    for sub in ("A1", "a1", "Bob"):
        save(f"sub-{sub}/anat/sub-{sub}_dseg.nii.gz")
    assert [subject.name for subject in subjects(ds, participants=("BOB", "a1"))] == [
        "sub-Bob",
        "sub-a1",
    ]
    save("sub-BOB/anat/sub-BOB_dseg.nii.gz")
    with pytest.raises(
        OasisGanError, match="`participants`: expected one of BOB, Bob, found bob; use the names"
    ):
        subjects(ds, participants=("a1", "bob"))


# What the labels mean


@pytest.mark.parametrize(
    ("table", "labels"),
    [
        (
            "index\tname\n1\tGray Matter\n2\twhite_matter\n3\tCerebrospinal fluid\n",
            {1: "GM", 2: "WM", 3: "CSF"},
        ),
        ("index\tname\tabbreviation\n3\tLiquor\tCSF\n9\tRinde\tGM\n", {3: "CSF", 9: "GM"}),
        (
            "index\tname\tmapping\n100\tsubstantia grisea\t1\n101\tpons\t\n",
            {100: "GM", 101: "pons"},
        ),
        ("\ufeffindex\tname\n8\tLeft-Cerebellum-Cortex\r\n47\tRight-Cerebellum-Cortex\r\n", None),
        ("index\tname\n1\tlesion\n2\tlesion\n", {1: "lesion (1)", 2: "lesion (2)"}),
    ],
)
def test_tissues_get_the_names_that_label_sets_share(
    ds: Path, save: Save, table: str, labels: dict[int, str] | None
) -> None:
    path = save("derivatives/fast/sub-01/anat/sub-01_dseg.nii.gz")
    path.with_name("sub-01_dseg.tsv").write_text(table, encoding="utf-8", newline="")
    (subject,) = subjects(ds)
    assert subject.source.labels is not None
    labels = labels or {8: "Left-Cerebellum-Cortex", 47: "Right-Cerebellum-Cortex"}
    assert {label.value: label.name for label in subject.source.labels.labels} == labels


def test_the_nearest_table_with_no_entity_of_its_own_counts(ds: Path, save: Save) -> None:
    for stem in ("sub-01_desc-aseg", "sub-01_desc-tissue", "sub-01"):
        save(f"derivatives/p/sub-01/anat/{stem}_dseg.nii.gz")
    for name, label in (
        ("dseg.tsv", "far"),
        ("derivatives/p/dseg.tsv", "all"),
        ("derivatives/p/desc-aseg_dseg.tsv", "aseg"),
        ("derivatives/p/sub-01/anat/sub-01_desc-tissue_dseg.tsv", "own"),
        ("derivatives/p/sub-02/dseg.tsv", "others"),
    ):
        (ds / name).parent.mkdir(exist_ok=True, parents=True)
        (ds / name).write_text(f"index\tname\n1\t{label}\n")
    meant = {
        subject.name: subject.source.labels.labels[0].name
        for subject in subjects(ds)
        if subject.source.labels
    }
    assert meant == {"sub-01_desc-aseg": "aseg", "sub-01_desc-tissue": "own", "sub-01": "all"}


def test_without_a_table_labels_are_those_of_bids_and_a_note_says_so(ds: Path, save: Save) -> None:
    save("derivatives/fmriprep/sub-01/anat/sub-01_dseg.nii.gz", 3)
    (subject,) = subjects(ds)
    assert subject.source.labels is not None
    volume = subject.source.read()
    assert volume.notes == (
        "no *_dseg.tsv says what the labels mean: "
        "taken for those common in BIDS, 1 GM, 2 WM, 3 CSF",
    )
    assert (
        convert(volume, subject.source.labels, OASIS, "x").voxels == OASIS.value_of("CSF")
    ).all()


@pytest.mark.parametrize(
    "table",
    ["", "index,name\n1,CSF\n", "index\tname\nx\tCSF\n", "index\tname\n1\n", "\0", "a\tb\n"],
)
def test_a_broken_table_fails_only_the_subjects_it_belongs_to(
    ds: Path, save: Save, table: str
) -> None:
    for sub in ("01", "02"):
        save(f"derivatives/p/sub-{sub}/anat/sub-{sub}_dseg.nii.gz")
    (ds / "derivatives/p/sub-01/anat/sub-01_dseg.tsv").write_text(table)
    broken, whole = subjects(ds)
    with pytest.raises(OasisGanError, match=r"sub-01_dseg\.tsv: expected a table of labels"):
        broken.source.read()
    assert whole.source.read().voxels.any()


@given(data=st.binary(max_size=300))
def test_random_tables_are_refused_or_read(tmp_path: Path, data: bytes) -> None:
    path = save_volume(describe(tmp_path / "ds") / "sub-01/anat/sub-01_dseg.nii.gz")
    path.with_name("sub-01_dseg.tsv").write_bytes(data)
    (subject,) = subjects(tmp_path / "ds")
    try:
        subject.source.read()
    except OasisGanError as error:
        assert str(error).isprintable()


# Pairs


def test_a_label_map_goes_with_the_t1w_of_its_visit_and_run(tmp_path: Path) -> None:
    assert list(targets(oasis3(tmp_path)).values()) == [1, 2] * 3


def test_a_run_is_a_number(ds: Path, save: Save) -> None:
    save("sub-01/anat/sub-01_run-1_T1w.nii.gz", 1)
    save("sub-01/anat/sub-01_run-2_T1w.nii.gz", 2)
    save("derivatives/fast/sub-01/anat/sub-01_run-02_dseg.nii.gz")
    assert list(targets(ds).values()) == [2]


def test_a_derivatives_own_t1w_comes_before_the_scan(ds: Path, save: Save) -> None:
    save("sub-01/anat/sub-01_T1w.nii.gz", 1)
    save("derivatives/fmriprep/sub-01/anat/sub-01_desc-preproc_T1w.nii.gz", 2)
    save("derivatives/fmriprep/sub-01/anat/sub-01_space-MNI_desc-preproc_T1w.nii.gz", 3, "MNI")
    save("derivatives/fmriprep/sub-01/anat/sub-01_dseg.nii.gz")
    save("derivatives/fmriprep/sub-01/anat/sub-01_space-MNI_dseg.nii.gz", 1, "MNI")
    assert targets(ds) == {"sub-01": 2, "sub-01_space-MNI": 3}


def test_a_label_map_in_another_space_goes_with_nothing(ds: Path, save: Save) -> None:
    save("sub-01/anat/sub-01_T1w.nii.gz")
    save("derivatives/fast/sub-01/anat/sub-01_space-MNI_dseg.nii.gz")
    (subject,) = subjects(ds)
    subject.source.read()
    message = (
        r"sub-01_space-MNI_dseg\.nii\.gz: expected a volume of the same scan in MNI, "
        r"found ds: sub-01_T1w\.nii\.gz"
    )
    with pytest.raises(OasisGanError, match=message):
        subject.read_both()


def test_a_label_map_on_another_grid_is_refused_by_name(ds: Path, save: Save) -> None:
    save("sub-01/anat/sub-01_T1w.nii.gz")
    save("derivatives/fast/sub-01/anat/sub-01_dseg.nii.gz", 1, "MNI")
    with pytest.raises(
        OasisGanError, match=r"sub-01_T1w\.nii\.gz: expected voxels in the same places"
    ):
        subjects(ds)[0].read_both()


def test_no_scan_is_chosen_if_two_match(ds: Path, save: Save) -> None:
    for run in ("1", "2"):
        save(f"sub-01/anat/sub-01_run-{run}_T1w.nii.gz", int(run))
    save("derivatives/fast/sub-01/anat/sub-01_dseg.nii.gz")
    with pytest.raises(
        OasisGanError, match=r"found ds: sub-01_run-1_T1w.* and ds: sub-01_run-2.*`target_suffix`"
    ):
        subjects(ds)[0].read_both()
    assert targets(ds, target_suffix="run-2_T1w.nii.gz") == {"sub-01": 2}


def test_a_visit_without_a_scan_can_be_translated_and_not_learnt_from(ds: Path, save: Save) -> None:
    save("sub-02/anat/sub-02_T1w.nii.gz")
    save("derivatives/fast/sub-01/anat/sub-01_dseg.nii.gz")
    (subject,) = subjects(ds)
    assert subject.source.read().voxels.any()
    with pytest.raises(OasisGanError, match="expected a target beside it, found none"):
        subject.read_both()


@pytest.mark.parametrize("nested", [True, False])
def test_a_derivative_finds_the_scans_above_it_or_where_the_user_says(
    tmp_path: Path, nested: bool
) -> None:
    raw = oasis3(tmp_path / "raw")
    derivative = raw / "derivatives/fast"
    if nested:
        assert list(targets(derivative).values()) == [1, 2] * 3
    else:
        moved = derivative.rename(tmp_path / "fast")
        assert all(subject.target is None for subject in subjects(moved))
        assert list(targets(moved, target_root=raw).values()) == [1, 2] * 3


# Whole datasets


def test_a_dataset_is_recognised_by_its_description(tmp_path: Path) -> None:
    root = oasis3(tmp_path / "ds")
    assert BIDS.recognises(root)
    assert BIDS.recognises(root / "derivatives/fast")
    assert not BIDS.recognises(root / "sub-OAS30001")
    assert not BIDS.recognises(root / "dataset_description.json")
    assert not BIDS.recognises(describe(tmp_path / "without participants"))
    (root / "dataset_description.json").unlink()
    assert not BIDS.recognises(root)
    assert len(subjects(root)) == 6


def test_a_description_is_not_read(ds: Path, save: Save) -> None:
    save("derivatives/fast/sub-01/anat/sub-01_dseg.nii.gz")
    (ds / "dataset_description.json").unlink()
    os.mkfifo(ds / "dataset_description.json")
    assert not BIDS.recognises(ds)
    assert len(subjects(ds)) == 1


def test_thousands_of_files_are_listed_in_seconds(tmp_path: Path) -> None:
    """None of them is opened: they are empty."""
    describe(tmp_path)
    for number in range(125):
        for folder, suffix in (("", "T1w"), ("derivatives/fast/", "dseg")):
            anat = tmp_path / f"{folder}sub-{number:04}/anat"
            anat.mkdir(parents=True)
            for run in range(1, 11):
                for ending in ("nii.gz", "json"):
                    (anat / f"sub-{number:04}_run-{run:02}_{suffix}.{ending}").touch()
    began = time.process_time()
    found = subjects(tmp_path)
    taken = time.process_time() - began
    assert len(found) == 1250
    assert all(subject.target is not None for subject in found)
    # Ten times what it takes: other things may run on the same cores.
    assert taken < 10


# End to end


def test_a_dataset_is_translated_without_naming_its_layout(
    tmp_path: Path, paint: Callable[..., Any]
) -> None:
    oasis3(tmp_path / "OASIS3")
    filters = ("--participant-label", "sub-OAS30001", "--session-label", "d2430")
    process = paint("OASIS3", *filters)
    assert process.returncode == 0, process.stderr
    assert process.stderr.startswith("reading OASIS3 as bids\n")
    names = [f"sub-OAS30001_ses-d2430_run-{run}" for run in ("01", "02")]
    assert process.stdout.split() == [f"out/{name}_synthT1w.nii.gz" for name in names]
    made = nib.Nifti1Image.from_filename(tmp_path / process.stdout.split()[0])
    np.testing.assert_allclose(made.affine, AFFINES["scan"], rtol=1e-6)
    # All of it is CSF.
    assert np.asarray(made.dataobj).max() == pytest.approx(300)


def test_label_maps_of_another_order_are_translated_as_what_they_are(
    ds: Path, save: Save, tmp_path: Path, paint: Callable[..., Any]
) -> None:
    save("derivatives/fmriprep/sub-01/anat/sub-01_dseg.nii.gz", 3)
    process = paint("ds")
    assert process.returncode == 0, process.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / process.stdout.strip())
    # 3 is CSF in BIDS and white matter in OASIS-1.
    assert np.asarray(made.dataobj).max() == pytest.approx(300)


def save_head(root: Path, sub: str, seed: int) -> None:
    """Add a participant with a random label map, and with a T1w that goes with it."""
    rng = np.random.default_rng(seed)
    labels = np.zeros((20, 22, 18), np.uint8)
    labels[2 : -2 - 4 * seed, 2 : -6 + 4 * seed, 2:-2] = 1
    labels[labels > 0] = rng.integers(1, 4, np.count_nonzero(labels))
    noise = rng.normal(0, 0.1, labels.shape) * (labels > 0)
    image = np.array([0, 30, 55, 75])[labels] + noise
    for path, voxels in (
        (f"derivatives/fast/sub-{sub}/anat/sub-{sub}_dseg.nii.gz", labels),
        (f"sub-{sub}/anat/sub-{sub}_T1w.nii.gz", image.astype(np.float32)),
    ):
        (root / path).parent.mkdir(parents=True)
        nib.save(nib.Nifti1Image(voxels, np.eye(4)), root / path)


def test_a_dataset_is_learnt_from(tmp_path: Path) -> None:
    root = describe(tmp_path / "ds")
    save_head(root, "01", seed=0)
    save_head(root, "02", seed=1)
    (root / "derivatives/fast/dseg.tsv").write_text(TISSUES)
    settings = (
        "steps=2",
        "size=16",
        "generator.levels=2",
        "generator.filters=4",
        "discriminator.receptive_field=16",
    )
    words = [
        "ds",
        "--validate",
        "sub-02",
        "--out",
        "model",
        *(word for value in settings for word in ("--set", value)),
    ]
    process = oasis_gan("train", *words, cwd=tmp_path)
    assert process.returncode == 0, process.stderr
    assert json.loads((tmp_path / "model/model.json").read_text())
    assert "left out" not in process.stderr
