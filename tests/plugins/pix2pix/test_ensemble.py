"""Several networks in one model folder: their answers are averaged, and one hash covers them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_pix2pix
import pytest
from click.testing import CliRunner
from oasis_gan_pix2pix.blueprint import make_blueprint
from oasis_gan_pix2pix.ensemble import combine, main
from oasis_gan_pix2pix.model_folder import read_model, read_model_file, write_model
from oasis_gan_pix2pix.recipe import GeneratorSettings
from oasis_gan_pix2pix.weight_shapes import list_weight_shapes

from oasis_gan import (
    OASIS,
    UNCERTAINTY,
    Canvas,
    CleanVolume,
    Geometry,
    OasisGanError,
    Plane,
    Translation,
    Window,
)

SHAPE = (12, 14, 10)
SETTINGS = GeneratorSettings(levels=2, filters=4, norm="none")


def make_model(folder: Path, seed: int, **changes: Any) -> Path:  # noqa: ANN401
    """Write a model with random weights."""
    rng = np.random.default_rng(seed)
    shapes = list_weight_shapes(make_blueprint(SETTINGS, 3, 1))
    weights = {name: rng.normal(0, 0.2, shape) for name, shape in shapes.items()}
    fields: dict[str, Any] = {
        "name": "small",
        "version": "1",
        "output": "T1w",
        "source": OASIS,
        "target": Window((0, 1000), (0, 1)),
        "planes": (Plane.AXIAL,),
        "canvas": Canvas(1.0, 16, 4),
        "generator": SETTINGS,
        "training": {"seed": seed},
        "software": {},
    }
    write_model(folder, weights, {}, **fields | changes)
    return folder


@pytest.fixture(scope="module")
def models(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """Return two models, and a third one that they were combined into."""
    folder = tmp_path_factory.mktemp("models")
    pair = [make_model(folder / name, seed) for seed, name in enumerate("ab")]
    combine(pair, folder / "both")
    return [*pair, folder / "both"]


def translate(folder: Path, **options: Any) -> Translation:  # noqa: ANN401
    voxels = np.random.default_rng(0).integers(1, 4, SHAPE).astype(np.int32)
    source = CleanVolume(voxels, Geometry(SHAPE, np.eye(4)), content="labels")
    return oasis_gan_pix2pix.load(folder, **options).translate({"labels": source})


@pytest.mark.parametrize("options", [{}, {"flip": True}])
def test_the_result_is_the_mean_of_both_answers(
    models: list[Path], options: dict[str, Any]
) -> None:
    one, other, both = (translate(folder, **options).volume.voxels for folder in models)
    assert np.abs(one - other).max() > 1
    np.testing.assert_allclose(both, (one + other) / 2, rtol=1e-4)


def test_the_uncertainty_is_that_of_all_answers_and_leaves_the_result(models: list[Path]) -> None:
    both = translate(models[2], uncertainty=True)
    details = both.details[UNCERTAINTY]
    assert isinstance(details, dict)
    assert details["passes"] == [
        "axial",
        "axial, mirrored",
        "axial, weights 2",
        "axial, mirrored, weights 2",
    ]
    assert np.array_equal(both.volume.voxels, translate(models[2]).volume.voxels)


def test_one_hash_covers_the_weights_of_both(models: list[Path]) -> None:
    *pair, both = (read_model_file(folder) for folder in models)
    assert both.card().weights_sha256 not in {file.card().weights_sha256 for file in pair}
    combined = both.training["combined"]
    assert [one["weights_sha256"] for one in combined] == [file.weights.sha256 for file in pair]
    assert [one["training"]["seed"] for one in combined] == [0, 1]
    for number, folder in enumerate(models[:2]):
        stored = read_model(models[2], number).weights
        for name, weight in read_model(folder).weights.items():
            assert np.array_equal(stored[name], weight)


def test_the_file_of_a_model_of_one_network_does_not_change(models: list[Path]) -> None:
    assert "further_weights" not in (models[0] / "model.json").read_text()


@pytest.mark.parametrize("count", [0, 2])
def test_a_wrong_number_of_weights_is_refused(
    models: list[Path], tmp_path: Path, count: int
) -> None:
    description = json.loads((models[2] / "model.json").read_text())
    description["further_weights"] = count
    (tmp_path / "model.json").write_text(json.dumps(description))
    data = (models[2] / "weights.safetensors").read_bytes()
    (tmp_path / "weights.safetensors").write_bytes(data)
    with pytest.raises(OasisGanError, match=f"the weights of {1 + count} networks"):
        oasis_gan_pix2pix.load(tmp_path)


def test_models_that_differ_in_more_than_weights_are_refused_in_one_line(
    models: list[Path], tmp_path: Path
) -> None:
    other = make_model(tmp_path / "other", 2, planes=(Plane.CORONAL,))
    words = [str(tmp_path / "out"), str(models[0]), str(other)]
    done = CliRunner().invoke(main, words)
    assert done.exit_code == 1
    assert "expected the same planes as in" in done.output
    assert len(done.output.splitlines()) == 1
    assert not (tmp_path / "out").exists()


def test_a_training_that_is_not_finished_is_refused(models: list[Path], tmp_path: Path) -> None:
    other = make_model(tmp_path / "other", 2, training={"finished": False})
    with pytest.raises(OasisGanError, match="not finished"):
        combine([models[0], other], tmp_path / "out")


def test_one_model_or_a_combined_one_cannot_be_combined(models: list[Path], tmp_path: Path) -> None:
    with pytest.raises(OasisGanError, match="from 2 to 100 models, found 1"):
        combine(models[:1], tmp_path / "out")
    with pytest.raises(OasisGanError, match="one trained network, found those of 2"):
        combine(models, tmp_path / "out")


@pytest.mark.parametrize("export", ["to_onnx", "to_saved_model"])
def test_a_combined_model_is_not_exported_in_part(
    models: list[Path], tmp_path: Path, export: str
) -> None:
    with pytest.raises(OasisGanError, match="one trained network, found those of 2"):
        getattr(oasis_gan_pix2pix, export)(models[2], tmp_path / "out")
    assert not (tmp_path / "out").exists()
