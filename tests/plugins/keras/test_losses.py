"""A loss in a file of its own can be trained with, logged and checked without further changes."""

from __future__ import annotations

import csv
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import nibabel as nib
import numpy as np
import pytest
from kit.places import EXAMPLES
from kit.tiny_training import head
from kit.tool import oasis_gan
from oasis_gan_keras.losses import loss

from oasis_gan import OasisGanError

EXAMPLE = EXAMPLES / "plugins" / "a_loss.py"
HEADER = "from oasis_gan_keras import loss\nfrom oasis_gan_keras.backend import tf\n"
TINY = """
steps = 2
size = 16
batch = 2
checkpoint_every = 1
[generator]
levels = 2
filters = 4
[discriminator]
receptive_field = 16
filters = 4
"""


def make_folder(folder: Path) -> Path:
    """Save two heads, a recipe and the example in a folder, and return it."""
    for number, name in enumerate(("one", "two")):
        labels, image = head(number)
        (folder / "heads" / name).mkdir(parents=True)
        nib.save(nib.Nifti1Image(labels, np.eye(4)), folder / "heads" / name / "seg.nii.gz")
        nib.save(nib.Nifti1Image(image, np.eye(4)), folder / "heads" / name / "t1.nii.gz")
    (folder / "tiny.toml").write_text(TINY)
    shutil.copy(EXAMPLE, folder)
    return folder


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder with two heads, a recipe and the example."""
    return make_folder(tmp_path)


def train(folder: Path, *words: object) -> subprocess.CompletedProcess[str]:
    """Train on the heads in a folder as a user does."""
    pairs = (
        "--source-suffix",
        "seg.nii.gz",
        "--target-suffix",
        "t1.nii.gz",
        "--recipe",
        "tiny.toml",
    )
    return oasis_gan("train", "heads", *pairs, "--out", "m", *words, cwd=folder)


def check(folder: Path, plugin: str) -> subprocess.CompletedProcess[str]:
    """Check a plugin as its author does."""
    return oasis_gan("plugins", "--check", plugin, cwd=folder)


class Trained(NamedTuple):
    """A folder with a training that uses the example, and what that training logged."""

    folder: Path
    log: str


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Trained:
    """Train with the example; tests leave the training as it is."""
    folder = make_folder(tmp_path_factory.mktemp("losses"))
    begun = train(folder, "--plugin", "a_loss.py", "--set", "loss.terms.edges=10")
    assert begun.returncode == 0, begun.stderr
    return Trained(folder, begun.stderr)


def test_a_loss_of_a_plugin_is_a_column_of_the_table_and_part_of_the_log(trained: Trained) -> None:
    with (trained.folder / "m" / "losses.csv").open() as file:
        (row,) = csv.DictReader(file)
    assert float(row["edges"]) > 0
    assert re.search(r"edges \d\.\d{4}", trained.log)


def test_the_model_records_the_weight_of_the_loss(trained: Trained) -> None:
    model = json.loads((trained.folder / "m" / "model.json").read_text())
    assert model["training"]["recipe"]["loss"]["terms"] == {"edges": 10.0}


def test_without_the_plugin_a_training_is_not_resumed(trained: Trained) -> None:
    words = ("train", "--resume", "m", "--set", "steps=3")
    refused = oasis_gan(*words, cwd=trained.folder)
    assert refused.returncode == 2
    last = refused.stderr.splitlines()[-1]
    assert "recipe: loss.terms.edges: expected a loss that a plugin offers" in last
    assert "name its file with --plugin" in last


def test_with_the_plugin_a_training_is_resumed(trained: Trained, tmp_path: Path) -> None:
    folder = shutil.copytree(trained.folder, tmp_path / "copy")
    words = ("train", "--resume", "m", "--plugin", "a_loss.py", "--set", "steps=3")
    resumed = oasis_gan(*words, cwd=folder)
    assert resumed.returncode == 0, resumed.stderr


def test_a_model_translates_without_the_losses_it_was_trained_with(
    trained: Trained, tmp_path: Path
) -> None:
    words = ("run", "heads/one/seg.nii.gz", "--model", "m", "--out", tmp_path / "out")
    translated = oasis_gan(*words, cwd=trained.folder)
    assert translated.returncode == 0, translated.stderr


def test_the_weight_of_a_loss_changes_the_model(folder: Path) -> None:
    weights = []
    for weight in ("0.001", "1000"):
        shutil.rmtree(folder / "m", ignore_errors=True)
        done = train(folder, "--plugin", "a_loss.py", "--set", f"loss.terms.edges={weight}")
        assert done.returncode == 0, done.stderr
        weights.append((folder / "m" / "weights.safetensors").read_bytes())
    assert weights[0] != weights[1]


def test_a_running_training_keeps_its_losses(folder: Path) -> None:
    assert train(folder, "--plugin", "a_loss.py", "--set", "loss.terms.edges=10").returncode == 0
    changed = ("--plugin", "a_loss.py", "--set", "loss.terms.edges=5", "--set", "steps=3")
    refused = oasis_gan("train", "--resume", "m", *changed, cwd=folder)
    assert refused.returncode == 2
    assert (
        "recipe: loss.terms.edges: expected 10.0, with which this training began" in refused.stderr
    )


def test_the_example_keeps_the_contract_and_is_short(folder: Path) -> None:
    done = check(folder, "a_loss.py")
    assert (done.returncode, done.stdout) == (0, "edges: 7 checks kept, 0 broken, 0 skipped\n"), (
        done.stderr
    )
    assert len(EXAMPLE.read_text().splitlines()) < 60


def test_an_installed_loss_is_found_by_its_name(folder: Path) -> None:
    site = folder / "site"
    info = site / "edge_loss-1.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: edge-loss\nVersion: 1\n")
    (info / "entry_points.txt").write_text("[oasis_gan]\nedge-loss = a_loss\n")
    shutil.copy(EXAMPLE, site)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    checked = oasis_gan("plugins", "--check", "edge-loss", cwd=folder, env=environment)
    assert checked.stdout == "edges: 7 checks kept, 0 broken, 0 skipped\n", checked.stderr
    pairs = (
        "--source-suffix",
        "seg.nii.gz",
        "--target-suffix",
        "t1.nii.gz",
        "--recipe",
        "tiny.toml",
    )
    words = ("train", "heads", *pairs, "--out", "m", "--set", "loss.terms.edges=10")
    trained = oasis_gan(*words, cwd=folder, env=environment)
    assert trained.returncode == 0, trained.stderr


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (
            "return tf.reduce_mean(inputs.real - inputs.generated)",
            "a number for each slice, of shape (n,), found ()",
        ),
        ("return 1 / 0", "found ZeroDivisionError: division by zero"),
        ("raise SystemExit(0)", "found SystemExit: 0"),
        ("return inputs.no_such_thing", "found AttributeError"),
        (
            "return tf.reduce_mean(inputs.real, (1, 2, 3))",
            "a gradient for the generator, found none",
        ),
        ("return tf.reduce_mean(inputs.generated, (1, 2, 3)) / 0", "finite losses"),
        (
            "return tf.reduce_mean(inputs.generated, (1, 2, 3)) - tf.reduce_mean(inputs.generated)",
            "a loss of each slice alone",
        ),
    ],
)
def test_a_broken_loss_is_reported_in_one_line(folder: Path, body: str, message: str) -> None:
    (folder / "mine.py").write_text(f"{HEADER}\n@loss('mine')\ndef mine(inputs):\n    {body}\n")
    done = check(folder, "mine.py")
    assert done.returncode == 1
    (line,) = done.stdout.splitlines()
    assert message in line


def test_a_loss_that_fails_ends_the_training_with_one_line(folder: Path) -> None:
    (folder / "mine.py").write_text(
        f"{HEADER}\n@loss('mine')\ndef mine(inputs):\n    return 1 / 0\n"
    )
    done = train(folder, "--plugin", "mine.py", "--set", "loss.terms.mine=1")
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    last = done.stderr.splitlines()[-1]
    assert f"loss mine ({folder / 'mine.py'}): expected a number for each slice" in last
    assert "found ZeroDivisionError: division by zero" in last


@pytest.mark.parametrize("name", ["", "two words", "a,b", "validation_L1", "mine_gradient", "7th"])
def test_a_name_that_cannot_be_a_column_of_the_table_is_refused(name: str) -> None:
    with pytest.raises(OasisGanError, match="loss: expected a name of letters"):
        loss(name)(lambda inputs: inputs.real)


def test_two_files_cannot_offer_losses_of_one_name(folder: Path) -> None:
    (folder / "same.py").write_text(EXAMPLE.read_text())
    done = oasis_gan("plugins", "--plugin", "a_loss.py", "--plugin", "same.py", cwd=folder)
    assert done.returncode == 2
    first = folder / "a_loss.py"
    second = folder / "same.py"
    assert (
        f"loss edges: expected a name that {first} does not use, found {second}; rename it"
        in done.stderr
    )


@pytest.mark.parametrize("name", ["L1", "texture", "adversarial", "discriminator"])
def test_the_losses_of_pix2pix_have_weights_of_their_own(folder: Path, name: str) -> None:
    done = train(folder, "--set", f"loss.terms.{name}=1")
    assert done.returncode == 2
    assert f"recipe: loss.terms.{name}: expected a loss that is not part of Pix2Pix" in done.stderr


def test_naming_the_file_imports_no_tensorflow(folder: Path) -> None:
    code = (
        "import sys\nfrom pathlib import Path\nfrom oasis_gan.plugin.registry import Registry\n"
        "Registry.discover([Path('a_loss.py')])\nassert 'tensorflow' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], cwd=folder, check=True)
