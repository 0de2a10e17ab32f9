"""What a model makes beside its volume: further maps, and a table of what its labels mean."""

from __future__ import annotations

import hashlib
import json
import subprocess
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import Painting, oasis_gan

from oasis_gan import Label, LabelSet, find_label_set
from oasis_gan.io.label_tables import read_label_table, write_label_table

PLUGIN = """
import numpy as np
from pathlib import Path
from oasis_gan import (
    LabelSet,
    Label,
    ModelCard,
    ModelKind,
    OASIS,
    Translation,
    Volume,
    Window,
    hookimpl,
)

# The values of tissues are others than those of the default model.
LABELS = (Label(7, "WM"), Label(8, "GM"), Label(9, "CSF"))
TISSUES = LabelSet(name="mine", labels=LABELS)
CARD = ModelCard(
    name="recode", version="1", sources={"labels": OASIS}, target=TISSUES, output="dseg"
)

class Recode:
    card = CARD

    def translate(self, sources, progress=lambda fraction: None):
        labels = sources["labels"]
        recoded = np.array([0, 9, 8, 7])[labels.voxels]
        doubt = Volume(labels.voxels / 10, labels.geometry)
        return Translation(volume=Volume(recoded, labels.geometry), maps={"doubt": doubt})

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="recode",
        summary="Other values",
        card=lambda _: CARD,
        load=lambda _: Recode(),
        shipped={"recode": Path()},
    )
"""
LABELS = np.random.default_rng(0).integers(0, 4, (5, 6, 7)).astype(np.uint8)


@pytest.fixture
def recoded(tmp_path: Path) -> subprocess.CompletedProcess[str]:
    """Translate a label map with a model that makes labels, and a map beside them."""
    (tmp_path / "recode.py").write_text(PLUGIN)
    nib.save(nib.Nifti1Image(LABELS, np.eye(4)), tmp_path / "a.nii.gz")
    words = ("a.nii.gz", "--plugin", "recode.py", "--model", "recode", "--out", "out")
    done = oasis_gan("run", *words, cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    return done


def test_maps_lie_beside_the_volume_and_the_sidecar_has_their_hashes(
    recoded: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    assert recoded.stdout == "out/a_synthdseg.nii.gz\n"
    image = nib.Nifti1Image.from_filename(tmp_path / "out" / "a_desc-synthdseg_doubtmap.nii.gz")
    np.testing.assert_allclose(image.get_fdata(), LABELS / 10, rtol=1e-6)
    assert image.get_data_dtype() == np.float32
    parts = json.loads((tmp_path / "out" / "a_synthdseg.json").read_text())["volume"]["parts"]
    for part in parts:
        content = (tmp_path / "out" / part["file"]).read_bytes()
        assert hashlib.sha256(content).hexdigest() == part["sha256"]
    assert {part["file"] for part in parts} == {
        "a_synthdseg.tsv",
        "a_desc-synthdseg_doubtmap.json",
        "a_desc-synthdseg_doubtmap.nii.gz",
    }


def test_what_the_labels_of_an_output_mean_is_found_beside_it(
    recoded: subprocess.CompletedProcess[str], tmp_path: Path
) -> None:
    assert recoded.returncode == 0
    found = find_label_set(tmp_path / "out" / "a_synthdseg.nii.gz")
    assert found is not None
    assert {label.value: label.name for label in found.labels} == {7: "WM", 8: "GM", 9: "CSF"}


def test_labels_that_a_model_made_are_a_source_for_another(
    recoded: subprocess.CompletedProcess[str], tmp_path: Path, paint: Painting
) -> None:
    assert recoded.returncode == 0
    for name in ("a_synthdseg.nii.gz", "a_synthdseg.tsv"):
        (tmp_path / name).write_bytes((tmp_path / "out" / name).read_bytes())
    done = paint("a_synthdseg.nii.gz")
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(
        tmp_path / "out" / "a_synthdseg_synthT1w.nii.gz"
    ).get_fdata()
    np.testing.assert_allclose(made, np.array([0, 300, 550, 750])[LABELS], rtol=1e-6)


def test_a_label_name_with_a_line_break_is_one_row(tmp_path: Path) -> None:
    write_label_table(
        tmp_path / "table.tsv",
        LabelSet(name="odd", labels=(Label(1, "GM"), Label(2, "left\n3\tWM"))),
    )
    assert len((tmp_path / "table.tsv").read_text().splitlines()) == 4
    assert [label.value for label in read_label_table(tmp_path / "table.tsv").labels] == [1, 2]
