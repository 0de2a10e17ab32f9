"""``run --evaluate`` writes a certificate beside each output, once."""

from __future__ import annotations

import csv
import json
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.thirds import THIRDS
from kit.tool import Painting

NAMES = ("sub-01", "sub-02")
EVALUATE = ("--evaluate", "--segmenter", "thirds", "--plugin", "thirds.py")


@pytest.fixture
def heads(tmp_path: Path) -> Path:
    """Return a folder with two label maps, and the segmenter beside it."""
    heads = tmp_path / "heads"
    heads.mkdir()
    for seed, name in enumerate(NAMES):
        image = nib.Nifti1Image(make_head(seed)[0], np.eye(4))
        nib.save(image, heads / f"{name}_seg.nii.gz")
    (tmp_path / "thirds.py").write_text(THIRDS)
    return heads


def run(paint: Painting, *words: str) -> subprocess.CompletedProcess[str]:
    return paint("heads", "--source-suffix", "_seg.nii.gz", *words)


def read_table(out: Path) -> list[dict[str, str]]:
    with (out / "evaluation.tsv").open() as file:
        return list(csv.DictReader(file, dialect="excel-tab"))


def read_sidecar(out: Path, name: str) -> dict[str, Any]:
    content: dict[str, Any] = json.loads((out / f"{name}_synthT1w.json").read_text())
    return content


def test_each_output_has_a_certificate_in_its_sidecar_and_in_the_table(
    heads: Path, paint: Painting
) -> None:
    done = run(paint, *EVALUATE)
    assert done.returncode == 0, done.stderr
    out = heads.parent / "out"
    rows = read_table(out)
    assert [(row["subject"], row["tissue"]) for row in rows] == [
        (name, tissue) for name in NAMES for tissue in ("total", "CSF", "GM", "WM")
    ]
    for row in rows:
        sidecar = read_sidecar(out, row["subject"])
        figures = sidecar["evaluation"]["tissues"][row["tissue"]]["faithfulness"]
        assert float(row["faithfulness_dice"]) == figures["dice"] == 1
        assert row["output_sha256"] == sidecar["volume"]["sha256"]
        assert sidecar["evaluation"]["segmenter"] == "thirds 2"


def test_a_resumed_run_evaluates_only_what_has_no_certificate(heads: Path, paint: Painting) -> None:
    assert run(paint, *EVALUATE).returncode == 0
    out = heads.parent / "out"
    table = (out / "evaluation.tsv").read_text()
    marked = read_sidecar(out, "sub-01")
    marked["evaluation"]["notes"] = ["made by the first run"]
    (out / "sub-01_synthT1w.json").write_text(json.dumps(marked))
    removed = read_sidecar(out, "sub-02")
    del removed["evaluation"]
    (out / "sub-02_synthT1w.json").write_text(json.dumps(removed))
    (out / "evaluation.tsv").unlink()
    done = run(paint, *EVALUATE)
    assert done.returncode == 0, done.stderr
    assert (out / "evaluation.tsv").read_text() == table
    assert read_sidecar(out, "sub-01")["evaluation"]["notes"] == ["made by the first run"]
    assert "evaluation" in read_sidecar(out, "sub-02")


def test_a_certificate_leaves_the_output_and_its_provenance_as_they_are(
    heads: Path, paint: Painting
) -> None:
    assert run(paint).returncode == 0
    out = heads.parent / "out"
    before = read_sidecar(out, "sub-01")
    volume = (out / "sub-01_synthT1w.nii.gz").read_bytes()
    assert run(paint, *EVALUATE).returncode == 0
    after = read_sidecar(out, "sub-01")
    del after["evaluation"]
    assert after == before
    assert (out / "sub-01_synthT1w.nii.gz").read_bytes() == volume
    assert "skipped" in run(paint).stderr


@pytest.mark.parametrize(
    "edited",
    [
        [],
        {"schema": "oasis-gan/evaluation/1", "segmenter": "thirds 2"},
        {
            "schema": "oasis-gan/evaluation/1",
            "segmenter": "thirds 2",
            "subject": "sub-01",
            "output_sha256": "0" * 64,
            "tissues": {"GM": {"voxels": 1, "volume_ml": 1, "faithfulness": {"dice": "=1+1"}}},
            "structures": {},
        },
    ],
    ids=["a list", "half", "figures that are text"],
)
def test_an_edited_certificate_is_made_again(heads: Path, paint: Painting, edited: object) -> None:
    assert run(paint, *EVALUATE).returncode == 0
    out = heads.parent / "out"
    good = read_sidecar(out, "sub-01")
    (out / "sub-01_synthT1w.json").write_text(json.dumps({**good, "evaluation": edited}))
    assert run(paint, *EVALUATE).returncode == 0
    assert read_sidecar(out, "sub-01") == good


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--segmenter", "thirds", "--plugin", "thirds.py"), "--evaluate"),
        (("--evaluate", "--segmenter", "no-such-model"), "no-such-model"),
        (("--evaluate", "--segmenter", "paint"), "one that makes an MRI"),
    ],
    ids=["no evaluation", "unknown", "makes an MRI"],
)
def test_a_segmenter_that_cannot_be_used_is_one_line_before_anything_is_made(
    heads: Path, paint: Painting, words: tuple[str, ...], said: str
) -> None:
    done = run(paint, *words)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert said in line
    assert not (heads.parent / "out").exists()


def test_one_output_that_cannot_be_evaluated_does_not_stop_the_others(
    heads: Path, paint: Painting
) -> None:
    failing = THIRDS.replace(
        "        labels =",
        "        assert volume.voxels.shape[0] < 40, 'too wide'\n        labels =",
    )
    (heads.parent / "thirds.py").write_text(failing)
    wide = np.zeros((50, 20, 20), np.uint8)
    wide[5:45, 5:15, 5:15] = 2
    nib.save(nib.Nifti1Image(wide, np.eye(4)), heads / "sub-00_seg.nii.gz")
    done = run(paint, *EVALUATE)
    assert done.returncode == 1
    assert {row["subject"] for row in read_table(heads.parent / "out")} == set(NAMES)
    (line,) = [line for line in done.stderr.splitlines() if "not evaluated" in line]
    assert "too wide" in line
    assert "Traceback" not in done.stderr


def test_a_hostile_name_stays_one_cell_of_the_table(heads: Path, paint: Painting) -> None:
    hostile = "a\tb\nc <img src=x onerror=alert(1)>"
    (heads / "sub-01_seg.nii.gz").rename(heads / f"{hostile}_seg.nii.gz")
    done = run(paint, *EVALUATE)
    assert done.returncode == 0, done.stderr
    rows = read_table(heads.parent / "out")
    assert {row["subject"] for row in rows} == {r"a\tb\nc <img src=x onerror=alert(1)>", "sub-02"}


def test_a_sidecar_that_was_cut_short_is_one_line_and_the_others_go_on(
    heads: Path, paint: Painting
) -> None:
    assert run(paint, *EVALUATE).returncode == 0
    out = heads.parent / "out"
    (out / "evaluation.tsv").unlink()
    sidecar = out / "sub-01_synthT1w.json"
    sidecar.write_bytes(sidecar.read_bytes()[:200])
    done = run(paint, *EVALUATE)
    assert done.returncode == 1
    assert {row["subject"] for row in read_table(out)} == {"sub-02"}
    assert "Traceback" not in done.stderr
