"""The shipped segmenter finds a head's structures, and the default model reads its label map."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.meshnet import SHIPPED
from kit.places import ROOT
from kit.tool import oasis_gan
from numpy.typing import NDArray
from oasis_gan_meshnet.model_folder import read_model_file

SAMPLE = ROOT / "examples" / "mni152_t1.nii.gz"
TISSUES = ROOT / "examples" / "mni152_seg.nii.gz"
MODEL_FILE = read_model_file(SHIPPED)
# Millilitres of both halves. The template is larger than most brains, so the bounds are wide.
VOLUMES = {
    "Cerebral-White-Matter": (300, 700),
    "Cerebral-Cortex": (400, 900),
    "Lateral-Ventricle": (5, 60),
    "Cerebellum-Cortex": (70, 160),
    "Thalamus": (10, 26),
    "Caudate": (5, 13),
    "Putamen": (6, 16),
    "Pallidum": (2, 7),
    "Brain-Stem": (15, 35),
    "Hippocampus": (5, 13),
    "Amygdala": (1.5, 6),
}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the folder in which the sample head was segmented."""
    folder = tmp_path_factory.mktemp("head")
    words = ("run", SAMPLE, "--model", "t1w-to-structures", "--out", "out")
    done = oasis_gan(*words, cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder / "out"


@pytest.fixture(scope="module")
def labels(out: Path) -> NDArray[Any]:
    return np.asanyarray(nib.Nifti1Image.from_filename(out / "mni152_t1_synthdseg.nii.gz").dataobj)


@pytest.mark.parametrize("name", VOLUMES)
def test_structures_are_as_large_as_an_adults(name: str, labels: NDArray[Any]) -> None:
    smallest, largest = VOLUMES[name]
    millilitres = np.count_nonzero(labels == MODEL_FILE.labels.index(name)) / 1000
    assert smallest < millilitres < largest


def test_both_halves_have_about_as_much_of_each_structure(labels: NDArray[Any]) -> None:
    # The template is symmetric, and its middle is where x is 0.
    x = (nib.Nifti1Image.from_filename(SAMPLE).affine @ [0, 0, 0, 1])[0] + np.arange(
        labels.shape[0]
    )
    for name in VOLUMES:
        places = np.nonzero(labels == MODEL_FILE.labels.index(name))[0]
        left = np.count_nonzero(x[places] < 0)
        right = np.count_nonzero(x[places] > 0)
        assert min(left, right) > 0.9 * max(left, right), name


def test_white_matter_agrees_with_the_tissue_map_of_the_head(labels: NDArray[Any]) -> None:
    tissues = np.asanyarray(nib.Nifti1Image.from_filename(TISSUES).dataobj)
    white = labels == MODEL_FILE.labels.index("Cerebral-White-Matter")
    assert np.mean(tissues[white] == 3) > 0.85


def test_its_output_is_a_source_of_the_default_model(out: Path) -> None:
    done = oasis_gan("run", "mni152_t1_synthdseg.nii.gz", "--out", "back", cwd=out)
    assert done.returncode == 0, done.stderr
    back = nib.Nifti1Image.from_filename(
        out / "back" / "mni152_t1_synthdseg_synthT1w.nii.gz"
    ).get_fdata()
    scan = nib.Nifti1Image.from_filename(SAMPLE).get_fdata()
    inside = back > 0
    assert np.corrcoef(back[inside], scan[inside])[0, 1] > 0.8


def test_its_label_set_goes_by_name(tmp_path: Path) -> None:
    # Without a table beside it, nothing else says what these values mean.
    values = np.array([0, *(label.value for label in MODEL_FILE.make_label_set().labels)], np.uint8)
    blocks = np.resize(values, (6, 6, 6)).repeat(3, 0).repeat(3, 1).repeat(3, 2)
    nib.save(nib.Nifti1Image(blocks, np.eye(4)), tmp_path / "map.nii.gz")
    done = oasis_gan(
        "run", "map.nii.gz", "--labels", MODEL_FILE.label_set, "--out", "out", cwd=tmp_path
    )
    assert done.returncode == 0, done.stderr
    sidecar = json.loads((tmp_path / "out" / "map_synthT1w.json").read_text())
    assert f"labels converted from {MODEL_FILE.label_set} to oasis" in sidecar["notes"]


def test_run_takes_the_model_that_makes_images_unless_another_is_named() -> None:
    listed = oasis_gan("models", cwd=ROOT).stdout.splitlines()[1:]
    names = [line.split()[0] for line in listed]
    assert names == ["tissue-to-t1w", "t1w-to-structures", "t1w-to-tissues"]
