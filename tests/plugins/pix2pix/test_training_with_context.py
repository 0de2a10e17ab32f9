"""A model with neighbouring slices is trained, resumed, used and exported like any other."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.tiny_training import TINY, head, run, subject
from oasis_gan_pix2pix import export, oasis_gan_models
from oasis_gan_pix2pix.prediction import LinearPrediction
from oasis_gan_pix2pix.recipe import Recipe
from oasis_gan_pix2pix.trainer import Pix2PixTrainer
from oasis_gan_pix2pix.translator import load_translator

from oasis_gan import ModelKind
from oasis_gan.testing import ModelContract

CONTEXT: dict[str, Any] = {**TINY, "context": 1, "checkpoint_every": 2, "precision": "float32"}
AXIAL: dict[str, Any] = {**CONTEXT, "planes": ["axial"]}


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of all planes."""
    folder = tmp_path_factory.mktemp("context") / "m"
    run(folder, CONTEXT)
    return folder


@pytest.fixture(scope="module")
def axial(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model of axial slices."""
    folder = tmp_path_factory.mktemp("context") / "m"
    run(folder, AXIAL)
    return folder


class TestContract(ModelContract):
    """A model with neighbours keeps the contract of all models."""

    @pytest.fixture
    def kind(self) -> ModelKind:
        return next(oasis_gan_models())

    @pytest.fixture
    def folder(self, trained: Path) -> Path:
        return trained


def test_the_folder_says_how_many_neighbours_the_model_sees(trained: Path) -> None:
    model = json.loads((trained / "model.json").read_text())
    assert model["context"] == 1
    assert model["training"]["recipe"]["context"] == 1


def test_a_model_without_neighbours_has_no_field_for_them(tmp_path: Path) -> None:
    run(tmp_path / "m", TINY)
    model = json.loads((tmp_path / "m" / "model.json").read_text())
    assert "context" not in model


def test_training_is_validated_and_drawn(trained: Path) -> None:
    assert list((trained / "samples").glob("step-*.png"))
    last = (trained / "losses.csv").read_text().splitlines()[-1]
    assert all(float(cell) >= 0 for cell in last.split(","))


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal", "all"])
def test_it_translates_in_any_plane(trained: Path, plane: str) -> None:
    source = subject("a", *head(2)).source.read()
    made = load_translator(trained, plane).translate({"labels": source}).volume
    assert made.geometry == source.geometry
    assert made.voxels[source.voxels > 0].any()
    assert not made.voxels[source.voxels == 0].any()


def test_a_slice_depends_on_its_neighbours_only(axial: Path) -> None:
    labels, image = head(2)
    translator = load_translator(axial)

    def translate(changed_at: int | None) -> Any:  # noqa: ANN401
        values = labels.copy()
        if changed_at is not None:
            values[..., changed_at] = np.where(values[..., changed_at] > 0, 3, 0)
        source = subject("a", values, image).source.read()
        return translator.translate({"labels": source}).volume.voxels

    differs = ~np.isclose(translate(10), translate(None))
    assert np.flatnonzero(differs.any((0, 1))).tolist() == [9, 10, 11]


def test_background_is_never_trained_on_whatever_its_neighbours_show() -> None:
    recipe = Recipe(**AXIAL, source="image", target="image", contrast="robust")
    source = np.zeros((1, 16, 16, 3), np.float32)
    source[..., 0] = 0.5
    source[:, 4:8, 4:8, 1] = 0.5
    target = np.full((1, 16, 16, 1), 0.7, np.float32)
    prediction = LinearPrediction.fit((source, target), recipe.mask_channels)
    trainer = Pix2PixTrainer(recipe, prediction, 4)
    inputs = trainer.make_loss_inputs(source, target)
    mask = np.asarray(inputs.mask)
    assert mask.sum() == 16
    assert mask[:, 4:8, 4:8].all()
    assert (np.asarray(inputs.real)[mask == 0] == -1).all()
    assert np.array_equal(trainer.generate(source) > 0, mask > 0)


def test_a_training_that_is_stopped_and_resumed_ends_the_same(axial: Path, tmp_path: Path) -> None:
    out = tmp_path / "m"
    run(out, {**AXIAL, "steps": 2, "decay_start": 1.0})
    run(out, {**AXIAL, "decay_start": 1.0}, resume=True)
    whole = tmp_path / "whole"
    run(whole, {**AXIAL, "decay_start": 1.0})
    assert (out / "weights.safetensors").read_bytes() == (
        whole / "weights.safetensors"
    ).read_bytes()


@pytest.mark.parametrize("write", [export.to_onnx, export.to_saved_model])
def test_it_can_be_exported(axial: Path, tmp_path: Path, write: Any) -> None:  # noqa: ANN401
    """Exports compare themselves with the model."""
    if write is export.to_onnx:
        pytest.importorskip("tf2onnx")
    write(axial, tmp_path / "exported")
    assert (tmp_path / "exported").exists()
