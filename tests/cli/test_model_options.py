"""The options of a model: `oasis-gan models` lists them, and `oasis-gan run` passes them on."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable
from pathlib import Path

import nibabel as nib
import numpy as np
import oasis_gan_pix2pix
import pytest
from kit.tool import Painting, oasis_gan

PIX2PIX_FOLDER = Path(oasis_gan_pix2pix.__file__).parent / "models" / "tissue-to-t1w"
LISTENING = """
import sys
from pathlib import Path
import numpy as np
from oasis_gan import (
    OASIS,
    Canvas,
    ModelCard,
    ModelKind,
    Option,
    Plane,
    Window,
    hookimpl,
    slicewise,
)

CARD = ModelCard(
    name="listening",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 1000), (0, 1)),
    output="T1w",
    options=(
        Option(name="texture", help="How rough it is.", default=0.5, minimum=0, maximum=1),
        Option(name="passes", help="How often it listens.", default=2, minimum=1),
        Option(name="flip", help="Whether it listens to the mirror image too.", default=False),
    ),
)

def predict(slices, mask):
    return slices[..., :1]

def load(folder, **options):
    print("asked for", options, file=sys.stderr)
    return slicewise(predict, CARD, planes=[Plane.AXIAL], canvas=Canvas(1.0, size=1, multiple=1))

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="listening",
        summary="Says what it is asked for",
        card=lambda _: CARD,
        load=load,
        shipped={"listening": Path()},
    )
"""


@pytest.fixture
def seg(tmp_path: Path) -> Path:
    """Save a small label map."""
    nib.save(nib.Nifti1Image(np.ones((4, 5, 6), np.uint8), np.eye(4)), tmp_path / "seg.nii.gz")
    return tmp_path / "seg.nii.gz"


@pytest.fixture
def listen(seg: Path, tmp_path: Path) -> Callable[..., subprocess.CompletedProcess[str]]:
    """Return ``oasis-gan run`` with a model that says what it is asked for."""
    (tmp_path / "listening.py").write_text(LISTENING)

    def run(*words: str) -> subprocess.CompletedProcess[str]:
        model = ("--plugin", "listening.py", "--model", "listening", "--out", "out")
        return oasis_gan("run", seg, *model, *words, cwd=tmp_path)

    return run


Listen = Callable[..., subprocess.CompletedProcess[str]]


@pytest.mark.parametrize(
    ("words", "changed"),
    [
        ((), {}),
        (("--texture", "0"), {"texture": 0.0}),
        (("--option", "texture=1"), {"texture": 1.0}),
        (("--option", "passes=3", "--option", "flip=true"), {"passes": 3, "flip": True}),
    ],
)
def test_a_model_gets_what_the_user_chose_and_the_defaults_of_the_rest(
    listen: Listen, words: tuple[str, ...], changed: dict[str, object]
) -> None:
    done = listen(*words)
    assert done.returncode == 0, done.stderr
    expected = {"texture": 0.5, "passes": 2, "flip": False, **changed}
    assert f"asked for {expected}" in done.stderr.splitlines()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--option", "texture=2"), "--option: expected a number from 0 to 1, found 2;"),
        (("--texture", "nan"), "--texture: expected a number from 0 to 1, found nan;"),
        (("--option", "passes=1.5"), "--option: expected a whole number of at least 1, found 1.5;"),
        (("--option", "flip=maybe"), "--option: expected true or false, found maybe;"),
        (
            ("--option", "depth=3"),
            "--option: expected an option of listening (texture, passes, flip), found depth;",
        ),
        (
            ("--plane", "axial"),
            "--plane: expected an option of listening (texture, passes, flip), found plane;",
        ),
        (
            ("--texture", "1", "--option", "texture=0"),
            "--option: expected one value for texture, found 1 and 0;",
        ),
        (("--option", "texture"), "expected NAME=VALUE, found texture"),
    ],
)
def test_an_option_that_the_model_does_not_understand_is_one_line(
    listen: Listen, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    done = listen(*words)
    assert done.returncode == 2
    assert said in done.stderr
    assert not (tmp_path / "out").exists()


def test_another_value_of_an_option_is_another_output(listen: Listen) -> None:
    assert listen("--option", "passes=3").returncode == 0
    assert "already there" in listen("--option", "passes=3").stderr
    done = listen("--option", "passes=4")
    assert done.returncode == 1
    assert "passes" in done.stderr


def test_models_describes_a_model_and_its_options(tmp_path: Path) -> None:
    (tmp_path / "listening.py").write_text(LISTENING)
    done = oasis_gan("models", "listening", "--plugin", "listening.py", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert "source  labels (oasis)" in lines
    assert "output  T1w (image)" in lines
    assert any(
        re.fullmatch(r"passes +2 +a whole number of at least 1 +How often it listens\.", line)
        for line in lines
    )


def test_a_model_folder_can_be_described_too() -> None:
    done = oasis_gan("models", PIX2PIX_FOLDER, cwd=PIX2PIX_FOLDER)
    assert done.returncode == 0, done.stderr
    assert re.search(
        r"^plane +auto +auto, axial, coronal, sagittal or all", done.stdout, re.MULTILINE
    )


def test_a_model_without_texture_says_so_in_one_line(
    seg: Path, tmp_path: Path, paint: Painting
) -> None:
    done = paint(seg, "--texture", "0.5")
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert (
        "--texture: expected an option of paint (plane), found texture; leave it out" in done.stderr
    )
    assert not (tmp_path / "out").exists()


def test_a_model_whose_load_takes_a_folder_alone_works_as_ever(seg: Path, paint: Painting) -> None:
    done = paint(seg)
    assert done.returncode == 0, done.stderr
