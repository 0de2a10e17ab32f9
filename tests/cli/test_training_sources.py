"""Several sources reach the kind of model, also when a training is resumed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import nibabel as nib
import numpy as np
import pytest
from click.testing import CliRunner
from kit.heads import save_head

from oasis_gan.checks.splitting import TABLE
from oasis_gan.cli.main import cli
from oasis_gan.errors import OasisGanError

KIND = """
import json
import oasis_gan

def train(request):
    told = {}
    for subject in request.subjects:
        further = {
            name: [scan.path.name, scan.content, scan.read().content]
            for name, scan in subject.further.items()
        }
        told[subject.name] = further
    (request.out / "told.json").write_text(json.dumps(told))
    (request.out / "model.json").write_text("{}")

def check_settings(settings):
    return oasis_gan.TrainingData(sources=settings.get("sources", {}), target="image")

@oasis_gan.hookimpl
def oasis_gan_models():
    yield oasis_gan.ModelKind(
        name="teller",
        summary="Says what it is given",
        card=print,
        load=print,
        train=train,
        check_settings=check_settings,
    )
"""
SOURCES = 'sources={t1="image",tissue="labels",t2="image"}'
GIVEN = ("--source", "tissue=_seg.nii.gz", "--source", "t2=t2")


@pytest.fixture(autouse=True)
def _heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with three subjects, one of which has no T2w."""
    monkeypatch.chdir(tmp_path)
    Path("kind.py").write_text(KIND)
    Path("heads").mkdir()
    Path("t2").mkdir()
    for seed, name in enumerate("abc"):
        save_head(Path("heads"), name, seed)
        image = nib.Nifti1Image.from_filename(f"heads/{name}_t1.nii.gz")
        voxels = np.asarray(image.get_fdata(), np.float32)
        nib.save(nib.Nifti1Image(voxels[::-1].copy(), image.affine), f"heads/{name}_flair.nii.gz")
        if name != "c":
            nib.save(image, f"t2/{name}_t1.nii.gz")


def train(*words: str) -> str:
    """Run ``train``, and return what it says on standard error."""
    done = CliRunner().invoke(cli, ("train", *words, "--plugin", "kind.py"))
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done.stderr


def begin(*words: str, sources: str = SOURCES) -> str:
    """Begin a training of all heads in ``m``."""
    suffixes = ("--source-suffix", "_t1.nii.gz", "--target-suffix", "_flair.nii.gz")
    recipe = ("--set", sources, "--set", 'source="image"', "--set", 'target="image"')
    return train("heads", *suffixes, "--kind", "teller", "--out", "m", *recipe, *words)


def told() -> Any:  # noqa: ANN401
    """Return what the kind was given."""
    return json.loads(Path("m/told.json").read_text())


def test_a_kind_gets_the_sources_of_its_recipe_and_incomplete_subjects_are_left_out() -> None:
    said = begin(*GIVEN)
    expected = {
        "tissue": ["{}_seg.nii.gz", "labels", "labels"],
        "t2": ["{}_t1.nii.gz", "image", "image"],
    }
    for name in "ab":
        assert told().pop(name) == {
            key: [file.format(name), *rest] for key, (file, *rest) in expected.items()
        }
    assert set(told()) == {"a", "b"}
    assert "left out c: reject" in said
    assert "c_t1.nii.gz: expected a t2 beside it, found none" in said


def test_a_training_resumed_from_another_folder_has_the_same_sources(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    begin(*GIVEN)
    first = told()
    Path("m/told.json").unlink()
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = CliRunner().invoke(cli, ("train", "--resume", "../m", "--plugin", "../kind.py"))
    assert done.exit_code == 0, done.exception
    monkeypatch.chdir(tmp_path)
    assert told() == first


def test_a_further_source_that_has_moved_is_named_again() -> None:
    begin(*GIVEN)
    Path("t2").rename("there")
    with pytest.raises(OasisGanError, match="found no such file or folder"):
        train("--resume", "m")
    train("--resume", "m", "--source", "t2=there")
    assert set(told()) == {"a", "b"}
    assert '"there"' not in Path("m/run.json").read_text()
    assert str(Path("there").absolute()) in Path("m/run.json").read_text()


def test_the_source_and_a_further_source_may_both_have_moved() -> None:
    begin(*GIVEN)
    Path("heads").rename("now")
    Path("t2").rename("there")
    train("--resume", "m", "--source", "now", "--source", "t2=there")
    assert set(told()) == {"a", "b"}


def test_a_training_is_not_resumed_if_a_further_source_has_changed() -> None:
    begin(*GIVEN)
    assert "t2=" in Path("m", TABLE).read_text()
    image = nib.Nifti1Image.from_filename("t2/a_t1.nii.gz")
    nib.save(
        nib.Nifti1Image(np.asarray(image.get_fdata(), np.float32) * 2, image.affine),
        "t2/a_t1.nii.gz",
    )
    with pytest.raises(OasisGanError, match="found a changed"):
        train("--resume", "m")


@pytest.mark.parametrize(
    ("words", "sources", "message"),
    [
        (
            GIVEN[:2],
            SOURCES,
            r"expected t2=WHERE for the recipe, which takes t1 \(SOURCE\) and tissue and t2, found",
        ),
        (
            ("--source", "flair=t2"),
            SOURCES,
            "expected a further source of the recipe, which takes .*, found flair",
        ),
        (
            GIVEN,
            "steps=1",
            "expected a further source of the recipe, which names none, found tissue",
        ),
    ],
)
def test_sources_and_recipe_must_agree(words: tuple[str, ...], sources: str, message: str) -> None:
    with pytest.raises(OasisGanError, match=message):
        begin(*words, sources=sources)
    assert not Path("m").exists()


def test_the_table_of_a_training_with_one_source_has_no_columns_for_further_ones() -> None:
    begin(sources="steps=1")
    columns = "subject\tside\tsource\tsource_sha256\ttarget\ttarget_sha256"
    assert Path("m", TABLE).read_text().splitlines()[0] == columns


def test_a_kind_that_describes_its_data_in_another_type_is_named_in_one_line() -> None:
    text = Path("kind.py").read_text()
    Path("kind.py").write_text(text.replace("return oasis_gan.TrainingData(", "return dict("))
    with pytest.raises(OasisGanError, match=r"teller: expected a TrainingData .*, found dict; fix"):
        begin(*GIVEN)
    assert not Path("m").exists()
