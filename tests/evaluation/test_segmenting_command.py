"""The user's own segmenter runs on each output, and each of its failures is one line."""

from __future__ import annotations

import csv
import io
import json
import shlex
import subprocess
import sys
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.tool import Painting, oasis_gan

SEGMENTER = """
import sys
import nibabel as nib
import numpy as np
source, result = sys.argv[1:]
if "sub-02" in source and "--fail" in FLAGS:
    sys.exit("no brain found")
image = nib.load(source)
greys = np.asarray(image.dataobj)
labels = np.digitize(greys, (100, 425, 650)).astype(np.uint8)
nib.save(nib.Nifti1Image(labels, image.affine), result)
"""
NAMES = ("sub-01", "sub-02")
PYTHON = shlex.quote(sys.executable)


@pytest.fixture
def made(tmp_path: Path, paint: Painting) -> Path:
    """Return a folder with two label maps, their translations in ``out``, and two segmenters."""
    (tmp_path / "heads").mkdir()
    for seed, name in enumerate(NAMES):
        image = nib.Nifti1Image(make_head(seed)[0], np.eye(4))
        nib.save(image, tmp_path / "heads" / f"{name}_seg.nii.gz")
    done = paint("heads", "--source-suffix", "_seg.nii.gz")
    assert done.returncode == 0, done.stderr
    (tmp_path / "my segmenter.py").write_text(f"FLAGS = ()\n{SEGMENTER}")
    (tmp_path / "fails.py").write_text(f"FLAGS = ('--fail',)\n{SEGMENTER}")
    return tmp_path


def evaluate(folder: Path, command: str, *words: str) -> subprocess.CompletedProcess[str]:
    return oasis_gan(
        "evaluate", "out", "--labels", "heads", "--source-suffix", "_seg.nii.gz",
        "--segment", command, *words, cwd=folder,
    )  # fmt: skip


def rows(done: subprocess.CompletedProcess[str]) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(done.stdout), dialect="excel-tab"))


def test_each_output_is_segmented_and_compared_with_its_own_label_map(made: Path) -> None:
    done = evaluate(made, f"{PYTHON} 'my segmenter.py' {{input}} {{output}}", "--format", "tsv")
    assert done.returncode == 0, done.stderr
    found = rows(done)
    assert len(found) == 8
    # The model paints each tissue with one grey, so that thresholds find all of it.
    assert {float(row["faithfulness_dice"]) for row in found} == {1}


def test_the_real_scan_is_segmented_likewise_and_is_the_ceiling(made: Path) -> None:
    for seed, name in enumerate(NAMES):
        # Greys that the segmenter cuts in the right places but for CSF, of which it finds none.
        greys = np.array([0, 200, 550, 750], np.float32)[make_head(seed)[0]]
        greys[greys == 200] = 50
        image = nib.Nifti1Image(greys, np.eye(4))
        nib.save(image, made / "heads" / f"{name}_t1.nii.gz")
    command = f"{PYTHON} 'my segmenter.py' {{input}} {{output}}"
    words = ("--against", "heads", "--target-suffix", "_t1.nii.gz", "--format", "tsv")
    done = evaluate(made, command, *words)
    assert done.returncode == 0, done.stderr
    dice = {row["tissue"]: row["ceiling_dice"] for row in rows(done)}
    assert (dice["CSF"], dice["GM"], dice["WM"]) == ("0", "1", "1")
    assert {float(row["faithfulness_dice"]) for row in rows(done)} == {1}
    assert "ceiling, CSF: not defined, the segmentation has none of it" in done.stderr


def test_a_segmenter_that_fails_for_one_output_does_not_stop_the_others(made: Path) -> None:
    done = evaluate(made, f"{PYTHON} fails.py {{input}} {{output}}", "--format", "tsv")
    assert done.returncode == 1
    assert {row["subject"] for row in rows(done)} == {"sub-01"}
    (line,) = [line for line in done.stderr.splitlines() if "failed" in line]
    assert "exit status 1 (no brain found)" in line
    assert "Traceback" not in done.stderr


def test_json_names_the_command_and_the_files_that_it_made(made: Path) -> None:
    command = f"{PYTHON} 'my segmenter.py' {{input}} {{output}}"
    done = evaluate(made, command, "--format", "json")
    document = json.loads(done.stdout, parse_constant=pytest.fail)
    assert document["settings"]["segmenter"] == command
    assert document["cohort"]["tissues"]["GM"]["faithfulness"]["dice"]["mean"] == 1
    hashes = [subject["files"]["segmentation"]["sha256"] for subject in document["subjects"]]
    assert len(set(hashes)) == 2


def test_tables_of_a_cohort_show_its_faithfulness(made: Path) -> None:
    done = evaluate(made, f"{PYTHON} 'my segmenter.py' {{input}} {{output}}")
    assert done.returncode == 0, done.stderr
    assert "mean of 2 subjects" in done.stdout
    assert "Dice" in done.stdout


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (f"{PYTHON} x.py {{input}}", "no {output}"),
        (f"{PYTHON} x.py {{output}}", "no {input}"),
        (f"{PYTHON} 'x.py {{input}} {{output}}", "No closing quotation"),
        ("no-such-program {input} {output}", "no-such-program"),
        ("", "no {input}"),
    ],
    ids=["no output", "no input", "open quote", "no program", "empty"],
)
def test_a_command_that_cannot_be_run_is_one_line(made: Path, command: str, said: str) -> None:
    done = evaluate(made, command)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert said in line


def test_a_command_that_writes_nothing_is_one_line_each(made: Path) -> None:
    done = evaluate(made, f"{PYTHON} -c pass {{input}} {{output}}", "--format", "tsv")
    assert done.returncode == 1
    assert done.stderr.count("found no file") == 2
