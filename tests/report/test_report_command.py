"""``oasis-gan report`` makes a page for each output, an index, and a line for each fault."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.tool import Painting, oasis_gan

from oasis_gan.report.rendering import format_json_for_html

OUTPUT = "out/a_seg_synthT1w.nii.gz"
PAGE = "out/a_seg_synthT1w.html"


@pytest.fixture
def painted(tmp_path: Path, paint: Painting) -> Path:
    """Return a folder with a head, and in ``out`` what a model has made of its label map."""
    labels, scan = make_head(0)
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "a_seg.nii.gz")
    nib.save(nib.Nifti1Image(scan, np.eye(4)), tmp_path / "a_t1.nii.gz")
    done = paint("a_seg.nii.gz")
    assert done.returncode == 0, done.stderr
    return tmp_path


def test_without_a_real_scan_the_label_map_of_the_sidecar_is_enough(painted: Path) -> None:
    done = oasis_gan("report", "out", cwd=painted)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == [PAGE, "out/index.html"]
    page = (painted / PAGE).read_text("utf-8")
    assert "Slices, 1 as in the smoothed label map" in page
    assert 'id="layer-labels"' in page
    assert 'id="layer-real"' not in page


def test_the_figures_of_a_page_are_those_of_evaluate(painted: Path) -> None:
    against = ("--against", "a_t1.nii.gz")
    evaluated = oasis_gan("evaluate", OUTPUT, *against, "--format", "json", cwd=painted)
    (subject,) = json.loads(evaluated.stdout)["subjects"]
    done = oasis_gan("report", OUTPUT, *against, cwd=painted)
    assert done.returncode == 0, done.stderr
    ssim = subject["tissues"]["GM"]["matched"]["ssim"]
    page = (painted / PAGE).read_text("utf-8")
    rows = re.findall(r"<tr><td>SSIM, 3-D</td>(.*)</tr>", page)
    assert f"<td>{ssim:.3f}</td>" in rows[1]


def test_a_page_is_the_same_each_time_it_is_made(painted: Path) -> None:
    oasis_gan("report", OUTPUT, cwd=painted)
    first = (painted / PAGE).read_bytes()
    oasis_gan("report", OUTPUT, cwd=painted)
    assert (painted / PAGE).read_bytes() == first


def test_a_page_lets_nothing_in(painted: Path) -> None:
    oasis_gan("report", OUTPUT, cwd=painted)
    page = (painted / PAGE).read_text("utf-8")
    (policy,) = re.findall(r'Content-Security-Policy" content="([^"]*)"', page)
    assert policy.startswith("default-src &#39;none&#39;")
    assert "unsafe" not in policy


def test_an_output_that_cannot_be_read_is_one_line_in_the_index_and_the_rest_goes_on(
    painted: Path,
) -> None:
    (painted / "out" / "b_synthT1w.nii.gz").write_bytes(b"no volume")
    done = oasis_gan("report", "out", cwd=painted)
    assert done.returncode == 1
    (line,) = [line for line in done.stderr.splitlines() if "failed" in line]
    assert "b_synthT1w" in line
    assert (painted / PAGE).exists()
    assert "expected a sidecar of oasis-gan" in (painted / "out" / "index.html").read_text("utf-8")


def test_a_volume_of_zeros_has_a_page_or_a_line(painted: Path) -> None:
    volume = nib.Nifti1Image(np.zeros((8, 8, 8), np.float32), np.eye(4))
    nib.save(volume, painted / "zeros.nii.gz")
    done = oasis_gan("report", "zeros.nii.gz", cwd=painted)
    assert done.returncode == 1
    (line,) = done.stderr.splitlines()
    assert line.startswith("zeros: failed - ")


def edit_sidecar(folder: Path) -> None:
    sidecar = folder / "out" / "a_seg_synthT1w.json"
    said = json.loads(sidecar.read_text())
    sidecar.write_text(json.dumps({**said, "source": ["<script>alert(1)</script>"]}))


def move_scan(folder: Path) -> None:
    nib.save(nib.Nifti1Image(make_head(0)[1], np.diag([2, 2, 2, 1])), folder / "a_t1.nii.gz")


def cut_scan(folder: Path) -> None:
    scan = folder / "a_t1.nii.gz"
    scan.write_bytes(scan.read_bytes()[:1000])


def save_map_of_another_grid(folder: Path) -> None:
    out = folder / "out"
    deviation = nib.Nifti1Image(np.ones((4, 4, 4), np.float32), np.eye(4))
    nib.save(deviation, out / "a_seg_desc-synthT1w_stdmap.nii.gz")
    said = {"synthetic": True, "map": "uncertainty", "of": "a_seg_synthT1w.nii.gz"}
    (out / "a_seg_desc-synthT1w_stdmap.json").write_text(json.dumps(said))


@pytest.mark.parametrize("damage", [edit_sidecar, move_scan, cut_scan, save_map_of_another_grid])
def test_what_cannot_be_shown_is_one_line_and_no_page(
    painted: Path, damage: Callable[[Path], None]
) -> None:
    damage(painted)
    done = oasis_gan("report", OUTPUT, "--against", "a_t1.nii.gz", cwd=painted)
    assert (done.returncode, done.stdout) == (1, "")
    (line,) = [line for line in done.stderr.splitlines() if "warning" not in line]
    assert "failed - " in line
    assert "expected" in line
    assert not (painted / PAGE).exists()


def test_a_missing_extra_is_one_line_with_the_command_that_installs_it(painted: Path) -> None:
    code = "import sys; sys.modules['jinja2'] = None\nfrom oasis_gan.cli.main import main\nmain()"
    (painted / "blocked.py").write_text(code)
    words = [sys.executable, "blocked.py", "report", "out"]
    done = subprocess.run(words, cwd=painted, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "pip install 'oasis-gan[report]'" in line


def test_json_for_the_script_of_a_page_cannot_end_its_element() -> None:
    text = format_json_for_html({"subject": "</script><!--&"})
    assert not {"<", ">", "&"} & set(text)
    assert json.loads(text)["subject"] == "</script><!--&"
