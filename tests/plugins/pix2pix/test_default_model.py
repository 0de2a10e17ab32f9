"""The model that ships: it keeps the contract, and makes an MRI of the sample tissue map as a new user would."""

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

SEG, T1 = EXAMPLES / "mni152_seg.nii.gz", EXAMPLES / "mni152_t1.nii.gz"
MEGABYTE = 1e6


# The tool, in a process whose only child it is; its last line is the most memory that it took, in KiB.
COLD_START = """
import resource, subprocess, sys
process = subprocess.run([sys.executable, "-m", "oasis_gan", "run", *sys.argv[1:]], check=True)
print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss)
"""


@pytest.fixture(scope="module")
def cold_start(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    """Translate the sample head by a cold start of the tool with nothing but defaults; return what is printed."""
    folder = tmp_path_factory.mktemp("out")
    command = [sys.executable, "-c", COLD_START, str(SEG), "--out", str(folder)]
    process = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert process.returncode == 0, process.stderr
    assert len(process.stderr.splitlines()) == 1, process.stderr
    return process.stdout.splitlines()


@pytest.fixture(scope="module")
def made(cold_start: list[str]) -> Path:
    """Return the output of that."""
    return Path(cold_start[0])


def voxels(path: Path) -> NDArray[Any]:
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

    def test_it_tells_what_it_learnt_from(self, folder: Path) -> None:
        training = json.loads((folder / "model.json").read_text())["training"]
        assert set(training["subjects"]) & set(training["held_out"]) == set()
        assert {"subjects", "held_out", "recipe"} <= set(training)
        assert "seed" in training["recipe"]
        assert (folder / "MODEL_CARD.md").is_file()


def test_itk_reads_the_output_where_the_source_lies(made: Path) -> None:
    output, source = sitk.ReadImage(str(made)), sitk.ReadImage(str(SEG))
    for what in ("GetSize", "GetOrigin", "GetSpacing", "GetDirection"):
        assert getattr(output, what)() == getattr(source, what)()


def test_background_stays_exactly_0_and_tissue_does_not(made: Path) -> None:
    output, labels = voxels(made), voxels(SEG)
    assert not output[labels == 0].any()
    assert np.count_nonzero(output[labels > 0]) > 0.99 * np.count_nonzero(labels)


def test_tissues_have_the_order_of_a_t1w(made: Path) -> None:
    output, labels = voxels(made), voxels(SEG)
    csf, gm, wm = (output[labels == value].mean() for value in (1, 2, 3))
    assert csf < gm < wm


def test_it_is_nearer_to_the_scan_than_flat_paint(made: Path) -> None:
    """On a mean of heads, smoother than any: this tells a model that works from one that does not, and no more."""
    labels, inside = voxels(SEG), voxels(SEG) > 0
    real, output = (
        Window.anchored(of, labels, OASIS).encode(of)[inside] for of in (voxels(T1), voxels(made))
    )
    paint = np.array([0, *ANCHORS.values()], np.float32)[labels][inside, np.newaxis]
    assert np.mean((output - real) ** 2) < np.mean((paint - real) ** 2)
    # Paint has no texture inside a tissue at all.
    assert output[labels[inside] == 3].std() > 0.01


def test_a_head_takes_less_than_two_gigabytes(cold_start: list[str]) -> None:
    assert 0 < int(cold_start[-1]) * 1024 < 2e9
