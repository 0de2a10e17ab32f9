"""Training draws the slices it says it draws, learns from them, and leaves a model folder that can be trusted."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.numpy
from numpy.typing import NDArray
from oasis_gan_pix2pix import store
from oasis_gan_pix2pix.backend import keras
from oasis_gan_pix2pix.pairs import LinearPrediction, Pairs
from oasis_gan_pix2pix.recipe import Recipe
from oasis_gan_pix2pix.training import Trainer, parse_recipe, train
from oasis_gan_pix2pix.translator import Pix2PixTranslator, get_weights, set_weights

from oasis_gan import Geometry, OasisGanError, Scan, Subject, TrainingRequest, Volume

SHAPE = (20, 24, 22)
TINY: dict[str, Any] = {
    "size": 16,
    "steps": 4,
    "batch": 2,
    "shift": 2,
    "zoom": 0.1,
    "generator": {"levels": 2, "filters": 4},
    "discriminator": {"layers": 1, "filters": 4},
}


def head(seed: int = 0, spacing: float = 1.0) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Return a ball of three tissues, and an image in which each has its grey and some noise."""
    rng = np.random.default_rng(seed)
    grid = np.indices(SHAPE) - np.array(SHAPE).reshape(3, 1, 1, 1) / 2
    radius = np.sqrt((grid**2).sum(0)) + rng.normal(0, 0.3, SHAPE)
    labels = np.select([radius < 4, radius < 7, radius < 9], [3, 2, 1], 0).astype(np.uint8)
    image = np.array([0, 30, 60, 90])[labels] + rng.normal(0, 2, SHAPE) * (labels > 0)
    return labels, image.astype(np.float32)


def subject(name: str, labels: NDArray[Any], image: NDArray[Any], spacing: float = 1.0) -> Subject:
    geometry = Geometry(SHAPE, np.diag([spacing, spacing, spacing, 1.0]))
    path = Path(f"{name}.nii")
    source = Scan(path, lambda _: Volume(labels, geometry))
    return Subject(name, source, Scan(path, lambda _: Volume(image, geometry)))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model folder, trained for four steps on one head, another held out."""
    out = tmp_path_factory.mktemp("model") / "tiny"
    lines: list[str] = []
    train(TrainingRequest((subject("a", *head()),), (subject("b", *head(1)),), out, TINY, lines.append))
    assert "held-out L1" in lines[-1]
    return out


def test_slices_are_drawn_paired_and_encoded() -> None:
    recipe = Recipe(**TINY)
    pairs = Pairs([subject("a", *head())], recipe, pytest.fail)
    for _, (source, target) in zip(range(30), pairs.epochs(np.random.default_rng(0)), strict=False):
        assert source.shape[1:] == (*target.shape[1:3], 3)
        assert source.shape[1] % 4 == 0
        assert source.shape[2] % 4 == 0
        assert source.min() >= 0
        assert source.sum(-1).max() <= 1 + 1e-5
        assert 0 <= target.min() <= target.max() <= 1
        # Where moved, scaled and turned over, source and target still show the same: greys follow tissue.
        guess = source @ np.array([0.30, 0.55, 0.75], np.float32)
        inside = source.sum(-1) > 0.99
        assert np.abs(guess - target[..., 0])[inside].mean() < 0.05


def test_an_epoch_shows_every_slice_once() -> None:
    recipe = Recipe(**{**TINY, "batch": 1, "shift": 0, "zoom": 0.0})
    pairs = Pairs([subject("a", *head())], recipe, pytest.fail)
    drawn = [
        target.sum() for _, (_, target) in zip(range(len(pairs)), pairs.epochs(np.random.default_rng(0)), strict=False)
    ]
    assert sorted(np.round(drawn, 2)) == sorted(np.round(pairs.sample(len(pairs))[1].sum((1, 2, 3)), 2))


def test_slices_with_less_tissue_than_stated_are_left_out() -> None:
    labels, image = head()
    pairs = Pairs([subject("a", labels, image)], Recipe(**{**TINY, "planes": ["axial"]}), pytest.fail)
    assert len(pairs) == np.count_nonzero((labels > 0).sum((0, 1)) >= 200)


def test_a_bad_subject_is_named_and_left_out() -> None:
    labels, image = head()
    lines: list[str] = []
    good, bad = subject("good", labels, image), subject("bad", labels * 40, image)
    pairs = Pairs([bad, good], Recipe(**TINY), lines.append)
    assert pairs.names == ["good"]
    (line,) = lines
    assert "bad.nii" in line
    assert "40, 80, 120" in line


def test_no_usable_subject_is_refused() -> None:
    labels, image = head()
    with pytest.raises(OasisGanError, match="a pair with tissue in it"):
        Pairs([subject("bad", labels * 40, image)], Recipe(**TINY), lambda line: None)


def test_what_the_source_tells_is_the_mean_of_each_tissue() -> None:
    recipe = Recipe(**{**TINY, "zoom": 0.0})
    prediction = LinearPrediction.of(Pairs([subject("a", *head())], recipe, pytest.fail).sample(100))
    np.testing.assert_allclose(prediction.weights[:, 0], [0.30, 0.55, 0.75], atol=0.02)


def test_a_step_reports_the_losses_of_its_networks() -> None:
    """Against a calculation in NumPy from the networks' outputs before the step."""
    recipe = Recipe(**{**TINY, "discriminator": {"layers": 1, "filters": 4, "norm": "none"}})
    source, target = Pairs([subject("a", *head())], recipe, pytest.fail).sample(4)
    prediction = LinearPrediction.of((source, target))
    trainer = Trainer(recipe, prediction)
    inside = source.max(-1, keepdims=True) > 0
    real = np.where(inside, target * 2 - 1, -1)
    generated = np.where(inside, np.asarray(trainer.generator(source, training=True)), -1)

    def logits(image: NDArray[Any]) -> NDArray[Any]:
        left = ((image + 1) / 2 - source @ prediction.weights) / prediction.deviation
        return np.asarray(trainer.discriminator(np.concatenate([source, left], -1).astype(np.float32)), np.float64)

    on_real, on_generated = logits(real), logits(generated)
    expected = (
        np.abs(real - generated).mean(),
        np.log1p(np.exp(-on_generated)).mean(),
        (np.log1p(np.exp(-on_real)).mean() + np.log1p(np.exp(on_generated)).mean()) / 2,
    )
    np.testing.assert_allclose(trainer.step(source, target), expected, rtol=1e-4)


def test_training_learns_and_so_does_the_discriminator() -> None:
    recipe = Recipe(**{**TINY, "steps": 300, "learning_rate": 2e-3})
    source, target = Pairs([subject("a", *head())], recipe, pytest.fail).sample(8)
    keras.utils.set_random_seed(0)
    trainer = Trainer(recipe, LinearPrediction.of((source, target)))
    before = trainer.validation_l1(source, target)
    discrimination = [float(trainer.step(source, target)[2]) for _ in range(150)]
    after = trainer.validation_l1(source, target)
    assert after < before / 4
    # Below that of a coin.
    assert np.mean(discrimination[-50:]) < np.log(2)


def test_the_seed_decides_the_networks_and_nothing_else_does() -> None:
    prediction = LinearPrediction(np.ones((3, 1), np.float32), 1.0)

    def drawn(seed: int) -> dict[str, NDArray[Any]]:
        keras.utils.set_random_seed(seed)
        return get_weights(
            Trainer(Recipe(**{**TINY, "generator": {"levels": 3, "filters": 4, "widest": 1}}), prediction).generator
        )

    first, again, other = drawn(0), drawn(0), drawn(1)
    kernels = [name for name in first if name.endswith("kernel")]
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in kernels)
    # Layers of one shape do not share their numbers.
    assert not np.array_equal(first["down2_conv/kernel"], first["down3_conv/kernel"])


def test_a_model_folder_says_what_it_was_trained_on(folder: Path) -> None:
    content = json.loads((folder / "model.json").read_text())
    assert content["training"]["subjects"] == ["a"]
    assert content["training"]["held_out"] == ["b"]
    card = store.read_card(folder).card()
    assert card.source.channels == 3
    assert card.target.kind == "window"


def test_a_loaded_model_paints_like_the_trained_one(folder: Path) -> None:
    x = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
    first, second = (Pix2PixTranslator(folder).translate(x) for _ in range(2))
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(Pix2PixTranslator(folder).translate(x[1:2]), first[1:2], atol=1e-6)


def _tampered(folder: Path, copy: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    copy.mkdir()
    for file in folder.iterdir():
        data = file.read_bytes()
        (copy / file.name).write_bytes(change(data) if file.name == name else data)
    return copy


def _flipped(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("weights.safetensors", lambda data: data[:-10], "SHA-256"),
        ("weights.safetensors", _flipped, "SHA-256"),
        ("weights.safetensors", lambda data: data + b"x", "more"),
        ("weights.safetensors", lambda data: b"", "SHA-256"),
        ("model.json", lambda data: data[:-40], "model.json"),
        ("model.json", lambda data: data.replace(b'"levels": 2', b'"levels": 3'), "canvas.multiple"),
        ("model.json", lambda data: data.replace(b'"filters": 4', b'"filters": 8'), "shape"),
        ("model.json", lambda data: data.replace(b'"pix2pix"', b'"other"'), "kind"),
        ("model.json", lambda data: data.replace(b'"weights.safetensors"', b'"../../x"'), "weights.file"),
        ("model.json", lambda data: data.replace(b'"levels"', b'"lambda"'), "lambda"),
        ("model.json", lambda data: b"[" * 100_000, "model.json"),
        ("model.json", lambda data: b" " * 2**21, "more"),
    ],
)
def test_a_model_folder_that_was_changed_is_refused_in_a_line(
    folder: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes], said: str
) -> None:
    copy = _tampered(folder, tmp_path / "copy", name, change)
    with pytest.raises(OasisGanError) as caught:
        Pix2PixTranslator(copy)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_finite_are_refused_even_when_vouched_for(folder: Path, tmp_path: Path) -> None:
    model = store.read_model(folder)
    weights = {name: np.array(weight) for name, weight in model.weights.items()}
    next(iter(weights.values())).flat[0] = np.nan
    fields = dict(model.file)
    del fields["weights"]
    with pytest.raises(OasisGanError, match="finite weights"):
        store.write_model(tmp_path / "nan", weights, **fields)
    data = safetensors.numpy.save(weights)
    store.write_model(tmp_path / "nan", model.weights, **fields)
    (tmp_path / "nan" / "weights.safetensors").write_bytes(data)
    content = json.loads((tmp_path / "nan" / "model.json").read_text())
    content["weights"] = store.WeightsFile(bytes=len(data), sha256=hashlib.sha256(data).hexdigest()).model_dump()
    (tmp_path / "nan" / "model.json").write_text(json.dumps(content))
    with pytest.raises(OasisGanError, match="finite weights"):
        Pix2PixTranslator(tmp_path / "nan")


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    weights = dict(store.read_model(folder).weights)
    trainer = Trainer(
        Recipe(**{**TINY, "generator": {"levels": 2, "filters": 8}}), LinearPrediction(np.ones((3, 1), np.float32), 1.0)
    )
    with pytest.raises(OasisGanError, match="of shape"):
        set_weights(trainer.generator, weights, folder)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": 0}, "recipe: steps"),
        ({"stepz": 5}, "recipe: stepz"),
        ({"generator": {"norm": "layer"}}, "recipe: generator.norm"),
        ({"learning_rate": float("nan")}, "recipe: learning_rate"),
        ({"planes": ["axial", "oblique"]}, "recipe: planes.1"),
        ({"name": "../evil"}, "recipe: name"),
    ],
)
def test_a_wrong_recipe_is_refused_by_field(settings: dict[str, Any], said: str) -> None:
    with pytest.raises(OasisGanError) as caught:
        parse_recipe(settings)
    assert str(caught.value).startswith(said)


def test_an_unknown_label_set_is_refused_with_those_there_are() -> None:
    with pytest.raises(OasisGanError, match="oasis"):
        _ = Recipe(labels="unknown").label_set
