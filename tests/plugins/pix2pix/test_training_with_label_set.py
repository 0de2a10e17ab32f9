"""A model trained on a label set of a plugin does not need the plugin any more."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.heads import PAIRS, save_head
from kit.places import EXAMPLES
from kit.tool import TINY, oasis_gan

PLUGIN = ("--plugin", "a_label_set.py")
LESION = 4


def add_lesion(path: Path) -> None:
    """Give a label map a value that no built-in set of tissues has."""
    image = nib.Nifti1Image.from_filename(path)
    labels = np.asarray(image.dataobj).copy()
    labels[8:12, 8:12, 8:12] = LESION
    nib.save(nib.Nifti1Image(labels, image.affine), path)


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two heads with lesions, and a model ``m`` that was trained on them."""
    folder = tmp_path_factory.mktemp("study")
    (folder / "heads").mkdir()
    for seed, name in enumerate("ab"):
        save_head(folder / "heads", name, seed)
        add_lesion(folder / "heads" / f"{name}_seg.nii.gz")
    (folder / "tiny.toml").write_text(TINY)
    shutil.copy(EXAMPLES / "plugins" / "a_label_set.py", folder)
    recipe = ("--recipe", "tiny.toml", "--set", "labels=Lesion-Study")
    words = ("--labels", "lesion-study", *PLUGIN, *recipe)
    done = oasis_gan("train", "heads", *PAIRS, *words, "--out", "m", cwd=folder)
    assert done.returncode == 0, done.stderr
    return folder


def test_the_model_knows_its_labels_without_the_plugin(study: Path) -> None:
    source = json.loads((study / "m" / "model.json").read_text())["source"]
    assert source["name"] == "lesion-study"
    assert source["labels"][3] == {"value": 4, "name": "Lesion", "tissue": "WM"}
    done = oasis_gan("run", "heads/a_seg.nii.gz", "--model", "m", "--out", "out", cwd=study)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == ["out/a_seg_synthimage.nii.gz"]
    named = ("--labels", "lesion-study", "--out", "named")
    again = oasis_gan("run", "heads/a_seg.nii.gz", "--model", "m", *named, cwd=study)
    assert again.returncode == 0, again.stderr
    first, second = (
        nib.Nifti1Image.from_filename(study / out / "a_seg_synthimage.nii.gz").get_fdata()
        for out in ("out", "named")
    )
    np.testing.assert_array_equal(first, second)


def test_a_training_does_not_go_on_without_the_plugin(study: Path) -> None:
    done = oasis_gan("train", "--resume", "m", "--set", "steps=3", cwd=study)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("oasis-gan: recipe: labels: expected one of oasis, ")
    assert line.endswith(
        "found Lesion-Study; name one of these, "
        "or with --plugin the file of the plugin that brings it"
    )


def test_a_training_does_not_go_on_with_other_labels_of_the_same_name(study: Path) -> None:
    text = (study / "a_label_set.py").read_text()
    (study / "changed.py").write_text(text.replace('tissue="WM"', 'tissue="GM"'))
    again = ("--plugin", "changed.py", "--set", "steps=3")
    done = oasis_gan("train", "--resume", "m", *again, cwd=study)
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert "expected the label set that this training began with, lesion-study (" in line


def test_a_training_goes_on_with_the_plugin(study: Path) -> None:
    again = (*PLUGIN, "--set", "steps=3")
    done = oasis_gan("train", "--resume", "m", *again, cwd=study)
    assert done.returncode == 0, done.stderr
    assert json.loads((study / "m" / "model.json").read_text())["training"]["step"] == 3
    # The recipe that is written down calls the set by its name.
    assert 'labels = "lesion-study"' in (study / "m" / "recipe.toml").read_text()
