"""Each output of a folder finds its label map and scan; a bad subject does not stop others."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.tool import oasis_gan

from oasis_gan.evaluation.cohort import estimate

Run = subprocess.CompletedProcess[str]
NAMES = ("sub-01", "sub-02", "sub-03")
PAIRS = ("--against", "heads", "--source-suffix", "_seg.nii.gz", "--target-suffix", "_t1.nii.gz")


def save(voxels: np.ndarray[Any, Any], path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, np.eye(4)), path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, paint_plugin: Path) -> Path:
    """Return a folder with three heads in several layouts; ``out`` holds their translations."""
    folder = tmp_path_factory.mktemp("cohort")
    for seed, name in enumerate(NAMES):
        labels, scan = make_head(seed)
        save(labels, folder / "heads" / f"{name}_seg.nii.gz")
        save(scan, folder / "heads" / f"{name}_t1.nii.gz")
        save(labels, folder / "labels" / f"{name}.nii.gz")
        save(scan, folder / "images" / f"{name}.nii.gz")
    shutil.copy(paint_plugin, folder / "paint.py")
    for source, out in (("heads", "out"), ("labels", "plain")):
        suffix = ("--source-suffix", "_seg.nii.gz") if source == "heads" else ()
        words = ("run", source, *suffix, "--plugin", "paint.py", "--model", "paint", "--out", out)
        done = oasis_gan(*words, cwd=folder)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def cohort(made: Path, tmp_path: Path) -> Path:
    """Return a copy of it, to change something in."""
    return Path(shutil.copytree(made, tmp_path / "cohort"))


def evaluate(folder: Path, *words: object) -> Run:
    return oasis_gan("evaluate", *words, cwd=folder)


def rows(done: Run) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(done.stdout), dialect="excel-tab"))


def totals(done: Run) -> dict[str, dict[str, str]]:
    return {row["subject"]: row for row in rows(done) if row["tissue"] == "total"}


def test_a_folder_ends_with_the_means_of_its_subjects_and_their_intervals(made: Path) -> None:
    done = evaluate(made, "out", *PAIRS)
    assert done.returncode == 0, done.stderr
    subjects, means = done.stdout.split("mean of 3 subjects")
    assert [name for name in NAMES if name not in subjects] == []
    assert "95% confidence intervals over subjects" in means
    assert means.count("PSNR (dB)") == 2


def test_each_output_is_compared_with_its_own_scan(made: Path) -> None:
    found = totals(evaluate(made, "out", *PAIRS, "--format", "tsv"))
    assert tuple(found) == NAMES
    for name in NAMES:
        words = (
            f"out/{name}_synthT1w.nii.gz",
            "--against",
            f"heads/{name}_t1.nii.gz",
            "--format",
            "tsv",
        )
        assert totals(evaluate(made, *words))[name] == found[name]


def test_json_of_a_cohort_holds_means_of_the_figures_of_its_subjects(made: Path) -> None:
    document = json.loads(
        evaluate(made, "out", *PAIRS, "--format", "json").stdout, parse_constant=pytest.fail
    )
    of_subjects = [subject["tissues"]["GM"]["matched"]["mae"] for subject in document["subjects"]]
    of_cohort = document["cohort"]["tissues"]["GM"]["matched"]["mae"]
    assert of_cohort["subjects"] == 3
    assert of_cohort["mean"] == pytest.approx(np.mean(of_subjects), rel=1e-5)
    assert (
        min(of_subjects)
        <= of_cohort["low"]
        < of_cohort["mean"]
        < of_cohort["high"]
        <= max(of_subjects)
    )
    # Paint has no correlation within a tissue.
    assert document["cohort"]["tissues"]["GM"]["raw"]["ncc"] == {
        "subjects": 0,
        "mean": None,
        "low": None,
        "high": None,
    }


@pytest.mark.parametrize(
    "words",
    [
        ("out", "--labels", "heads", *PAIRS),
        ("plain", "--labels", "labels", "--against", "images"),
        ("out", "--against", "pairs.tsv"),
    ],
    ids=["a folder of pairs", "two folders", "a table"],
)
def test_scans_are_found_in_every_layout_in_which_train_finds_them(
    made: Path, words: tuple[str, ...]
) -> None:
    table = "".join(f"heads/{name}_seg.nii.gz\theads/{name}_t1.nii.gz\n" for name in NAMES)
    (made / "pairs.tsv").write_text(f"source\ttarget\n{table}")
    found = totals(evaluate(made, *words, "--format", "tsv"))
    plain = totals(evaluate(made, "out", *PAIRS, "--format", "tsv"))
    assert [row["matched_psnr"] for row in found.values()] == [
        row["matched_psnr"] for row in plain.values()
    ]


def test_scans_are_found_by_name_where_no_label_map_is_near_with_a_note(made: Path) -> None:
    done = evaluate(made, "plain", "--against", "images", "--format", "tsv")
    assert (done.returncode, tuple(totals(done))) == (0, NAMES)
    assert {row["matched_mae"] for row in rows(done)} == {"n/a"}
    assert done.stderr.count("is not near it: name it with --labels") == 3


def test_a_bids_dataset_brings_label_maps_and_scans(made: Path, tmp_path: Path) -> None:
    for name in NAMES[:2]:
        anat = tmp_path / "bids" / name / "anat"
        derived = tmp_path / "bids" / "derivatives" / "seg" / name / "anat"
        for folder, of, end in ((anat, "t1", "T1w"), (derived, "seg", "dseg")):
            folder.mkdir(parents=True)
            shutil.copy(made / "heads" / f"{name}_{of}.nii.gz", folder / f"{name}_{end}.nii.gz")
    text = json.dumps({"Name": "test", "BIDSVersion": "1.8.0"})
    for folder in (tmp_path / "bids", tmp_path / "bids" / "derivatives" / "seg"):
        (folder / "dataset_description.json").write_text(text)
        (folder / "dseg.tsv").write_text("index\tname\n1\tCSF\n2\tGM\n3\tWM\n")
    model = ("--plugin", made / "paint.py", "--model", "paint", "--out", tmp_path / "out")
    ran = oasis_gan("run", "bids", *model, cwd=tmp_path)
    assert ran.returncode == 0, ran.stderr
    done = evaluate(tmp_path, "out", "--against", "bids", "--format", "tsv")
    assert (done.returncode, len(rows(done))) == (0, 8), done.stderr


def cut_short(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:500])


def on_another_grid(path: Path) -> None:
    save(np.ones((5, 6, 7), np.float32), path)


@pytest.mark.parametrize(
    ("break_it", "file"),
    [
        (Path.unlink, "heads/sub-02_t1.nii.gz"),
        (cut_short, "heads/sub-02_t1.nii.gz"),
        (on_another_grid, "heads/sub-02_t1.nii.gz"),
        (cut_short, "out/sub-02_synthT1w.nii.gz"),
        (cut_short, "out/sub-02_synthT1w.json"),
        (Path.unlink, "out/sub-02_synthT1w.json"),
        (lambda path: path.write_text('{"Manufacturer": "GE"}'), "out/sub-02_synthT1w.json"),
        (lambda path: path.write_text("null"), "out/sub-02_synthT1w.json"),
    ],
    ids=[
        "no scan",
        "cut scan",
        "other grid",
        "cut output",
        "cut JSON",
        "no JSON",
        "foreign JSON",
        "null JSON",
    ],
)
def test_one_bad_subject_is_one_line_and_does_not_stop_the_others(
    cohort: Path, break_it: Callable[[Path], object], file: str
) -> None:
    break_it(cohort / file)
    done = evaluate(cohort, "out", *PAIRS, "--format", "tsv")
    assert done.returncode == 1
    assert tuple(totals(done)) == ("sub-01", "sub-03")
    (line,) = [line for line in done.stderr.splitlines() if "failed" in line]
    assert "sub-02" in line
    assert "Traceback" not in done.stderr


def test_a_label_map_that_has_changed_since_is_not_taken_for_the_one_of_the_output(
    cohort: Path,
) -> None:
    save(make_head(9)[0], cohort / "labels" / "sub-02.nii.gz")
    done = evaluate(cohort, "plain", "--labels", "labels", "--against", "images", "--format", "tsv")
    assert done.returncode == 1
    assert (
        "expected sub-02.nii.gz, which it was made from, in labels, found one with another SHA-256"
        in done.stderr
    )
    assert tuple(totals(done)) == ("sub-01", "sub-03")


def test_a_failed_subject_has_its_row_in_the_table_and_its_reason_in_the_json(cohort: Path) -> None:
    (cohort / "heads" / "sub-02_t1.nii.gz").unlink()
    table = evaluate(cohort, "out", *PAIRS).stdout
    assert "failed" in next(line for line in table.splitlines() if "sub-02" in line)
    assert "mean of 2 subjects" in table
    document = json.loads(evaluate(cohort, "out", *PAIRS, "--format", "json").stdout)
    assert [subject["status"] for subject in document["subjects"]] == ["done", "failed", "done"]
    assert "sub-02" in document["subjects"][1]["message"]


def test_other_files_in_the_folder_are_no_outputs(cohort: Path) -> None:
    shutil.copy(cohort / "heads" / "sub-01_t1.nii.gz", cohort / "out" / "extra.nii.gz")
    (cohort / "out" / "notes.json").write_text("{}")
    assert tuple(totals(evaluate(cohort, "out", *PAIRS, "--format", "tsv"))) == NAMES


def test_subjects_of_one_name_are_called_by_their_paths(cohort: Path) -> None:
    shutil.copytree(cohort / "out", cohort / "all" / "a")
    shutil.copytree(cohort / "out", cohort / "all" / "b")
    found = totals(evaluate(cohort, "all", *PAIRS, "--format", "tsv"))
    assert len(found) == 6
    assert "all/b/sub-03_synthT1w.nii.gz" in found


def test_a_folder_without_outputs_is_one_line(made: Path) -> None:
    done = evaluate(made, "heads", *PAIRS)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert "expected outputs of oasis-gan" in line


def test_one_scan_is_not_compared_with_several_outputs(made: Path) -> None:
    done = evaluate(made, "out", "--against", "heads/sub-01_t1.nii.gz")
    (line,) = done.stderr.splitlines()
    assert (done.returncode, "found one file for 3 outputs" in line) == (2, True)


def test_an_interval_is_that_of_a_mean() -> None:
    values = np.random.default_rng(0).normal(20, 3, 100)
    found = estimate(values.tolist())
    assert found.low is not None
    assert found.high is not None
    half_width = 1.96 * values.std() / 10
    assert [found.mean, found.low, found.high] == pytest.approx(
        [values.mean(), values.mean() - half_width, values.mean() + half_width],
        abs=0.1 * half_width,
    )
    assert estimate(values.tolist()) == found


def test_one_subject_has_a_mean_and_no_interval() -> None:
    assert (estimate([4.0]).mean, estimate([4.0]).low) == (4.0, None)
    assert estimate([]).mean is None
