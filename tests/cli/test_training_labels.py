"""A recipe names its label set as `--labels` does, and a kind of model is given the set itself."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from kit.heads import PAIRS, save_head
from kit.places import EXAMPLES

from oasis_gan.cli.main import cli
from oasis_gan.cli.training_folder import RUN, TrainingRun

KIND = """
import json
import oasis_gan

def train(request):
    labels = request.recipe.get("labels")
    names = [label.name for label in labels.labels] if labels else None
    (request.out / "labels.json").write_text(json.dumps(names))
    (request.out / "model.json").write_text("{}")

@oasis_gan.hookimpl
def oasis_gan_models():
    yield oasis_gan.ModelKind(
        name="teller",
        summary="Says what it is given",
        card=print,
        load=print,
        train=train,
    )
"""
STUDY = ["Cortex", "White matter", "Ventricles", "Lesion"]


@pytest.fixture(autouse=True)
def _heads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Work in a folder with a head and a kind of model."""
    monkeypatch.chdir(tmp_path)
    Path("kind.py").write_text(KIND)
    Path("heads").mkdir()
    save_head(Path("heads"), "a", 0)


def train(*words: object) -> Result:
    """Begin a training of the head in ``m``."""
    plugins = ("--plugin", "kind.py", "--plugin", EXAMPLES / "plugins" / "a_label_set.py")
    typed = ("train", "heads", *PAIRS, "--kind", "teller", "--out", "m", *plugins, *words)
    return CliRunner().invoke(cli, list(map(str, typed)))


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("lesion-study", "Cortex"),
        ("LESION-study", "Cortex"),
        ("oasis", "CSF"),
        # As --labels calls it too.
        ("seg4", "Cortex"),
    ],
)
def test_a_kind_is_given_the_label_set_that_its_recipe_names(name: str, first: str) -> None:
    done = train("--set", f"labels={name}", "--labels", name)
    assert done.exception is None, done.stderr
    assert json.loads(Path("m/labels.json").read_text())[0] == first
    # The name as the user gave it is what a training goes on with.
    assert TrainingRun.read(Path("m")).recipe == {"labels": name}


def test_a_recipe_without_labels_is_given_as_it_is() -> None:
    done = train()
    assert done.exception is None, done.stderr
    assert json.loads(Path("m/labels.json").read_text()) is None
    assert TrainingRun.read(Path("m")).label_set == "oasis"


def test_an_unknown_name_is_refused_with_the_names_of_plugins_too() -> None:
    error = train("--set", "labels=lesions").exception
    assert "recipe: labels: expected one of oasis, " in str(error)
    assert "lesion-study, found lesions; name one of these" in str(error)
    assert not Path("m").exists()


def test_a_training_of_an_earlier_version_is_read() -> None:
    assert train().exception is None
    run = json.loads(Path("m", RUN).read_text())
    del run["label_set"]
    Path("m", RUN).write_text(json.dumps(run))
    assert TrainingRun.read(Path("m")).label_set == ""
