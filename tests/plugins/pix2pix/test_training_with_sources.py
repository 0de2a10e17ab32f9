"""A model with several sources is trained, resumed, used and exported like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.tiny_training import TINY, head, run, subject
from oasis_gan_pix2pix import card, export, oasis_gan_models
from oasis_gan_pix2pix.translator import load_translator

from oasis_gan import OASIS, ModelKind, OasisGanError, Percentiles, Subject
from oasis_gan.testing import ModelContract

TWO: dict[str, Any] = {
    **TINY,
    "sources": {"tissues": "labels", "t2": "image"},
    "checkpoint_every": 2,
    "decay_start": 1.0,
    "precision": "float32",
    "planes": ["coronal", "axial"],
    "histogram": {"strength": 0.5},
}
BOTH: dict[str, Any] = {
    **TWO,
    "context": 1,
    "augmentation": {"shift": 2, "zoom": 0.1, "intensity": 0.2},
}


def make_subject(name: str, seed: int) -> Subject:
    labels, image = head(seed)
    return subject(name, labels, image, t2=(100 - image) * (labels > 0))


def train(out: Path, recipe: dict[str, Any], *, resume: bool = False) -> list[str]:
    return run(out, recipe, resume, make_subject("a", 0), make_subject("b", 1))


@pytest.fixture(scope="module", params=[TWO, BOTH], ids=["sources", "sources and neighbours"])
def trained(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Path:
    folder = tmp_path_factory.mktemp("sources") / "m"
    train(folder, request.param)
    return folder


class TestContract(ModelContract):
    """A model with several sources keeps the contract of all models."""

    @pytest.fixture
    def kind(self) -> ModelKind:
        return next(oasis_gan_models())

    @pytest.fixture
    def folder(self, trained: Path) -> Path:
        return trained


def test_the_card_names_the_sources_in_the_order_of_the_recipe(trained: Path) -> None:
    assert list(card(trained).sources.items()) == [("tissues", OASIS), ("t2", Percentiles())]
    model = json.loads((trained / "model.json").read_text())
    assert "source" not in model
    assert list(model["sources"]) == ["tissues", "t2"]


def test_training_is_validated_and_each_source_is_drawn(trained: Path) -> None:
    from PIL import Image

    (picture, *_) = sorted((trained / "samples").glob("step-*.png"))
    with Image.open(picture) as opened:
        # Four columns of at least 384 pixels: both sources, the output and the target.
        assert opened.width > 4 * 384
    assert (trained / "best" / "model.json").exists()


@pytest.mark.parametrize("plane", ["axial", "all"])
def test_the_output_depends_on_both_sources(trained: Path, plane: str) -> None:
    given = make_subject("c", 2)
    translator = load_translator(trained, plane)
    tissues = given.source.read()
    t2 = given.further["t2"].read()
    made = translator.translate({"tissues": tissues, "t2": t2}).volume.voxels
    assert not made[tissues.voxels == 0].any()
    other = make_subject("d", 3).further["t2"].read()
    assert not np.allclose(
        translator.translate({"tissues": tissues, "t2": other}).volume.voxels, made
    )


def test_a_training_that_is_stopped_and_resumed_ends_the_same(tmp_path: Path) -> None:
    out = tmp_path / "m"
    train(out, {**BOTH, "steps": 2})
    train(out, BOTH, resume=True)
    train(tmp_path / "whole", BOTH)
    assert (out / "weights.safetensors").read_bytes() == (
        tmp_path / "whole" / "weights.safetensors"
    ).read_bytes()


def test_sources_that_the_data_lack_are_refused_before_anything_is_read(
    tmp_path: Path,
) -> None:
    recipe = {**TWO, "sources": {"tissues": "labels", "flair": "image"}}
    expected = (
        r"^recipe: sources: expected t2 beside the first source, as in the data, "
        r"found flair; name the same"
    )
    with pytest.raises(OasisGanError, match=expected):
        train(tmp_path / "m", recipe)
    assert not (tmp_path / "m").exists()
    with pytest.raises(
        OasisGanError, match=r"expected t2 beside the first source, as in the data, found none;"
    ):
        train(tmp_path / "m", TINY)
    with pytest.raises(
        OasisGanError, match=r"expected none beside the first source, as in the data, found t2;"
    ):
        run(tmp_path / "m", TWO)


@pytest.mark.parametrize(
    "broken", [{"source": None, "sources": {}}, {"source": {"kind": "percentiles"}}]
)
def test_a_folder_without_sources_or_with_both_forms_is_refused(
    trained: Path,
    tmp_path: Path,
    broken: Any,  # noqa: ANN401
) -> None:
    model = json.loads((trained / "model.json").read_text()) | broken
    (tmp_path / "model.json").write_text(json.dumps(model))
    with pytest.raises(
        OasisGanError, match=r"source, where one source, or several named ones was expected"
    ):
        card(tmp_path)


@pytest.mark.parametrize("write", [export.to_onnx, export.to_saved_model])
def test_it_can_be_exported(trained: Path, tmp_path: Path, write: Any) -> None:  # noqa: ANN401
    """Exports compare themselves with the model."""
    if write is export.to_onnx:
        pytest.importorskip("tf2onnx")
    write(trained, tmp_path / "exported")
    assert (tmp_path / "exported").exists()
