"""A training keeps its precision when it is resumed on any machine, and its model records it."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from kit.processors import EMULATED, UNDECIDED, WITHOUT_BFLOAT16
from kit.tiny_training import OBJECTIVES, PLAIN, PREDICTION, TINY, batch, head, run
from kit.tool import oasis_gan
from oasis_gan_keras import hardware
from oasis_gan_keras.backend import keras
from oasis_gan_keras.variables import read_variables
from oasis_gan_pix2pix.recipe import Recipe
from oasis_gan_pix2pix.trainer import Pix2PixTrainer

SHORT: dict[str, Any] = {**TINY, "steps": 2, "checkpoint_every": 1}
LONGER: dict[str, Any] = {**SHORT, "steps": 3}

needs_bfloat16 = pytest.mark.skipif(
    bool(hardware.find_convolution_failure("bfloat16")),
    reason="this machine has no bfloat16, or it is turned off",
)


def read_precision(out: Path) -> str:
    """Return the precision that a model was trained in."""
    return str(json.loads((out / "model.json").read_text())["training"]["precision"])


@needs_bfloat16
@pytest.mark.parametrize("objective", OBJECTIVES)
def test_bfloat16_takes_the_step_of_float32(objective: str) -> None:
    """Losses agree to 1 %, norms of gradients to 10 %, and 90 % of the steps in their sign."""
    metrics = {}
    steps = {}
    for precision in ("float32", "bfloat16"):
        recipe = Recipe(
            **{**PLAIN, "size": 16, "loss": {"objective": objective}, "precision": precision}
        )
        keras.utils.set_random_seed(1)
        trainer = Pix2PixTrainer(recipe, PREDICTION, 10)
        before = read_variables(trainer.generator)
        metrics[precision] = trainer.update(0, *batch())
        after = read_variables(trainer.generator)
        steps[precision] = np.concatenate([(after[name] - before[name]).ravel() for name in before])
    for name, metric in metrics["float32"].items():
        bound = 0.1 if name.endswith("gradient") else 0.01
        assert metrics["bfloat16"][name] == pytest.approx(metric, rel=bound), name
    same_sign = np.sign(steps["float32"]) == np.sign(steps["bfloat16"])
    assert same_sign.mean() > 0.9
    assert (steps["float32"] != steps["bfloat16"]).any()


@needs_bfloat16
def test_a_training_begun_in_bfloat16_keeps_it_where_auto_would_take_float32(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "find_fast_precision", lambda: "bfloat16")
    assert "precision: bfloat16" in run(tmp_path / "m", SHORT)
    monkeypatch.setattr(hardware, "find_fast_precision", lambda: "float32")
    assert "precision: bfloat16" in run(tmp_path / "m", LONGER, resume=True)
    assert read_precision(tmp_path / "m") == "bfloat16"


@needs_bfloat16
def test_a_training_begun_in_float32_keeps_it_where_auto_would_take_bfloat16(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(hardware, "find_fast_precision", lambda: "float32")
    run(tmp_path / "m", SHORT)
    monkeypatch.setattr(hardware, "find_fast_precision", lambda: "bfloat16")
    run(tmp_path / "m", LONGER, resume=True)
    assert read_precision(tmp_path / "m") == "float32"


@needs_bfloat16
def test_a_training_may_be_resumed_in_another_precision_and_its_model_records_it(
    tmp_path: Path,
) -> None:
    run(tmp_path / "m", {**SHORT, "precision": "bfloat16"})
    lines = run(tmp_path / "m", {**LONGER, "precision": "float32"}, resume=True)
    assert "precision: bfloat16, then float32" in lines
    assert read_precision(tmp_path / "m") == "bfloat16, then float32"


def test_a_recipe_with_an_unsupported_precision_is_trained_in_float32_with_a_note(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        hardware,
        "find_convolution_failure",
        lambda precision: precision == "bfloat16" and "no primitive",
    )
    line = (
        "precision: computing in float32, "
        "because a convolution in bfloat16 fails on this machine (no primitive)"
    )
    assert line in run(tmp_path / "m", {**SHORT, "precision": "bfloat16"})
    # The training stays in float32 even where bfloat16 works.
    monkeypatch.undo()
    run(tmp_path / "m", {**LONGER, "precision": "bfloat16"}, resume=True)
    assert read_precision(tmp_path / "m") == "float32"


def test_a_training_in_bfloat16_is_not_resumed_silently_on_a_machine_without_it(
    tmp_path: Path,
) -> None:
    labels, image = head()
    (tmp_path / "head").mkdir()
    nib.save(nib.Nifti1Image(labels, np.eye(4)), tmp_path / "head/seg.nii.gz")
    nib.save(nib.Nifti1Image(image, np.eye(4)), tmp_path / "head/t1.nii.gz")
    (tmp_path / "tiny.toml").write_text(
        "steps = 2\nsize = 16\nbatch = 2\nprecision = 'bfloat16'\n"
        "[generator]\nlevels = 2\nfilters = 4\n"
        "[discriminator]\nreceptive_field = 16\nfilters = 4\n"
    )

    def train(*words: object, **environment: str) -> subprocess.CompletedProcess[str]:
        return oasis_gan("train", *words, cwd=tmp_path, env={**UNDECIDED, **environment})

    pairs = (
        "--source-suffix",
        "seg.nii.gz",
        "--target-suffix",
        "t1.nii.gz",
        "--recipe",
        "tiny.toml",
    )
    begun = train(tmp_path / "head", *pairs, "--out", "m", **EMULATED)
    assert begun.returncode == 0, begun.stderr
    before = (tmp_path / "m/model.json").read_bytes()

    refused = train("--resume", "m", "--set", "steps=3", **WITHOUT_BFLOAT16)
    assert refused.returncode == 2
    last = refused.stderr.splitlines()[-1]
    assert (
        "m: expected a training that computes in bfloat16, found computing in float32, because"
        in last
    )
    assert "resume it on a machine that supports it, or continue with precision=float32" in last
    assert (tmp_path / "m/model.json").read_bytes() == before

    changed = train(
        "--resume", "m", "--set", "steps=3", "--set", "precision=float32", **WITHOUT_BFLOAT16
    )
    assert changed.returncode == 0, changed.stderr
    assert read_precision(tmp_path / "m") == "bfloat16, then float32"
