"""The plugins of `examples/plugins` keep their contracts, translate, and are short enough to read at a glance."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.places import EXAMPLES
from kit.tool import oasis_gan

PLUGINS = sorted((EXAMPLES / "plugins").glob("*.py"))
LABELS = np.random.default_rng(0).integers(0, 4, (12, 14, 10)).astype(np.uint8)


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.stem)
def test_an_example_has_fewer_than_60_lines(plugin: Path) -> None:
    assert len(plugin.read_text().splitlines()) < 60


@pytest.mark.parametrize("plugin", PLUGINS, ids=lambda path: path.stem)
def test_an_example_keeps_its_contract(plugin: Path, tmp_path: Path) -> None:
    done = oasis_gan("plugins", "--check", plugin, cwd=tmp_path)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("plugin", "model"), [("volume_model", "blurred-paint"), ("neighbouring_slices", "neighbour-paint")]
)
def test_a_model_of_labels_translates(tmp_path: Path, plugin: str, model: str) -> None:
    nib.save(nib.Nifti1Image(LABELS, np.eye(4)), tmp_path / "seg.nii.gz")
    words = ("seg.nii.gz", "--plugin", EXAMPLES / "plugins" / f"{plugin}.py", "--model", model, "--out", "out")
    done = oasis_gan("run", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / "out" / "seg_synthT1w.nii.gz").get_fdata()
    assert not made[LABELS == 0].any()
    assert made[LABELS > 0].min() > 0
    # Neighbours were looked at: a tissue has more than one grey.
    assert len(np.unique(made[LABELS == 2])) > 5


def test_a_model_of_two_sources_is_refused_before_anything_is_read(tmp_path: Path) -> None:
    plugin = ("--plugin", EXAMPLES / "plugins" / "two_sources.py", "--model", "t1-t2-to-flair")
    done = oasis_gan("run", "none.nii.gz", *plugin, "--out", "out", cwd=tmp_path)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "--model: expected a model with one source, found t1-t2-to-flair, which needs t1 and t2;" in line
    assert not (tmp_path / "out").exists()


def test_an_option_of_a_model_of_volumes_is_heeded(tmp_path: Path) -> None:
    nib.save(nib.Nifti1Image(LABELS, np.eye(4)), tmp_path / "seg.nii.gz")
    plugin = ("--plugin", EXAMPLES / "plugins" / "volume_model.py", "--model", "blurred-paint")
    done = oasis_gan("run", "seg.nii.gz", *plugin, "--option", "rounds=0", "--out", "out", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(tmp_path / "out" / "seg_synthT1w.nii.gz").get_fdata()
    np.testing.assert_allclose(made, np.array([0, 300, 550, 750])[LABELS], rtol=1e-6)
