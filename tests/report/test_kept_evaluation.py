"""A page shows the certificate of an output as long as it is valid, instead of a new evaluation."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.desk import make_head
from kit.thirds import THIRDS
from kit.tool import Painting, oasis_gan

MARK = "made by the run"
SOURCES = ("--source-suffix", "_seg.nii.gz")
TARGETS = ("--target-suffix", "_t1.nii.gz")
SIDECAR = "out/a_synthT1w.json"
PAGE = "out/a_synthT1w.html"


@pytest.fixture
def certified(tmp_path: Path, paint: Painting) -> Path:
    """Return a folder with a head, its output, and a certificate that holds a note of ours."""
    labels, scan = make_head(0)
    heads = tmp_path / "heads"
    heads.mkdir()
    nib.save(nib.Nifti1Image(labels, np.eye(4)), heads / "a_seg.nii.gz")
    nib.save(nib.Nifti1Image(scan, np.eye(4)), heads / "a_t1.nii.gz")
    (tmp_path / "thirds.py").write_text(THIRDS)
    segment = ("--evaluate", "--segmenter", "thirds", "--plugin", "thirds.py")
    done = paint("heads", *SOURCES, *segment)
    assert done.returncode == 0, done.stderr
    edit(tmp_path, lambda certificate: certificate["notes"].append(MARK))
    return tmp_path


def edit(folder: Path, change: Callable[[dict[str, Any]], object]) -> None:
    """Change the certificate in the sidecar."""
    sidecar = folder / SIDECAR
    content = json.loads(sidecar.read_text())
    change(content["evaluation"])
    sidecar.write_text(json.dumps(content))


def report(folder: Path, *words: str) -> str:
    """Make a page and return it."""
    done = oasis_gan("report", "out", "--labels", "heads", *SOURCES, *words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return (folder / PAGE).read_text("utf-8")


def shows_certificate(page: str) -> bool:
    # The provenance at the end of the page quotes the sidecar.
    return f"<li>{MARK}</li>" in page


def test_a_page_shows_the_certificate_that_a_run_has_made(certified: Path) -> None:
    page = report(certified)
    assert shows_certificate(page)
    assert "Dice, segmented again" in page


def test_the_figures_of_a_certificate_look_like_those_of_a_new_evaluation(certified: Path) -> None:
    kept = report(certified, "--segmenter", "thirds", "--plugin", "thirds.py")
    assert shows_certificate(kept)
    edit(certified, lambda certificate: certificate.update(versions={}))
    new = report(certified, "--segmenter", "thirds", "--plugin", "thirds.py")
    assert not shows_certificate(new)
    first = kept.index("<table>")
    assert (
        kept[first : kept.index("<h2>Rating")]
        == new[new.index("<table>") : new.index("<h2>Rating")]
    )


def lose_versions(folder: Path) -> None:
    edit(folder, lambda certificate: certificate.update(versions={"oasis-gan": "0"}))


def lose_settings(folder: Path) -> None:
    edit(folder, lambda certificate: certificate["settings"].update(ssim_window=11))


def lose_shape(folder: Path) -> None:
    edit(folder, lambda certificate: certificate.update(slices=[1, 2]))


def lose_tissue(folder: Path) -> None:
    edit(folder, lambda certificate: certificate["tissues"]["GM"].update(voxels=1))


@pytest.mark.parametrize("damage", [lose_versions, lose_settings, lose_shape, lose_tissue])
def test_a_certificate_that_is_not_valid_is_not_shown(
    certified: Path, damage: Callable[[Path], None]
) -> None:
    damage(certified)
    assert not shows_certificate(report(certified))


def test_a_certificate_without_the_real_scan_that_is_named_is_not_shown(certified: Path) -> None:
    page = report(certified, "--against", "heads", *TARGETS)
    assert not shows_certificate(page)
    assert "PSNR (dB), contrasts matched" in page


def test_a_certificate_by_another_segmenter_is_not_shown(certified: Path) -> None:
    edit(certified, lambda certificate: certificate.update(segmenter="thirds 1"))
    page = report(certified, "--segmenter", "thirds", "--plugin", "thirds.py")
    assert not shows_certificate(page)


def test_a_certificate_by_other_label_meanings_is_not_shown(certified: Path) -> None:
    table = certified / "other.tsv"
    table.write_text("index\ttissue\n1\tGM\n2\tCSF\n3\tWM\n")
    assert not shows_certificate(report(certified, "--label-set", "other.tsv"))


def test_a_missing_figure_of_a_certificate_has_its_reason_among_the_notes_once(
    certified: Path,
) -> None:
    def lose_distance(certificate: dict[str, Any]) -> None:
        certificate["tissues"]["GM"]["faithfulness"]["hausdorff95"] = None
        certificate["notes"].append("faithfulness, GM: not defined, as we say here")

    edit(certified, lose_distance)
    page = report(certified)
    assert shows_certificate(page)
    notes = page[page.index('<ul class="notes">') : page.index("<img")]
    assert notes.count("<li>faithfulness, GM: not defined") == 1
