"""What `oasis-gan run` passes on to a model: the options that its kind takes, and that the user gave."""

from __future__ import annotations

from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan

LISTENING = """
import sys
from pathlib import Path
import numpy as np
from oasis_gan import OASIS, Canvas, ModelCard, ModelKind, Plane, Window, hookimpl

CARD = ModelCard(
    name="listening", version="1", source=OASIS, target=Window((0, 1000), (0, 1)), output="T1w",
    planes=(Plane.AXIAL,), canvas=Canvas(1.0, size=1, multiple=1), weights_sha256="", texture=0.5,
)

class Listening:
    card = CARD
    def translate(self, slices, wanted):
        return slices[..., :1]

def load(folder, **options):
    print("asked for", options, file=sys.stderr)
    return Listening()

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="listening",
        summary="Says what it is asked for",
        card=lambda _: CARD,
        load=load,
        shipped={"listening": Path()},
        options=("texture",),
    )
"""


@pytest.fixture
def seg(tmp_path: Path) -> Path:
    """Save a small label map."""
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.eye(4)), tmp_path / "seg.nii.gz")
    return tmp_path / "seg.nii.gz"


@pytest.mark.parametrize(("words", "asked"), [((), "{}"), (("--texture", "0"), "{'texture': 0.0}")])
def test_a_model_is_asked_for_what_the_user_gave_and_no_more(
    seg: Path, tmp_path: Path, words: tuple[str, ...], asked: str
) -> None:
    (tmp_path / "listening.py").write_text(LISTENING)
    model = ("--plugin", "listening.py", "--model", "listening", "--out", "out")
    done = oasis_gan("run", seg, *model, *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    assert f"asked for {asked}" in done.stderr.splitlines()


def test_a_model_without_texture_says_so_in_one_line(seg: Path, tmp_path: Path, paint: Painting) -> None:
    done = paint(seg, "--texture", "0.5")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "--texture: expected a model with a smooth and a textured end, found one without" in done.stderr
    assert not (tmp_path / "out").exists()


def test_a_model_whose_load_takes_a_folder_alone_works_as_ever(seg: Path, paint: Painting) -> None:
    done = paint(seg)
    assert done.returncode == 0, done.stderr
