"""What a user sees of ``oasis-gan evaluate``: a table, rows or JSON, and a line for each fault."""

from __future__ import annotations

import csv
import hashlib
import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.tool import oasis_gan, paint_in

Run = subprocess.CompletedProcess[str]
Document = dict[str, Any]


def save(
    voxels: np.ndarray[Any, Any], path: Path, affine: np.ndarray[Any, Any] | None = None
) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    nib.save(nib.Nifti1Image(voxels, np.eye(4) if affine is None else affine), path)
    return path


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory, paint_plugin: Path) -> Path:
    """Return a folder with a head, and in ``out`` what a model has made of its label map."""
    folder = tmp_path_factory.mktemp("made")
    labels, scan = make_head(0)
    save(labels, folder / "a_seg.nii.gz")
    save(scan, folder / "a_t1.nii.gz")
    done = paint_in(folder, paint_plugin)("a_seg.nii.gz")
    assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def painted(made: Path, tmp_path: Path) -> Path:
    """Return a copy of that folder, which a test may change."""
    return Path(shutil.copytree(made, tmp_path, dirs_exist_ok=True))


@pytest.fixture(scope="module")
def document(made: Path) -> Document:
    """Return what JSON says of the output against the real scan."""
    done = evaluate(made, OUTPUT, "--against", "a_t1.nii.gz", "--format", "json")
    parsed: Document = json.loads(done.stdout, parse_constant=pytest.fail)
    return parsed


OUTPUT = "out/a_seg_synthT1w.nii.gz"
SIDECAR = "out/a_seg_synthT1w.json"


def evaluate(folder: Path, *words: object, **options: Any) -> Run:  # noqa: ANN401
    return oasis_gan("evaluate", *words, cwd=folder, **options)


def assert_one_line(done: Run, *parts: str) -> None:
    """Hold that a command failed, and said why in one line."""
    assert done.returncode in {1, 2}
    (line,) = done.stderr.splitlines()
    assert [part for part in parts if part not in line] == []


def test_a_table_shows_each_tissue_with_the_contrasts_as_they_are_and_matched(
    painted: Path,
) -> None:
    done = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz")
    assert done.returncode == 0, done.stderr
    for text in ("total", "CSF", "GM", "WM", "PSNR (dB)", "MS-SSIM", "gradient ratio, left-right"):
        assert text in done.stdout
    assert done.stdout.count("MAE") == 2
    assert "contrasts matched, range 0 to 1" in done.stdout
    assert "where the label map has a tissue" in done.stdout


def test_tsv_has_a_row_for_the_whole_and_for_each_tissue(painted: Path) -> None:
    done = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz", "--format", "tsv")
    rows = list(csv.DictReader(io.StringIO(done.stdout), dialect="excel-tab"))
    assert [row["tissue"] for row in rows] == ["total", "CSF", "GM", "WM"]
    assert {row["subject"] for row in rows} == {"a_seg"}
    assert float(rows[0]["volume_ml"]) == pytest.approx(
        sum(float(row["volume_ml"]) for row in rows[1:]), rel=1e-6
    )
    # The model paints each tissue, so that within one there is no gradient.
    assert [float(row["matched_gradient_left_right"]) for row in rows[1:]] == [0, 0, 0]
    assert float(rows[0]["matched_gradient_left_right"]) > 0.5
    assert {row["raw_ncc"] for row in rows[1:]} == {"n/a"}


def test_json_states_its_schema_and_the_versions_of_the_packages(document: Document) -> None:
    assert document["schema"] == "oasis-gan/evaluation/1"
    assert {"oasis-gan", "scipy", "SimpleITK"} <= set(document["versions"])


def test_json_names_the_subject_and_the_hashes_of_its_files(made: Path, document: Document) -> None:
    (subject,) = document["subjects"]
    assert (subject["subject"], subject["status"]) == ("a_seg", "done")
    files = {"output": OUTPUT, "real": "a_t1.nii.gz", "labels": "a_seg.nii.gz"}
    for role, name in files.items():
        path = made / name
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert subject["files"][role] == {"file": path.name, "sha256": digest}


def test_json_holds_the_figures_of_each_tissue_and_the_range(document: Document) -> None:
    (subject,) = document["subjects"]
    assert subject["range"]["matched"] == [0, 1]
    assert subject["tissues"]["GM"]["matched"]["mae"] > 0
    assert subject["tissues"]["total"]["discontinuity"]["inferior_superior"] > 0


def test_json_holds_a_value_for_each_slice(document: Document) -> None:
    (subject,) = document["subjects"]
    assert len(subject["slices"]["matched"]["ssim_axial"]) == 30
    assert len(subject["slices"]["discontinuity"]["inferior_superior"]) == 30


def test_json_says_why_a_figure_is_missing(document: Document) -> None:
    (subject,) = document["subjects"]
    assert any("one of the two is constant" in note for note in subject["notes"])


def test_every_figure_that_is_missing_is_explained(painted: Path) -> None:
    done = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz")
    assert "n/a" in done.stdout
    assert "nan" not in done.stdout.lower()
    assert (
        "a_seg: raw, CSF and GM and WM: not defined, one of the two is constant there (NCC)"
        in done.stderr
    )


def test_an_output_compared_with_itself_is_perfect(painted: Path) -> None:
    done = evaluate(painted, OUTPUT, "--against", OUTPUT, "--format", "tsv")
    row = next(csv.DictReader(io.StringIO(done.stdout), dialect="excel-tab"))
    assert (row["raw_psnr"], row["raw_mae"], float(row["raw_ssim"])) == ("inf", "0", 1)
    assert "infinite, the two volumes are equal there (PSNR (dB))" in done.stderr


def test_the_label_map_is_named_where_it_lies_elsewhere(painted: Path) -> None:
    (painted / "labels").mkdir()
    (painted / "a_seg.nii.gz").rename(painted / "labels" / "a_seg.nii.gz")
    alone = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz")
    assert alone.returncode == 0
    assert (
        "a_seg.nii.gz, which the output was made from, is not near it: name it with --labels"
        in alone.stderr
    )
    assert "where the output is not 0" in alone.stdout
    assert "contrasts matched" not in alone.stdout
    named = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz", "--labels", "labels/a_seg.nii.gz")
    assert "contrasts matched" in named.stdout


def test_a_label_map_that_the_output_was_not_made_from_is_used_with_a_note(painted: Path) -> None:
    save(make_head(1)[0], painted / "other.nii.gz")
    done = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz", "--labels", "other.nii.gz")
    assert done.returncode == 0
    assert (
        "by its SHA-256, the label map is not the file that the output was made from" in done.stderr
    )


def test_the_meaning_of_the_label_values_can_be_given(painted: Path) -> None:
    labels, _ = make_head(0)
    save(np.array([0, 3, 1, 2], np.uint8)[labels], painted / "bids.nii.gz")
    words = (
        OUTPUT,
        "--against",
        "a_t1.nii.gz",
        "--labels",
        "bids.nii.gz",
        "--label-set",
        "bids",
        "--format",
        "tsv",
    )
    plain = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz", "--format", "tsv")
    assert evaluate(painted, *words).stdout == plain.stdout


def test_a_scan_with_another_order_of_axes_is_reordered_with_a_note(painted: Path) -> None:
    image = nib.load(painted / "a_t1.nii.gz")
    assert isinstance(image, nib.Nifti1Image)
    turned_axes = np.array([[1, -1], [0, 1], [2, 1]])
    nib.save(image.as_reoriented(turned_axes), painted / "turned.nii.gz")
    words = ("--format", "tsv")
    turned = evaluate(painted, OUTPUT, "--against", "turned.nii.gz", *words)
    assert turned.stdout == evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz", *words).stdout
    assert "nothing is resampled" in turned.stderr


def test_a_scan_on_another_grid_is_one_line(painted: Path) -> None:
    save(make_head(0)[1], painted / "moved.nii.gz", np.diag([1, 1, 1.2, 1]))
    assert_one_line(
        evaluate(painted, OUTPUT, "--against", "moved.nii.gz"), "moved.nii.gz", "resample"
    )


def test_a_missing_scan_is_one_line(painted: Path) -> None:
    assert_one_line(
        evaluate(painted, OUTPUT, "--against", "no.nii.gz"), "no.nii.gz", "no such file"
    )


def test_a_damaged_scan_is_one_line(painted: Path) -> None:
    (painted / "cut.nii.gz").write_bytes((painted / "a_t1.nii.gz").read_bytes()[:900])
    assert_one_line(evaluate(painted, OUTPUT, "--against", "cut.nii.gz"), "cut.nii.gz")


def test_an_empty_label_map_is_one_line(painted: Path) -> None:
    save(np.zeros((32, 36, 30), np.uint8), painted / "empty.nii.gz")
    done = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz", "--labels", "empty.nii.gz")
    assert_one_line(done, "empty.nii.gz", "expected some voxels to compare, found an empty mask")


def test_intensities_beyond_what_can_be_squared_are_one_line(painted: Path) -> None:
    save(make_head(0)[1].astype(np.float64) * 1e200, painted / "huge.nii.gz")
    assert_one_line(
        evaluate(painted, OUTPUT, "--against", "huge.nii.gz"), "huge.nii.gz", "rescale the volume"
    )


@pytest.mark.parametrize(
    ("edit", "said"),
    [
        (lambda text: text[:90], "the provenance of an output"),
        (lambda text: text.replace('"sha256": "', '"sha256": "zz'), "the provenance of an output"),
        (lambda text: text.replace('"source": {', '"source": 3, "was": {'), "source"),
        (lambda text: text.replace('"synthetic": true', '"synthetic": "no"'), "synthetic"),
        (
            lambda text: text.replace('"file": "a_seg_synthT1w.nii.gz"', '"file": "../b.nii.gz"'),
            "that of ../b.nii.gz",
        ),
        (
            lambda text: text.replace('"subject": "a_seg"', '"subject": "a", "subject": "b"'),
            "subject twice",
        ),
        (lambda text: "[" * 100_000, "the provenance of an output"),
    ],
    ids=[
        "cut short",
        "no hash",
        "no source",
        "not synthetic",
        "of another file",
        "a key twice",
        "nested",
    ],
)
def test_an_edited_sidecar_is_one_line(painted: Path, edit: Any, said: str) -> None:  # noqa: ANN401
    sidecar = painted / SIDECAR
    sidecar.write_text(edit(sidecar.read_text()))
    assert_one_line(evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz"), SIDECAR, said)


def test_an_output_that_has_changed_since_is_one_line(painted: Path) -> None:
    shutil.copy(painted / "a_t1.nii.gz", painted / OUTPUT)
    done = evaluate(painted, OUTPUT, "--against", "a_t1.nii.gz")
    assert_one_line(
        done, OUTPUT, "expected the volume that its sidecar describes, found another one"
    )


def test_a_volume_of_another_program_is_compared_without_provenance(painted: Path) -> None:
    shutil.copy(painted / OUTPUT, painted / "theirs.nii.gz")
    (painted / "theirs.json").write_text('{"Manufacturer": "Siemens"}')
    done = evaluate(
        painted, "theirs.nii.gz", "--against", "a_t1.nii.gz", "--labels", "a_seg.nii.gz"
    )
    assert done.returncode == 0
    assert "no sidecar of oasis-gan lies beside the output" in done.stderr


def test_a_segmentation_is_compared_with_the_label_map_without_a_real_scan(painted: Path) -> None:
    labels, _ = make_head(0)
    swapped = np.array([0, 3, 1, 2], np.uint8)[labels]
    save(np.where(swapped == 2, 0, swapped), painted / "again.nii.gz")
    words = (OUTPUT, "--segmentation", "again.nii.gz", "--segmentation-set", "bids")
    done = evaluate(painted, *words, "--format", "tsv")
    assert done.returncode == 0, done.stderr
    rows = list(csv.DictReader(io.StringIO(done.stdout), dialect="excel-tab"))
    dice = {row["tissue"]: float(row["faithfulness_dice"]) for row in rows}
    assert (dice["CSF"], dice["GM"], dice["WM"]) == (1, 1, 0)
    assert rows[3]["faithfulness_hausdorff95"] == "n/a"
    assert {row["raw_mae"] for row in rows} == {"n/a"}
    assert "faithfulness, WM: not defined, the segmentation has none of it" in done.stderr
    table = evaluate(painted, *words).stdout
    assert "volume bias (%)" in table
    assert "-100.0" in table


def test_a_segmentation_without_the_label_map_is_one_line(painted: Path) -> None:
    (painted / "a_seg.nii.gz").rename(painted / "again.nii.gz")
    done = evaluate(painted, OUTPUT, "--segmentation", "again.nii.gz")
    assert done.returncode == 1
    assert "expected the label map that it was made from" in done.stderr
    assert "name it with --labels" in done.stderr


def test_an_output_alone_is_compared_with_nothing_and_that_is_one_line(painted: Path) -> None:
    assert_one_line(evaluate(painted, OUTPUT), "--against", "--segmentation")


def test_names_with_markup_and_control_characters_are_shown_as_text(painted: Path) -> None:
    name = "[red]<img src=x>\x1b[31m\nb"
    shutil.copy(painted / OUTPUT, painted / f"{name}.nii.gz")
    words = (f"{name}.nii.gz", "--against", "a_t1.nii.gz", "--labels", "a_seg.nii.gz")
    shown = r"[red]<img src=x>\x1b[31m\nb"
    table = evaluate(painted, *words)
    assert shown in table.stdout
    assert "\x1b" not in table.stdout + table.stderr
    rows = evaluate(painted, *words, "--format", "tsv").stdout.splitlines()
    assert [row.split("\t")[0] for row in rows[1:]] == [shown] * 4


def test_a_missing_extra_is_one_line_with_the_command_that_installs_it(painted: Path) -> None:
    code = "import sys; sys.modules['scipy'] = None; from oasis_gan.cli.main import main; main()"
    words = [sys.executable, "-c", code, "evaluate", OUTPUT, "--against", "a_t1.nii.gz"]
    done = subprocess.run(words, cwd=painted, capture_output=True, text=True, check=False)
    assert_one_line(done, "no scipy", "pip install 'oasis-gan[evaluation]'")
