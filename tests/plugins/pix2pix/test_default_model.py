"""The shipped model keeps the contract, and translates the sample tissue map for a new user."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import oasis_gan_pix2pix
import pytest
import SimpleITK as sitk  # noqa: N813 - its own documentation calls it so
from kit.places import EXAMPLES
from numpy.typing import NDArray

from oasis_gan import ANCHORS, OASIS, ModelKind, Translator, Window
from oasis_gan.testing import ModelContract

pytestmark = pytest.mark.precision

SEG = EXAMPLES / "mni152_seg.nii.gz"
T1 = EXAMPLES / "mni152_t1.nii.gz"
MEGABYTE = 1e6


# Runs the tool as the only child of a process, which prints its peak memory in KiB at the end.
COLD_START = """
import resource, subprocess, sys
process = subprocess.run([sys.executable, "-m", "oasis_gan", "run", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.fixture(scope="module")
def cold_start(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Translate the sample head with defaults in a new process; return the lines it prints."""
    folder = tmp_path_factory.mktemp("out")
    command = [sys.executable, "-c", COLD_START, str(SEG), "--out", str(folder)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert process.returncode == 0, process.stderr
    assert len(process.stderr.splitlines()) == 1, process.stderr
    return process.stdout.splitlines()


@pytest.fixture(scope="module")
def made(cold_start: list[str]) -> Path:
    """Return the output of the cold start."""
    return Path(cold_start[0])


def read_voxels(path: Path) -> NDArray[Any]:
    return np.asarray(nib.Nifti1Image.from_filename(path).dataobj)


PIX2PIX = next(oasis_gan_pix2pix.oasis_gan_models())


@pytest.fixture(scope="module")
def loaded() -> Translator:
    return PIX2PIX.load(PIX2PIX.shipped["tissue-to-t1w"])


class TestDefaultModel(ModelContract):
    """The shipped model, and the kind that brings it."""

    @pytest.fixture
    def kind(self) -> ModelKind:
        return PIX2PIX

    @pytest.fixture
    def folder(self) -> Path:
        return PIX2PIX.shipped["tissue-to-t1w"]

    @pytest.fixture
    def translator(self, loaded: Translator) -> Translator:
        return loaded

    def test_it_fits_the_wheel(self, folder: Path) -> None:
        assert sum(file.stat().st_size for file in folder.iterdir()) < 15 * MEGABYTE

    def test_it_records_its_training(self, folder: Path) -> None:
        training = json.loads((folder / "model.json").read_text())["training"]
        assert set(training["subjects"]) & set(training["held_out"]) == set()
        assert {"subjects", "held_out", "recipe"} <= set(training)
        assert "seed" in training["recipe"]
        assert (folder / "MODEL_CARD.md").is_file()


def test_itk_reads_the_output_where_the_source_lies(made: Path) -> None:
    output = sitk.ReadImage(str(made))
    source = sitk.ReadImage(str(SEG))
    for what in ("GetSize", "GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(output, what)() == getattr(source, what)()


def test_background_stays_exactly_0_and_tissue_does_not(made: Path) -> None:
    output = read_voxels(made)
    labels = read_voxels(SEG)
    assert not output[labels == 0].any()
    assert np.count_nonzero(output[labels > 0]) > 0.99 * np.count_nonzero(labels)


def test_tissues_have_the_order_of_a_t1w(made: Path) -> None:
    output = read_voxels(made)
    labels = read_voxels(SEG)
    csf, gm, wm = (output[labels == value].mean() for value in (1, 2, 3))
    assert csf < gm < wm


def test_it_is_closer_to_the_scan_than_flat_paint(made: Path) -> None:
    """The sample is a mean of many heads, so this only tells a working model from a broken one."""
    labels = read_voxels(SEG)
    inside = labels > 0
    real = normalise(read_voxels(T1), labels)[inside]
    output = normalise(read_voxels(made), labels)[inside]
    paint = np.array([0, *ANCHORS.values()], np.float32)[labels][inside, np.newaxis]
    assert np.mean((output - real) ** 2) < np.mean((paint - real) ** 2)
    # Flat paint has no texture inside a tissue.
    assert output[labels[inside] == 3].std() > 0.01


def normalise(image: NDArray[Any], labels: NDArray[Any]) -> NDArray[np.float32]:
    return Window.from_tissues(image, labels, OASIS).encode(image)


def test_a_head_takes_less_than_two_gigabytes(cold_start: list[str]) -> None:
    assert 0 < int(cold_start[-1]) * 1024 < 2e9
