"""`oasis-gan train` combines presets, recipes and settings, and resumes trainings."""

from __future__ import annotations

import json
import os
import platform
import sys
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from kit.tool import oasis_gan
from safetensors.numpy import load_file

from oasis_gan import OasisGanError
from oasis_gan.cli.main import cli

RECIPE = """
steps = 3
size = 16
checkpoint_every = 1
[generator]
levels = 2
filters = 4
[discriminator]
filters = 4
receptive_field = 16
"""
PAIRS = ("--source-suffix", "seg.nii.gz", "--target-suffix", "t1.nii.gz")


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("heads")
    for seed, name in enumerate(("one", "two")):
        rng = np.random.default_rng(seed)
        labels = np.zeros((20, 22, 18), np.uint8)
        labels[2:-2, 2:-2, 2:-2] = rng.integers(1, 4, (16, 18, 14))
        image = (
            np.array([0, 20, 45, 70])[labels] + rng.normal(0, 1, labels.shape) * (labels > 0)
        ).astype(np.float32)
        (folder / name).mkdir()
        nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / name / "seg.nii.gz")
        nib.save(nib.Nifti1Image(image, np.eye(4)), folder / name / "t1.nii.gz")
    (folder / "tiny.toml").write_text(RECIPE)
    return folder


def train(*words: object) -> str:
    """Return what `oasis-gan train` prints; raise what it raises."""
    result = CliRunner().invoke(cli, ["train", *map(str, words)], standalone_mode=False)
    if result.exception:
        raise result.exception
    return result.stdout


def test_a_training_writes_the_promised_files_and_can_be_resumed(
    heads: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m"
    printed = train(
        heads,
        *PAIRS,
        "--recipe",
        heads / "tiny.toml",
        "--validate",
        "two",
        "--set",
        "name=x",
        "--out",
        out,
    )
    assert printed.split() == [str(out)]
    for name in (
        "model.json",
        "weights.safetensors",
        "losses.csv",
        "curves.png",
        "split.tsv",
        "recipe.toml",
        "best",
    ):
        assert (out / name).exists(), name
    content: dict[str, Any] = json.loads((out / "model.json").read_text())
    assert content["name"] == "x"
    assert content["training"]["held_out"] == ["two"]
    before = (out / "weights.safetensors").read_bytes()
    train("--resume", out)
    assert (out / "weights.safetensors").read_bytes() == before
    train("--resume", out, "--set", "steps=4")
    assert json.loads((out / "model.json").read_text())["training"]["step"] == 4
    with pytest.raises(OasisGanError, match="a new folder"):
        train(heads, *PAIRS, "--recipe", heads / "tiny.toml", "--out", out)


def test_settings_override_a_recipe_which_overrides_a_preset(heads: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    small = (
        "--set",
        "generator.levels=4",
        "--set",
        "epochs=1",
        "--set",
        "batch=64",
        "--set",
        "generator.filters=2",
    )
    (tmp_path / "r.toml").write_text("size = 32\n[discriminator]\nfilters = 2\n")
    train(
        heads / "one",
        *PAIRS,
        "--preset",
        "paper",
        "--recipe",
        tmp_path / "r.toml",
        *small,
        "--out",
        out,
    )
    recipe = json.loads((out / "model.json").read_text())["training"]["recipe"]
    assert recipe["generator"]["dropout"] == 0.5
    assert (recipe["generator"]["levels"], recipe["size"], recipe["epochs"]) == (4, 32, 1)
    assert (recipe["discriminator"]["filters"], recipe["discriminator"]["norm"]) == (2, "batch")


def test_settings_go_over_a_recipe_under_their_earlier_names_too(
    heads: Path, tmp_path: Path
) -> None:
    out = tmp_path / "m"
    (tmp_path / "r.toml").write_text("keep = 5\n[generator]\nleak = 0.1\nwidest = 2\n")
    tiny = ("--set", "size=16", "--set", "steps=1")
    networks = (
        *("--set", "generator.levels=2", "--set", "generator.filters=2"),
        *("--set", "discriminator.filters=2", "--set", "discriminator.receptive_field=16"),
    )
    train(
        heads / "one",
        *PAIRS,
        *("--preset", "tensorflow-tutorial", "--recipe", tmp_path / "r.toml", "--out", out),
        *tiny,
        *networks,
        *("--set", "constant=0.25", "--set", "discriminator.leak=0.05"),
    )
    recipe = json.loads((out / "model.json").read_text())["training"]["recipe"]
    # The preset has 1.0 and 0.3, under the present names.
    assert recipe["decay_start"] == 0.25
    assert recipe["discriminator"]["leaky_relu_slope"] == 0.05
    assert recipe["generator"]["leaky_relu_slope"] == 0.1
    assert recipe["generator"]["max_filter_multiple"] == 2
    assert recipe["keep_checkpoints"] == 5


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--resume", "{heads}"), "a training to resume"),
        (("--resume", "{heads}", "--preset", "paper"), "found --preset; leave it out"),
        (
            ("--resume", "{heads}", "--target-suffix", "_t1.nii"),
            "found --target-suffix; leave it out",
        ),
        (("--resume", "{heads}", "--max-voxels", "1000"), "found --max-voxels; leave it out"),
        (
            ("--resume", "{heads}", "--participant-label", "01"),
            "found --participant-label; leave it out",
        ),
        (
            ("--resume", "{heads}", "{heads}"),
            "found SOURCE; leave it out; --source says where the data lie now",
        ),
        (
            ("{heads}", "--out", "{out}", "--source", "{heads}"),
            "--source: expected --resume beside it",
        ),
        (("{heads}",), "SOURCE and --out, or --resume"),
        (("{heads}", "--out", "{out}", "--preset", "none"), "one of 2.5d, paper, "),
        (("{heads}", "--out", "{out}", "--set", "steps=0", *PAIRS), "recipe: steps"),
        (("{heads}", "--out", "{out}", "--set", "spacing=nan", *PAIRS), "recipe: spacing"),
        (("{heads}", "--out", "{out}", "--validate", "three", *PAIRS), "one of one, two"),
        (
            ("{heads}", "--out", "{out}", "--validate", "one", "--validate", "two", *PAIRS),
            "a subject to train on",
        ),
    ],
)
def test_an_invalid_command_is_one_line_and_leaves_nothing(
    heads: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    with pytest.raises(OasisGanError) as caught:
        train(*(word.format(heads=heads, out=tmp_path / "m") for word in words))
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "m").exists()


def test_settings_are_refused_before_tensorflow_starts(heads: Path, tmp_path: Path) -> None:
    import subprocess
    import sys

    script = (
        "import sys\nfrom oasis_gan.cli.main import cli\n"
        f"words = ['train', {str(heads)!r}, '--out', {str(tmp_path / 'm')!r}, '--set', 'batch=0']\n"
        "try:\n    cli.main(words, standalone_mode=False)\n"
        "except Exception as error:\n    print(error, 'tensorflow' in sys.modules)\n"
    )
    process = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True
    )
    assert "recipe: batch" in process.stdout
    assert process.stdout.strip().endswith("False")


def test_training_with_onednn_agrees_with_training_without_it(heads: Path, tmp_path: Path) -> None:
    recipe = ("--recipe", heads / "tiny.toml", "--set", "precision=float32")
    words = ("train", heads, *PAIRS, *recipe, "--validate", "two")
    states = []
    for setting in ("0", "1", None):
        out = tmp_path / f"m{setting}"
        said = {} if setting is None else {"TF_ENABLE_ONEDNN_OPTS": setting}
        unsaid = {
            name: value for name, value in os.environ.items() if name != "TF_ENABLE_ONEDNN_OPTS"
        }
        made = oasis_gan(*words, "--out", out, cwd=tmp_path, env=unsaid | said)
        assert made.returncode == 0, made.stderr
        states.append(load_file(out / "checkpoints" / "step-000000003.safetensors"))
    for name, array in states[0].items():
        np.testing.assert_allclose(states[1][name], array, rtol=1e-3, atol=1e-5, err_msg=name)
        # oneDNN is what is taken where nobody says anything.
        np.testing.assert_array_equal(states[2][name], states[1][name])
    if platform.machine() == "x86_64" and sys.platform == "linux":
        # TensorFlow has it there, and it is not the same to the bit.
        assert any((states[1][name] != array).any() for name, array in states[0].items())
