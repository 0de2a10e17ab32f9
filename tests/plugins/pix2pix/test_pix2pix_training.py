"""Training learns from its slices and leaves a model folder that can be trusted."""

from __future__ import annotations

import hashlib
import json
import re
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_pix2pix
import pytest
import safetensors.numpy
from kit.tiny_training import PRECISIONS, TINY, head, subject
from numpy.typing import NDArray
from oasis_gan_keras.backend import keras, tf
from oasis_gan_keras.hardware import Precision
from oasis_gan_keras.paired_slices import PairedSlices
from oasis_gan_keras.sentences import list_settings
from oasis_gan_keras.variables import assign, read_weights
from oasis_gan_pix2pix import model_folder
from oasis_gan_pix2pix.blueprint import make_blueprint
from oasis_gan_pix2pix.model_folder import read_model_file
from oasis_gan_pix2pix.prediction import LinearPrediction
from oasis_gan_pix2pix.recipe import GeneratorSettings, Recipe, parse_recipe
from oasis_gan_pix2pix.renamed_settings import RENAMED_SETTINGS
from oasis_gan_pix2pix.trainer import Pix2PixTrainer
from oasis_gan_pix2pix.training import train
from oasis_gan_pix2pix.translator import HistogramMatching, StoredGenerator, load_translator
from oasis_gan_pix2pix.weight_shapes import list_weight_shapes

from oasis_gan import OasisGanError, TrainingRequest

pytestmark = pytest.mark.precision

STILL: dict[str, Any] = {**TINY, "augmentation": {"shift": 0, "flip": False}}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a model folder, trained for four steps on one head, another held out."""
    out = tmp_path_factory.mktemp("model") / "tiny"
    lines: list[str] = []
    train(
        TrainingRequest(
            subjects=(subject("a", *head()),),
            validation=(subject("b", *head(1)),),
            out=out,
            recipe=TINY,
            report=lines.append,
        )
    )
    assert "held out" in lines[-1]
    return out


def test_a_training_continues_without_usable_held_out_subjects(tmp_path: Path) -> None:
    labels, image = head()
    lines: list[str] = []
    request = TrainingRequest(
        subjects=(subject("a", labels, image),),
        validation=(subject("b", labels * 40, image),),
        out=tmp_path / "m",
        recipe=TINY,
        report=lines.append,
    )
    train(request)
    assert "no held-out subject can be used: there will be no validation" in lines
    assert (tmp_path / "m" / "model.json").exists()


@pytest.mark.parametrize(
    ("settings", "contrast", "output"),
    [
        ({}, "anchored", "T1w"),
        ({"source": "image"}, "robust", "image"),
        ({"source": "image", "target": "labels"}, "robust", "dseg"),
        ({"contrast": "robust"}, "robust", "image"),
        ({"labels": "freesurfer"}, "robust", "image"),
        ({"source": "image", "output": "T2w"}, "robust", "T2w"),
    ],
)
def test_contrast_and_output_follow_from_the_direction(
    settings: dict[str, Any], contrast: str, output: str
) -> None:
    recipe = parse_recipe(settings)
    assert (recipe.contrast, recipe.output) == (contrast, output)
    assert parse_recipe(recipe.model_dump(mode="json")) == recipe


def test_the_linear_prediction_is_the_mean_of_each_tissue() -> None:
    recipe = Recipe(**STILL)
    prediction = LinearPrediction.fit(
        PairedSlices([subject("a", *head())], recipe, pytest.fail).sample(100)
    )
    np.testing.assert_allclose(prediction.weights[:, 0], [0.30, 0.55, 0.75], atol=0.02)


def test_training_learns_and_so_does_the_discriminator() -> None:
    recipe = Recipe(
        **{**TINY, "steps": 300, "learning_rate": 2e-3, "loss": {"objective": "L1+cGAN"}}
    )
    recipe = recipe.model_copy(
        update={"discriminator": recipe.discriminator.model_copy(update={"input": "residual"})}
    )
    source, target = PairedSlices([subject("a", *head())], recipe, pytest.fail).sample(8)
    keras.utils.set_random_seed(0)
    trainer = Pix2PixTrainer(recipe, LinearPrediction.fit((source, target)), 300)
    before = np.abs(trainer.generate(source) - target).mean()
    discriminator_loss = [
        float(trainer.update(step, source, target)["discriminator"]) for step in range(150)
    ]
    assert np.abs(trainer.generate(source) - target).mean() < before / 4
    # Below the loss of guessing.
    assert np.mean(discriminator_loss[-50:]) < np.log(2)


def test_the_seed_decides_the_networks_and_nothing_else_does() -> None:
    prediction = LinearPrediction(np.ones((3, 1), np.float32), 1.0)

    def draw_weights(seed: int) -> dict[str, NDArray[Any]]:
        keras.utils.set_random_seed(seed)
        recipe = Recipe(
            **{**TINY, "generator": {"levels": 3, "filters": 4, "max_filter_multiple": 1}}
        )
        return read_weights(Pix2PixTrainer(recipe, prediction, 4).generator)

    first = draw_weights(0)
    again = draw_weights(0)
    other = draw_weights(1)
    kernels = [name for name in first if name.endswith("kernel")]
    assert all(np.array_equal(first[name], again[name]) for name in first)
    assert not any(np.array_equal(first[name], other[name]) for name in kernels)
    # Layers of the same shape get different numbers.
    assert not np.array_equal(first["down2_conv/kernel"], first["down3_conv/kernel"])


def test_a_model_folder_records_its_training(folder: Path) -> None:
    content = json.loads((folder / "model.json").read_text())
    assert content["training"]["subjects"] == ["a"]
    assert content["training"]["held_out"] == ["b"]
    card = model_folder.read_model_file(folder).card()
    assert card.source.channels == 3
    assert card.target.content == "image"


def test_a_model_keeps_the_histogram_of_its_training_scans(tmp_path: Path) -> None:
    both = (subject("a", *head()), subject("b", *head(1)))
    settings = {
        **TINY,
        "pretraining": {"steps": 2, "default_texture": 0.5},
        "histogram": {"strength": 0.8, "subjects": ["b"]},
    }
    train(
        TrainingRequest(
            subjects=both,
            validation=(),
            out=tmp_path / "model",
            recipe=settings,
            report=lambda line: None,
        )
    )
    histogram = model_folder.read_model_file(tmp_path / "model").histogram
    assert histogram is not None
    assert {name: round(float(np.median(row)), 2) for name, row in histogram.tissues.items()} == {
        "CSF": 0.3,
        "GM": 0.55,
        "WM": 0.75,
    }
    # The strength is that of the textured end; at the smooth end nothing is changed.
    steps = [
        load_translator(tmp_path / "model", texture=texture).finish for texture in (0.0, None, 1.0)
    ]
    assert all(isinstance(step, HistogramMatching) for step in steps)
    assert [step.histogram.strength for step in steps if isinstance(step, HistogramMatching)] == [
        0.0,
        0.4,
        0.8,
    ]


def test_the_histogram_of_a_subject_that_is_not_trained_on_is_refused(tmp_path: Path) -> None:
    settings = {**TINY, "histogram": {"strength": 0.8, "subjects": ["z"]}}
    with pytest.raises(
        OasisGanError,
        match=r"recipe: histogram\.subjects: expected one of the training subjects: a, found z;",
    ):
        train(
            TrainingRequest(
                subjects=(subject("a", *head()),),
                validation=(),
                out=tmp_path / "model",
                recipe=settings,
                report=lambda line: None,
            )
        )


@pytest.mark.parametrize(
    ("held", "calls"), [(8, [5]), (3, [5, 3, 2]), (1, [5, 3, 2, 1, 1, 1, 1, 1])]
)
def test_a_batch_that_a_gpu_cannot_hold_is_halved_until_it_can(
    folder: Path, monkeypatch: pytest.MonkeyPatch, held: int, calls: list[int]
) -> None:
    generator = StoredGenerator(folder, precision="float32")
    x = np.random.default_rng(0).random((5, 16, 16, 3), np.float32)
    expected = generator.generate(x)
    compute = generator.inference
    sizes: list[int] = []

    def compute_small(part: Any, *others: Any) -> Any:  # noqa: ANN401 - an array
        sizes.append(len(part))
        if len(part) > held:
            raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")
        return compute(part, *others)

    monkeypatch.setattr(generator, "inference", compute_small)
    np.testing.assert_allclose(generator.generate(x), expected, atol=1e-6)
    assert sorted(sizes, reverse=True) == sorted(calls, reverse=True)
    sizes.clear()
    generator.generate(x)
    assert max(sizes) <= held


def test_a_slice_that_a_gpu_cannot_hold_is_reported_in_one_line(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*arguments: Any) -> Any:  # noqa: ANN401
        raise tf.errors.ResourceExhaustedError(None, None, "OOM when allocating tensor")

    generator = StoredGenerator(folder)
    monkeypatch.setattr(generator, "inference", fail)
    with pytest.raises(OasisGanError, match="memory for a slice of 16 x 16, found too little"):
        generator.generate(np.zeros((5, 16, 16, 3), np.float32))


@pytest.mark.parametrize(("precision", "bound"), PRECISIONS)
def test_a_loaded_model_is_deterministic(folder: Path, precision: Precision, bound: float) -> None:
    def generate(slices: NDArray[np.float32]) -> NDArray[np.float32]:
        return StoredGenerator(folder, precision=precision).generate(slices)

    x = np.random.default_rng(0).random((3, 16, 16, 3), np.float32)
    first = generate(x)
    second = generate(x)
    np.testing.assert_array_equal(first, second)
    np.testing.assert_allclose(generate(x[1:2]), first[1:2], atol=bound)


def copy_and_change(folder: Path, copy: Path, name: str, change: Callable[[bytes], bytes]) -> Path:
    copy.mkdir()
    for file in (folder / model_folder.MODEL_JSON, folder / model_folder.WEIGHTS):
        data = file.read_bytes()
        (copy / file.name).write_bytes(change(data) if file.name == name else data)
    return copy


def flip_bit(data: bytes) -> bytes:
    middle = len(data) // 2
    return data[:middle] + bytes([data[middle] ^ 1]) + data[middle + 1 :]


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        ("weights.safetensors", lambda data: data[:-10], "SHA-256"),
        ("weights.safetensors", flip_bit, "SHA-256"),
        ("weights.safetensors", lambda data: data + b"x", "more"),
        ("weights.safetensors", lambda data: b"", "SHA-256"),
        ("model.json", lambda data: data[:-40], "model.json"),
        (
            "model.json",
            lambda data: data.replace(b'"levels": 2', b'"levels": 3'),
            "canvas.multiple",
        ),
        ("model.json", lambda data: data.replace(b'"filters": 4', b'"filters": 8'), "shape"),
        (
            "model.json",
            lambda data: data.replace(b'"filters": 4', b'"filters": 256'),
            "down1_conv/bias of shape (256,)",
        ),
        ("model.json", lambda data: data.replace(b'"pix2pix"', b'"other"'), "kind"),
        (
            "model.json",
            lambda data: data.replace(b'"weights.safetensors"', b'"../../x"'),
            "weights.file",
        ),
        ("model.json", lambda data: data.replace(b'"levels"', b'"lambda"'), "lambda"),
        ("model.json", lambda data: b"[" * 100_000, "model.json"),
        ("model.json", lambda data: b" " * 2**21, "more"),
    ],
)
def test_a_model_folder_that_was_changed_is_refused_in_one_line(
    folder: Path, tmp_path: Path, name: str, change: Callable[[bytes], bytes], message: str
) -> None:
    copy = copy_and_change(folder, tmp_path / "copy", name, change)
    with pytest.raises(OasisGanError) as caught:
        StoredGenerator(copy)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "change", "message"),
    [
        (
            "up2_norm/gamma",
            lambda array: array[:1],
            r"expected up2_norm/gamma of shape \(4,\), found \(1,\)",
        ),
        ("up2_norm/beta", None, r"expected up2_norm/beta of shape \(4,\), found none"),
        ("up2_norm/moving_variance", np.negative, "found up2_norm/moving_variance below 0"),
    ],
)
def test_a_norm_that_does_not_fit_its_convolution_is_refused_in_one_line(
    folder: Path,
    tmp_path: Path,
    name: str,
    change: Callable[[NDArray[np.float32]], NDArray[np.float32]] | None,
    message: str,
) -> None:
    file = dict(model_folder.read_model(folder).file)
    del file["weights"]
    settings = GeneratorSettings(levels=2, filters=4, norm="batch")
    shapes = list_weight_shapes(make_blueprint(settings, 3, 1))
    weights = {path: np.ones(shape, np.float32) for path, shape in shapes.items()}
    array = weights.pop(name)
    if change is not None:
        weights[name] = change(array)
    model_folder.write_model(tmp_path / "m", weights, {}, **file | {"generator": settings})
    with pytest.raises(OasisGanError, match=message) as caught:
        StoredGenerator(tmp_path / "m")
    assert "\n" not in str(caught.value)


def test_weights_that_are_not_finite_are_refused_even_with_a_valid_checksum(
    folder: Path, tmp_path: Path
) -> None:
    model = model_folder.read_model(folder)
    weights = {name: np.array(weight) for name, weight in model.weights.items()}
    next(iter(weights.values())).flat[0] = np.nan
    fields = dict(model.file)
    del fields["weights"]
    with pytest.raises(OasisGanError, match="finite weights"):
        model_folder.write_model(tmp_path / "nan", weights, {}, **fields)
    data = safetensors.numpy.save(weights)
    model_folder.write_model(tmp_path / "nan", model.weights, {}, **fields)
    (tmp_path / "nan" / "weights.safetensors").write_bytes(data)
    content = json.loads((tmp_path / "nan" / "model.json").read_text())
    content["weights"] = model_folder.WeightsFile(
        bytes=len(data), sha256=hashlib.sha256(data).hexdigest()
    ).model_dump()
    (tmp_path / "nan" / "model.json").write_text(json.dumps(content))
    with pytest.raises(OasisGanError, match="finite weights"):
        StoredGenerator(tmp_path / "nan")


def test_weights_of_another_architecture_are_refused(folder: Path) -> None:
    recipe = Recipe(**{**TINY, "generator": {"levels": 2, "filters": 8}})
    trainer = Pix2PixTrainer(recipe, LinearPrediction(np.ones((3, 1), np.float32), 1.0), 4)
    with pytest.raises(OasisGanError, match="of shape"):
        assign(trainer.generator, model_folder.read_model(folder).weights, folder)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"steps": 0}, "recipe: steps"),
        ({"stepz": 5}, "recipe: stepz"),
        ({"generator": {"norm": "layer"}}, "recipe: generator.norm"),
        ({"learning_rate": float("nan")}, "recipe: learning_rate"),
        ({"planes": ["axial", "oblique"]}, "recipe: planes.1"),
        ({"name": "../evil"}, "recipe: name"),
        ({"labels": "unknown"}, "recipe: labels"),
        ({"steps": 5, "epochs": 5}, "recipe: steps"),
        ({"source": "image", "contrast": "anchored"}, "recipe: contrast"),
        ({"source": "image", "target": "labels", "contrast": "anchored"}, "recipe: contrast"),
        ({"labels": "freesurfer", "contrast": "anchored"}, "recipe: contrast"),
        ({"size": 4096}, "recipe: size"),
        ({"output": "x" * 300}, "recipe: output"),
        ({"patch": 65}, "recipe: patch"),
        ({"size": 16}, "recipe: size"),
        ({"source": "labels", "target": "labels"}, "recipe: target"),
        ({"discriminator": {"receptive_field": 71}}, "recipe: discriminator.receptive_field"),
        (
            {"discriminator": {"input": "residual"}, "loss": {"objective": "L1+GAN"}},
            "recipe: discriminator.input",
        ),
        ({"loss": {"objective": "L1"}, "pretraining": {"steps": 5}}, "recipe: pretraining.steps"),
        ({"target": "labels", "source": "image", "sharpness": 1.4}, "recipe: sharpness"),
        ({"loss": {"objective": "L1", "texture_weight": 5}}, "recipe: loss.texture_weight"),
        ({"loss": {"texture_gain": 1.2}}, "recipe: loss.texture_gain"),
        ({"histogram": {"strength": 1.5}}, "recipe: histogram.strength"),
        (
            {"target": "labels", "source": "image", "histogram": {"strength": 0.5}},
            "recipe: histogram.strength",
        ),
        ({"histogram": {"subjects": ["a"]}}, "recipe: histogram.subjects"),
        ({"generator": {"noise": True, "full_skip": False}}, "recipe: generator.noise"),
        ({"loss": {"l1_weight": -1}}, "recipe: loss.l1_weight"),
    ],
)
def test_a_wrong_recipe_is_refused_with_the_name_of_the_setting(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(OasisGanError) as caught:
        parse_recipe(settings)
    assert str(caught.value).startswith(f"{message}: expected ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        (
            {"l1_weight": 50},
            "expected a setting of the recipe, found l1_weight; did you mean loss.l1_weight?",
        ),
        (
            {"generator": {"l1_weight": 50}},
            "found generator.l1_weight; did you mean loss.l1_weight?",
        ),
        ({"filters": 8}, "did you mean generator.filters or discriminator.filters?"),
        ({"generator": {"nrom": "batch"}}, "did you mean generator.norm?"),
        ({"generater": {"norm": "batch"}}, "found generater; did you mean generator?"),
        ({"stepz": 5}, "did you mean steps?"),
        ({"qqq": 5}, "found qqq; docs/training.md lists all settings"),
        (
            {"steps": "200,batch=2"},
            "expected a whole number, found '200,batch=2'; give each setting by itself",
        ),
        ({"steps": 1.5}, "expected a whole number, found 1.5"),
        ({"steps": {"a": 1}}, "expected a whole number, found {'a': 1}"),
        ({"learning_rate": "fast"}, "expected a number, found 'fast'"),
        ({"learning_rate": float("inf")}, "expected a finite number, found inf"),
        ({"tensorboard": "maybe"}, "expected true or false, found 'maybe'"),
        (
            {"version": 2},
            """expected text, found 2; put it in quotes, as TOML has it: 'version="2"'""",
        ),
        (
            {"planes": "axial"},
            """expected a list, found 'axial'; write it as a TOML list: 'planes=["axial"]'""",
        ),
        ({"planes": "[axial, coronal]"}, """'planes=["axial", "coronal"]'"""),
        ({"planes": []}, "expected a list of at least 1, found []"),
        ({"planes": ["axial", "axial"]}, "expected each plane once, found axial twice"),
        (
            {"loss": 5},
            "recipe: loss: expected a table of settings, found 5; "
            "name a setting in it: loss.NAME = ...",
        ),
        ({"loss": {"gan": "x"}}, "expected one of 'bce' or 'least-squares', found 'x'"),
        ({"generator": {"dropout": 2}}, "expected a number of at most 1.0, found 2"),
        ({"steps": 0}, "expected a number of at least 1, found 0"),
        ({"name": "a b"}, "expected letters, digits and . _ - only, found 'a b'"),
    ],
)
def test_a_wrong_setting_is_explained_in_one_sentence(
    settings: dict[str, Any], message: str
) -> None:
    with pytest.raises(OasisGanError) as caught:
        parse_recipe(settings)
    assert message in str(caught.value)
    assert "nput should" not in str(caught.value)


def nest(name: str, value: object) -> dict[str, Any]:
    """Return the settings in which one has a value; a dot in its name reaches into a table."""
    settings = value
    for part in reversed(name.split(".")):
        settings = {part: settings}
    assert isinstance(settings, dict)
    return settings


def merge(settings: dict[str, Any], others: dict[str, Any]) -> dict[str, Any]:
    """Return settings with others, which may be in the same tables."""
    merged = dict(settings)
    for name, value in others.items():
        merged[name] = {**merged.get(name, {}), **value} if isinstance(value, dict) else value
    return merged


def find_setting(settings: dict[str, Any], name: str) -> object:
    """Return the value of a setting; raise KeyError if there is none."""
    found: Any = settings
    for part in name.split("."):
        found = found[part]
    return found


EARLIER_VALUES: dict[str, tuple[object, dict[str, Any]]] = {
    "averaging": (0.9, {}),
    "constant": (0.25, {}),
    "keep": (7, {}),
    "generator.leak": (0.1, {}),
    "generator.widest": (4, {}),
    "generator.test_as_training": (True, {}),
    "discriminator.leak": (0.1, {}),
    "discriminator.sees": ("residual", {}),
    "loss.halved": (False, {}),
    "loss.prior": (0.5, {}),
    "loss.roughness": (1.25, {"loss": {"texture_weight": 1.0}}),
    "smooth.steps": (5, {}),
    "smooth.learning_rate": (0.5, {}),
    "smooth.texture": (0.5, {}),
}
"""A value that is not the default for each earlier name of a setting, and what it requires."""


@pytest.mark.parametrize("name", RENAMED_SETTINGS)
def test_a_setting_is_accepted_under_its_earlier_name_and_written_under_its_present_one(
    name: str,
) -> None:
    value, required = EARLIER_VALUES[name]
    settings = merge(nest(name, value), required)
    present = RENAMED_SETTINGS[name]
    written = parse_recipe(settings).model_dump(mode="json")
    assert find_setting(written, present) == value
    assert find_setting(Recipe().model_dump(mode="json"), present) != value
    with pytest.raises(KeyError):
        find_setting(written, name)


@pytest.mark.parametrize("name", RENAMED_SETTINGS)
def test_a_setting_under_both_of_its_names_is_refused(name: str) -> None:
    value, _ = EARLIER_VALUES[name]
    present = RENAMED_SETTINGS[name]
    settings = merge(nest(name, value), nest(present, value))
    with pytest.raises(OasisGanError) as caught:
        parse_recipe(settings)
    assert str(caught.value) == (
        f"recipe: {name}: expected {present} alone, found both; leave out {name}, its earlier name"
    )


def test_a_model_is_read_with_the_earlier_names_of_its_settings(tmp_path: Path) -> None:
    shipped = Path(oasis_gan_pix2pix.__file__).parent / "models" / "tissue-to-t1w" / "model.json"
    content = json.loads(shipped.read_text())
    assert content["generator"]["leak"] == 0.2
    content["generator"] |= {"leak": 0.3, "widest": 4, "test_as_training": True}
    (tmp_path / "model.json").write_text(json.dumps(content))
    generator = read_model_file(tmp_path).generator
    assert generator.leaky_relu_slope == 0.3
    assert generator.max_filter_multiple == 4
    assert generator.inference_in_training_mode


def test_the_recipe_that_the_default_model_records_is_its_preset() -> None:
    folder = Path(oasis_gan_pix2pix.__file__).parent
    shipped = json.loads((folder / "models" / "tissue-to-t1w" / "model.json").read_text())
    preset = tomllib.loads((folder / "recipes" / "tissue-to-t1w.toml").read_text())
    # How often it was validated changes nothing.
    expected = parse_recipe(preset | {"validate_every": 500})
    assert parse_recipe(shipped["training"]["recipe"]) == expected


def make_broken_settings() -> Iterator[dict[str, Any]]:
    """Yield each setting with values of wrong types."""
    values: tuple[Any, ...] = ({"a": 1}, [[]], "?!", -1e9, 10**400)
    for name in list_settings(Recipe):
        for value in values:
            yield nest(name, value)


def test_no_message_of_pydantic_reaches_the_user() -> None:
    refused = 0
    for settings in make_broken_settings():
        try:
            parse_recipe(settings)
        except OasisGanError as error:
            refused += 1
            assert not re.search(
                "[Ii]nput should|a valid |should match|after validation", str(error)
            ), str(error)
    assert refused > 200
