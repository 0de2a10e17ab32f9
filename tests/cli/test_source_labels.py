"""``--source-labels`` says what the values of a further source mean where no file says it."""

from __future__ import annotations

import json
from pathlib import Path

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner, Result

from oasis_gan.cli.main import cli

PLUGIN = """
import json
import numpy as np
import oasis_gan
from pathlib import Path

CARD = oasis_gan.ModelCard(
    name="tissues",
    version="1",
    sources={
        "t1": oasis_gan.Percentiles(),
        "tissue": oasis_gan.OASIS,
        "t2": oasis_gan.Percentiles(),
    },
    target=oasis_gan.Window((0, 1), (0, 1)),
    output="x",
)

class Tissues:
    card = CARD

    def translate(self, sources, progress=None):
        voxels = sources["tissue"].voxels.astype(np.float32)
        return oasis_gan.Translation(volume=oasis_gan.Volume(voxels, sources["t1"].geometry))

def train(request):
    (subject,) = request.subjects
    values = np.unique(subject.further["tissue"].read().voxels)
    (request.out / "values.json").write_text(json.dumps(values.tolist()))
    (request.out / "model.json").write_text("{}")

def check_settings(settings):
    return oasis_gan.TrainingData(sources=settings.get("sources", {}), target="image")

@oasis_gan.hookimpl
def oasis_gan_models():
    yield oasis_gan.ModelKind(
        name="tissues",
        summary="The tissues as they are",
        card=lambda folder: CARD,
        load=lambda folder: Tissues(),
        train=train,
        check_settings=check_settings,
        shipped={"tissues": Path(__file__).parent},
    )
"""
FREESURFER = np.array([0, 24, 42, 41], np.uint8)  # outside, CSF, and the right hemisphere
SEG = np.random.default_rng(0).integers(0, 4, (12, 14, 10))
NAMED = ("--source-labels", "tissue=aseg")


@pytest.fixture(autouse=True)
def _heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a head: three images, and a map whose values no file explains."""
    monkeypatch.chdir(tmp_path)
    Path("plugin.py").write_text(PLUGIN)
    noise = np.random.default_rng(1).normal(0, 1, SEG.shape) * (SEG > 0)
    greys = (np.array([0, 20, 45, 70])[SEG] + noise).astype(np.float32)
    images = {
        "t1": greys,
        "t2": 100 * (SEG > 0) - greys,
        "flair": greys + 1.5 * (SEG > 1),
        "map": FREESURFER[SEG],
    }
    Path("heads").mkdir()
    for name, voxels in images.items():
        nib.save(nib.Nifti1Image(voxels, np.eye(4)), f"heads/a_{name}.nii.gz")


def call(command: str, *words: str) -> Result:
    """Run a command on the head in this process."""
    sources = ("--source", "tissue=_map", "--source", "t2=_t2")
    return CliRunner().invoke(
        cli, (command, "heads", "--source-suffix", "_t1", *sources, "--plugin", "plugin.py", *words)
    )


def run(*words: str) -> Result:
    """Translate the head."""
    return call("run", "--model", "tissues", "--out", "out", *words)


def begin(*words: str) -> Result:
    """Begin a training on the head in ``m``."""
    sources = '{t1="image",tissue="labels",t2="image"}'
    settings = (f"sources={sources}", "source=image", "target=image")
    recipe = [word for setting in settings for word in ("--set", setting)]
    target = ("--target-suffix", "_flair", "--kind", "tissues", "--out", "m")
    return call("train", *target, *recipe, *words)


def test_the_remedy_names_the_source_whose_values_are_unknown() -> None:
    done = run()
    assert done.exit_code == 1
    assert "heads/a_map.nii.gz: expected labels 0 background, 1 CSF" in done.stderr
    assert "they fit freesurfer: say --source-labels tissue=freesurfer, or give" in done.stderr
    assert " --labels" not in done.stderr


def test_a_further_source_is_converted_from_the_set_that_is_named() -> None:
    done = run(*NAMED)
    assert done.exit_code == 0, done.stderr
    made = nib.Nifti1Image.from_filename("out/a_synthx.nii.gz").get_fdata()
    np.testing.assert_array_equal(made, SEG)
    sidecar = json.loads(Path("out/a_synthx.json").read_text())
    assert sidecar["further_sources"]["tissue"]["labels"] == "freesurfer"


def test_a_further_source_can_have_its_own_table_of_labels() -> None:
    Path("values.tsv").write_text("index\ttissue\n24\tCSF\n41\tGM\n42\tGM\n")
    done = run("--source-labels", "tissue=values.tsv")
    assert done.exit_code == 0, done.stderr
    made = nib.Nifti1Image.from_filename("out/a_synthx.nii.gz").get_fdata()
    np.testing.assert_array_equal(made, np.array([0, 1, 2, 2])[SEG])


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        (("t2=oasis",), "expected a further source of labels of tissues (tissue), found t2;"),
        (("t1=oasis",), "expected a further source of labels of tissues (tissue), found t1;"),
        (("tissue=oasis", "tissue=aseg"), "one label set for tissue, found oasis and aseg;"),
        (("tissue=osais",), "--source-labels` tissue=: expected one of oasis, "),
    ],
)
def test_wrong_source_names_are_reported_before_anything_is_read(
    typed: tuple[str, ...], message: str
) -> None:
    done = run(*(word for text in typed for word in ("--source-labels", text)))
    assert message.replace("--source-labels`", "`source_labels`") in str(done.exception)
    assert not Path("out").exists()


def test_a_label_set_without_a_source_is_wrong_usage() -> None:
    done = CliRunner().invoke(cli, ("check", "heads", "--source-labels", "aseg"))
    assert done.exit_code == 2
    assert "expected NAME=VALUE, found aseg" in done.stderr


def test_check_judges_a_further_source_by_its_own_set() -> None:
    words = ("--target-suffix", "_flair", "--source-is", "image", "--format", "tsv")
    wrong = call("check", *words, "--source-labels", "tissue=oasis")
    assert "expected labels of oasis, found 24, 41, 42; they fit freesurfer" in wrong.stdout
    assert "say --source-labels tissue=freesurfer" in wrong.stdout
    right = call("check", *words, *NAMED)
    assert right.exit_code == 0, right.stdout


def test_a_training_converts_a_further_source_and_remembers_its_set(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Path("values.tsv").write_text("index\ttissue\n24\tCSF\n41\tGM\n42\tGM\n")
    done = begin("--source-labels", "tissue=values.tsv")
    assert done.exception is None, done.stderr
    values = Path("m/values.json")
    assert json.loads(values.read_text()) == [0, 1, 2]
    values.unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    again = ("train", "--resume", "../m", "--plugin", "../plugin.py")
    resumed = CliRunner().invoke(cli, again)
    assert resumed.exception is None, resumed.stderr
    assert json.loads((tmp_path / values).read_text()) == [0, 1, 2]
    refused = CliRunner().invoke(cli, (*again, *NAMED))
    assert "found --source-labels; leave it out" in str(refused.exception)
