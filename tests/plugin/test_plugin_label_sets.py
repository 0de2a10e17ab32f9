"""Label sets of plugins are named, listed and advised like built-in ones; they replace none."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from kit.tool import oasis_gan

from oasis_gan import OASIS, LabelSet, OasisGanError
from oasis_gan.plugin.registry import Registry

PLUGIN = """
from oasis_gan import Label, LabelSet, Structure, hookimpl

@hookimpl
def oasis_gan_label_sets():
    tissues = (Label(101, "CSF"), Label(102, "GM"), Label(103, "WM"))
    labels = (*tissues, Structure(110, "Tumour", tissue="TISSUE"))
    yield LabelSet(name="NAME", labels=labels)
"""
MODEL = """
import numpy as np
from oasis_gan import OASIS, ModelCard, ModelKind, Translation, Volume, Window, hookimpl
from pathlib import Path

CARD = ModelCard(
    name="paint",
    version="1",
    sources={"labels": OASIS},
    target=Window((0, 1), (0, 1)),
    output="x",
)

class Paint:
    card = CARD

    def translate(self, sources, progress=None):
        labels = sources["labels"]
        voxels = labels.voxels.astype(np.float32)
        return Translation(volume=Volume(voxels, labels.geometry, labels.notes))

@hookimpl
def oasis_gan_models():
    yield ModelKind(
        name="paint",
        summary="Values as they are",
        card=lambda folder: CARD,
        load=lambda folder: Paint(),
        shipped={"paint": Path(__file__).parent},
    )
"""
VALUES = np.array([0, 101, 102, 103, 110], np.int16)
SEG = np.random.default_rng(0).integers(0, 5, (12, 14, 10))


def save_plugin(folder: Path, name: str = "study", tissue: str = "WM") -> Path:
    path = folder / "study_plugin.py"
    path.write_text(PLUGIN.replace("NAME", name).replace("TISSUE", tissue))
    return path


@pytest.fixture
def study(tmp_path: Path) -> Path:
    """Return a folder with a label map, and plugins with its label set and a model."""
    nib.save(nib.Nifti1Image(VALUES[SEG], np.eye(4)), tmp_path / "map.nii.gz")
    save_plugin(tmp_path)
    (tmp_path / "paint.py").write_text(MODEL)
    return tmp_path


def translate(study: Path) -> tuple[np.ndarray, str]:
    """Return the output, and what the file beside it calls the label set."""
    words = (
        "--plugin",
        "study_plugin.py",
        "--plugin",
        "paint.py",
        "--model",
        "paint",
        "--labels",
        "Study",
    )
    done = oasis_gan("run", "map.nii.gz", *words, "--out", "out", "--overwrite", cwd=study)
    assert done.returncode == 0, done.stderr
    made = nib.Nifti1Image.from_filename(study / "out" / "map_synthx.nii.gz").get_fdata()
    sidecar = json.loads((study / "out" / "map_synthx.json").read_text())
    (identity,) = find_all(sidecar, "source_labels")
    return made, identity


def find_all(document: object, key: str) -> list[str]:
    """Return each value of a key, anywhere in a JSON document."""
    if not isinstance(document, dict):
        return []
    nested = [found for value in document.values() for found in find_all(value, key)]
    return [*([document[key]] if key in document else []), *nested]


def test_a_label_map_is_converted_and_its_set_recorded_by_content(study: Path) -> None:
    made, identity = translate(study)
    np.testing.assert_array_equal(made, np.array([0, 1, 2, 3, 3])[SEG])
    # The same in every process and on every machine.
    assert identity == "study (602dd0bc4ed1d6a5)"
    save_plugin(study, tissue="GM")
    made, changed = translate(study)
    np.testing.assert_array_equal(made, np.array([0, 1, 2, 3, 2])[SEG])
    assert changed.startswith("study")
    assert changed != identity


def test_a_label_map_is_checked(study: Path) -> None:
    known = oasis_gan(
        "check", "map.nii.gz", "--plugin", "study_plugin.py", "--labels", "study", cwd=study
    )
    assert known.returncode == 0, known.stdout + known.stderr


def test_values_that_a_set_of_a_plugin_has_are_advised(study: Path) -> None:
    done = oasis_gan(
        "check", "map.nii.gz", "--plugin", "study_plugin.py", "--format", "tsv", cwd=study
    )
    assert (
        "they fit study: say --labels study, or give --labels a table of your own"
        in done.stdout + done.stderr
    )


def test_an_unknown_name_is_refused_with_the_names_of_plugins_too(study: Path) -> None:
    done = oasis_gan(
        "check", "map.nii.gz", "--plugin", "study_plugin.py", "--labels", "stduy", cwd=study
    )
    assert done.returncode == 2
    (line,) = done.stderr.splitlines()
    assert line.startswith("oasis-gan: --labels: expected one of oasis, fsl-fast, ")
    assert "freesurfer-a2009s, " in line
    assert "study, or a table" in line


def test_label_sets_are_listed_with_their_first_labels(study: Path) -> None:
    done = oasis_gan("plugins", "--plugin", "study_plugin.py", cwd=study)
    assert done.returncode == 0, done.stderr
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "label set study study_plugin (study_plugin.py) 4 labels: CSF, GM, WM, ..." in lines
    assert "label set oasis core (oasis-gan) 3 labels: CSF, GM, WM" in lines


@pytest.mark.parametrize("name", ["oasis", "OASIS", "aseg"])
def test_a_name_that_leads_to_a_built_in_set_is_never_taken_over(tmp_path: Path, name: str) -> None:
    with pytest.raises(
        OasisGanError, match=rf"expected a new name for label set {name}, found core \(oasis-gan\)"
    ):
        Registry.discover([save_plugin(tmp_path, name)])
    assert Registry.discover()[LabelSet].get("oasis") == OASIS


@pytest.mark.parametrize(
    ("name", "tissue", "broken"),
    [
        ("study", "bone", "use one of CSF, GM, WM, background"),
        ("study.tsv", "WM", "looks like a file"),
    ],
)
def test_a_broken_set_fails_its_contract(
    tmp_path: Path, name: str, tissue: str, broken: str
) -> None:
    path = save_plugin(tmp_path, name, tissue)
    done = oasis_gan("plugins", "--check", path.name, cwd=tmp_path)
    assert done.returncode == 1
    assert broken in done.stdout
