"""The tissue segmenter keeps the contract of every model, and segments from the command line."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import oasis_gan_tissues
import pytest
from kit.tool import oasis_gan

from oasis_gan import ModelKind, OasisGanError
from oasis_gan.testing import ModelContract


def find_kind() -> ModelKind:
    return next(oasis_gan_tissues.oasis_gan_models())


class TestTissueSegmenter(ModelContract):
    """T1w and a mask in, tissues out."""

    @pytest.fixture
    def kind(self) -> ModelKind:
        return find_kind()

    @pytest.fixture
    def folder(self) -> Path:
        return find_kind().shipped["t1w-to-tissues"]


@pytest.mark.parametrize("text", ["{}", "[]", '{"kind": "gaussian-mixture"}', "not JSON"])
def test_a_damaged_folder_is_one_line(tmp_path: Path, text: str) -> None:
    (tmp_path / "model.json").write_text(text)
    with pytest.raises(OasisGanError, match=r"model\.json"):
        oasis_gan_tissues.card(tmp_path)


def test_run_segments_a_scan_with_its_mask(tmp_path: Path) -> None:
    distance = np.linalg.norm(np.indices((30, 30, 30)).T - 14.5, axis=-1).T
    tissues = np.digitize(-distance, (-14, -11, -8)).astype(np.uint8)
    greys = np.array([0, 40, 100, 140], np.float32)[tissues]
    nib.save(nib.Nifti1Image(greys, np.eye(4)), tmp_path / "t1.nii.gz")
    nib.save(nib.Nifti1Image(tissues, np.eye(4)), tmp_path / "mask.nii.gz")
    words = ("--model", "t1w-to-tissues", "--source", "brain=mask.nii.gz", "--out", "out")
    done = oasis_gan("run", "t1.nii.gz", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    found = nib.Nifti1Image.from_filename(tmp_path / "out" / "t1_synthdseg.nii.gz").get_fdata()
    assert np.mean(found == tissues) > 0.98
