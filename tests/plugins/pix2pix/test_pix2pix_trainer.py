"""An update follows the equations of the paper, and a run is restored from a checkpoint exactly."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import oasis_gan_pix2pix
import pytest
from kit.paper_equations import Gradients, expected_gradients
from kit.places import TESTS
from kit.tiny_training import (
    EXACT,
    LONG,
    OBJECTIVES,
    PLAIN,
    PRECISIONS,
    PREDICTION,
    TINY,
    batch,
    head,
    run,
    subject,
)
from oasis_gan_keras import checkpoints
from oasis_gan_keras.backend import keras, tf
from oasis_gan_keras.variables import read_variables
from oasis_gan_pix2pix.recipe import Recipe, parse_recipe
from oasis_gan_pix2pix.renamed_settings import RENAMED_SETTINGS
from oasis_gan_pix2pix.trainer import Pix2PixTrainer
from oasis_gan_pix2pix.training import train
from oasis_gan_pix2pix.translator import StoredGenerator

from oasis_gan import OasisGanError, TrainingRequest, rename_settings

pytestmark = pytest.mark.precision

FIRST_METRICS = (
    "L1",
    "texture",
    "adversarial",
    "discriminator",
    "generator_gradient",
    "discriminator_gradient",
)
"""The metrics of the first versions, in the order in which they wrote them."""


@pytest.mark.parametrize("objective", OBJECTIVES)
@pytest.mark.parametrize("shown", ["image", "residual"])
def test_an_update_has_the_losses_and_gradients_of_the_papers_equations(
    objective: str, shown: str
) -> None:
    """Losses, gradients and the step of Adam agree with an independent implementation."""
    if shown == "residual" and objective in ("GAN", "L1+GAN"):
        pytest.skip("refused: the residual shows the source")
    discriminator = {**PLAIN["discriminator"], "input": shown}
    recipe = Recipe(
        **{**EXACT, "size": 16, "loss": {"objective": objective}, "discriminator": discriminator}
    )
    keras.utils.set_random_seed(1)
    trainer = Pix2PixTrainer(recipe, PREDICTION, 10)
    source, target = batch()
    losses, gradients = expected_gradients(trainer, tf.constant(source), tf.constant(target))
    before = {
        name: read_variables(getattr(trainer, name)) for name in ("generator", "discriminator")
    }
    metrics = trainer.update(0, source, target)
    for name in ("L1", "adversarial", "discriminator"):
        assert metrics[name] == pytest.approx(float(losses[name]), rel=1e-4), name
    for name, expected in gradients.items():
        squares = sum(float(np.square(gradient).sum()) for gradient in expected.values())
        assert metrics[f"{name}_gradient"] == pytest.approx(np.sqrt(squares), rel=1e-3)
        assert_first_adam_step(before[name], getattr(trainer, name), expected)
    if not recipe.loss.adversarial:
        after = read_variables(trainer.discriminator)
        for name, value in before["discriminator"].items():
            np.testing.assert_array_equal(after[name], value)


def assert_first_adam_step(before: Gradients, network: Any, gradients: Gradients) -> None:  # noqa: ANN401
    """Check a first step of Adam (arXiv 1412.6980, algorithm 1, with epsilon beside the root)."""
    for variable in network.trainable_variables:
        step = np.asarray(variable) - before[variable.path]
        root = np.sqrt(1 - 0.999) * gradients[variable.path]
        expected = -2e-4 * root / (np.abs(root) + 1e-7)
        np.testing.assert_allclose(step, expected, rtol=0.02, atol=4e-6)


def test_the_background_of_the_source_has_no_effect_on_training() -> None:
    recipe = Recipe(**{**PLAIN, "size": 16})
    source, target = batch()
    background = source.max(-1, keepdims=True) == 0
    metrics = []
    for changed_target in (target, np.where(background, 1 - target, target)):
        keras.utils.set_random_seed(1)
        trainer = Pix2PixTrainer(recipe, PREDICTION, 10)
        metrics.append(trainer.update(0, source, changed_target))
    assert metrics[0] == metrics[1]


def test_the_learning_rate_is_constant_and_then_falls_to_nothing_in_both_stages() -> None:
    recipe = Recipe(
        **{
            **PLAIN,
            "size": 16,
            "pretraining": {"steps": 10, "learning_rate": 0.1},
            "learning_rate": 0.01,
        }
    )
    optimizer = Pix2PixTrainer(recipe, PREDICTION, 30).optimizers["generator"]
    rates = []
    for step in range(31):
        optimizer.iterations.assign(step)
        rates.append(float(optimizer.learning_rate))
    np.testing.assert_allclose(rates[:6], 0.1)
    np.testing.assert_allclose(rates[5:10], np.linspace(0.1, 0.02, 5), rtol=1e-5)
    np.testing.assert_allclose(rates[10:21], 0.01, rtol=1e-5)
    np.testing.assert_allclose(rates[20:31], np.linspace(0.01, 0, 11), atol=1e-8)


def test_averaged_weights_trail_the_trained_ones_by_the_decay() -> None:
    recipe = Recipe(**{**PLAIN, "size": 16, "ema_decay": 0.2})
    trainer = Pix2PixTrainer(recipe, PREDICTION, 10)
    average = read_variables(trainer.inference_network)
    for step in range(4):
        trainer.update(step, *batch(step))
        trained = read_variables(trainer.generator)
        decay = min(0.2, (2 + step) / (11 + step))
        average = {name: decay * average[name] + (1 - decay) * trained[name] for name in trained}
    for name, value in read_variables(trainer.inference_network).items():
        np.testing.assert_allclose(value, average[name], atol=1e-6)


@pytest.mark.parametrize("before", [(24,), (24, 32), (32, 16, 24)])
def test_an_update_does_not_depend_on_the_sizes_of_slices_that_came_before(
    before: tuple[int, ...],
) -> None:
    recipe = parse_recipe(
        {
            **TINY,
            "precision": "float32",
            "generator": {"levels": 2, "filters": 8},
            "pretraining": {"steps": 0},
        }
    )
    used = Pix2PixTrainer(recipe, PREDICTION, 10)
    fresh = Pix2PixTrainer(recipe, PREDICTION, 10)
    for step, size in enumerate(before):
        used.update(step, *batch(step, size))
    fresh.restore(used.state(), "a checkpoint")
    for size in (16, 32):
        assert used.update(5, *batch(7, size)) == fresh.update(5, *batch(7, size))
        expected = fresh.state()
        differing = [
            name
            for name, array in used.state().items()
            if array.tobytes() != expected[name].tobytes()
        ]
        assert differing == []
    source, _ = batch(8, 48)
    used.generate(batch(9)[0])
    np.testing.assert_array_equal(used.generate(source), fresh.generate(source))


@pytest.mark.parametrize("precision", ["bfloat16", "float16"])
def test_half_precisions_learn_what_float32_learns(precision: str) -> None:
    losses = {}
    for name in ("float32", precision):
        keras.utils.set_random_seed(1)
        recipe = Recipe(**{**PLAIN, "size": 16, "precision": name, "learning_rate": 5e-3})
        trainer = Pix2PixTrainer(recipe, PREDICTION, 80)
        source = batch()[0]
        assert trainer.generate(source).dtype == np.float32
        losses[name] = [
            trainer.update(step, source, source @ PREDICTION.weights)["L1"] for step in range(80)
        ]
        assert all(
            variable.dtype == "float32" for variable in trainer.generator.trainable_variables
        )
    assert losses[precision][-1] < 0.5 * losses[precision][0]
    assert losses[precision][-1] == pytest.approx(losses["float32"][-1], rel=0.1)
    assert keras.config.dtype_policy().name == "float32"


def test_every_shipped_recipe_is_valid() -> None:
    paths = sorted((Path(oasis_gan_pix2pix.__file__).parent / "recipes").glob("*.toml"))
    assert [path.stem for path in paths] == [
        "2.5d",
        "paper",
        "tensorflow-tutorial",
        "tissue-to-t1w",
    ]
    recipes = {path.stem: parse_recipe(tomllib.loads(path.read_text("utf-8"))) for path in paths}
    assert {name: recipe.context for name, recipe in recipes.items() if recipe.context} == {
        "2.5d": 2
    }


@pytest.mark.parametrize("name", ["paper", "tensorflow-tutorial"])
def test_a_preset_trains_and_translates(name: str, tmp_path: Path) -> None:
    """The networks are made smaller here; other tests check their depth and width."""
    text = (Path(oasis_gan_pix2pix.__file__).parent / "recipes" / f"{name}.toml").read_text()
    settings = tomllib.loads(text)
    assert parse_recipe(settings).generator.filters == 64
    settings.pop("epochs", None)
    settings |= {"steps": 2, "size": 32}
    settings["generator"] |= {"levels": 5, "filters": 4}
    settings["discriminator"] |= {"filters": 4}
    train(
        TrainingRequest(
            subjects=(subject("a", *head()),),
            validation=(),
            out=tmp_path / "m",
            recipe=settings,
            report=lambda line: None,
        )
    )
    for precision, bound in PRECISIONS:
        generator = StoredGenerator(tmp_path / "m", precision=precision)
        x = batch(size=32)[0]
        first = generator.generate(x)
        second = generator.generate(x)
        np.testing.assert_array_equal(first, second)
        np.testing.assert_allclose(generator.generate(x[:1]), first[:1], atol=bound)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("whole") / "m"
    run(out, LONG)
    return out


SCRIPT = """
import sys
from pathlib import Path
from kit.tiny_training import LONG, run
run(Path(sys.argv[1]), LONG)
"""


@pytest.mark.parametrize("moment", ["begun", "step-000000006", "best"])
def test_a_run_that_is_killed_and_resumed_ends_like_one_that_was_not(
    uninterrupted: Path, tmp_path: Path, moment: str
) -> None:
    """Weights, checkpoints, table and samples are equal bit for bit.

    The process is killed as soon as the file of a moment exists.
    """
    out = tmp_path / "m"
    command = [sys.executable, "-c", SCRIPT, str(out)]
    process = subprocess.Popen(command, cwd=TESTS, stderr=subprocess.DEVNULL)
    pattern = {"begun": "recipe.toml", "best": "best/model.json"}
    awaited = pattern.get(moment, f"checkpoints/{moment}*")
    while process.poll() is None and not list(out.glob(awaited)):
        time.sleep(0.005)
    os.kill(process.pid, signal.SIGKILL)
    process.wait()
    lines = run(out, LONG, resume=True)
    assert any(
        "resumed after step" in line or "starting from the beginning" in line for line in lines
    )
    for path in sorted(uninterrupted.rglob("*")):
        if path.is_file() and path.suffix != ".png":
            resumed = out / path.relative_to(uninterrupted)
            assert resumed.read_bytes() == path.read_bytes(), path.name
    found = {path.relative_to(out) for path in out.rglob("*") if not path.name.startswith(".")}
    assert found == {path.relative_to(uninterrupted) for path in uninterrupted.rglob("*")}


def remove_names(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """Return the metadata of a checkpoint as the first versions wrote it."""
    sums = [metadata["sums"][name] for name in FIRST_METRICS]
    best = metadata["best"]
    return {**metadata, "sums": sums, "best": best["value"], "best_step": best["step"]}


def test_a_checkpoint_whose_metrics_have_no_names_is_resumed_to_the_same_model(
    uninterrupted: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / "m")
    (out / "checkpoints" / "step-000000012.safetensors").unlink()
    last = checkpoints.read_last(out / "checkpoints")
    assert last is not None
    checkpoints.write(out / "checkpoints", replace(last, metadata=remove_names(last.metadata)), 1)
    assert "resumed after step 9" in run(out, LONG, resume=True)
    for name in ("weights.safetensors", "losses.csv", "best/weights.safetensors"):
        assert (out / name).read_bytes() == (uninterrupted / name).read_bytes()


def give_earlier_names(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Return settings as an earlier version wrote them."""
    earlier = {present: name for name, present in RENAMED_SETTINGS.items()}
    return rename_settings(settings, earlier)


def test_a_checkpoint_with_the_earlier_names_of_settings_is_resumed_to_the_same_files(
    uninterrupted: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / "m")
    (out / "checkpoints" / "step-000000012.safetensors").unlink()
    last = checkpoints.read_last(out / "checkpoints")
    assert last is not None
    recipe = give_earlier_names(last.metadata["recipe"])
    assert recipe["smooth"]["steps"] == 5
    metadata = {**last.metadata, "recipe": recipe}
    checkpoints.write(out / "checkpoints", replace(last, metadata=metadata), 1)
    assert "resumed after step 9" in run(out, give_earlier_names(LONG), resume=True)
    for path in uninterrupted.rglob("*"):
        if path.is_file() and path.suffix != ".png" and "step-000000009" not in path.name:
            resumed = out / path.relative_to(uninterrupted)
            assert resumed.read_bytes() == path.read_bytes(), path.name


def test_a_change_of_a_setting_that_was_renamed_is_listed_under_its_present_name(
    uninterrupted: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / "m")
    last = checkpoints.read_last(out / "checkpoints")
    assert last is not None
    change = {"step": 3, "setting": "constant", "before": 1.0, "after": 0.5}
    metadata = {**last.metadata, "changes": [change]}
    checkpoints.write(out / "checkpoints", replace(last, metadata=metadata), 1)
    run(out, {**LONG, "steps": 13}, resume=True)
    assert "# decay_start: 1.0 until step 3" in (out / "recipe.toml").read_text()


def test_a_checkpoint_of_other_losses_is_refused_in_a_sentence(
    uninterrupted: Path, tmp_path: Path
) -> None:
    out = shutil.copytree(uninterrupted, tmp_path / "m")
    last = checkpoints.read_last(out / "checkpoints")
    assert last is not None
    metadata = {**last.metadata, "sums": {**last.metadata["sums"], "colour": 0.5}}
    checkpoints.write(out / "checkpoints", replace(last, metadata=metadata), 1)
    with pytest.raises(
        OasisGanError,
        match=r"checkpoints: expected the losses L1, .*, found L1, .*colour; resume it",
    ):
        run(out, {**LONG, "steps": 13}, resume=True)


def test_only_the_last_checkpoints_are_kept(uninterrupted: Path) -> None:
    names = [path.name for path in sorted((uninterrupted / "checkpoints").iterdir())]
    assert names == ["step-000000009.safetensors", "step-000000012.safetensors"]


def test_resuming_with_other_networks_is_refused(uninterrupted: Path) -> None:
    other = {**LONG, "generator": {**LONG["generator"], "filters": 8}}
    with pytest.raises(OasisGanError, match="of shape"):
        run(uninterrupted, other, resume=True)


def test_training_stops_at_a_loss_that_is_not_finite_and_keeps_the_last_good_checkpoint(
    tmp_path: Path,
) -> None:
    recipe = {**LONG, "pretraining": {"steps": 5, "learning_rate": 1e-3}, "learning_rate": 1.0}
    recipe |= {"loss": {"gan": "least-squares", "gan_weight": 1e38}}
    with pytest.raises(OasisGanError) as caught:
        run(tmp_path / "m", recipe)
    assert "expected finite losses and gradients" in str(caught.value)
    assert "the last good checkpoint is that of step 3" in str(caught.value)
    found = checkpoints.read_last(tmp_path / "m" / "checkpoints")
    assert found is not None
    assert all(np.isfinite(array).all() for array in found.arrays.values())


def test_training_stops_when_validation_no_longer_improves(tmp_path: Path) -> None:
    recipe = {
        **LONG,
        "steps": 400,
        "validate_every": 2,
        "patience": 2,
        "pretraining": {"steps": 0},
        "learning_rate": 1e-12,
    }
    lines = run(tmp_path / "m", recipe)
    assert any("no improvement since step" in line for line in lines)
    rows = (tmp_path / "m" / "losses.csv").read_text().splitlines()
    assert len(rows) < 100


def test_the_best_weights_by_validation_become_the_model_if_asked_for(tmp_path: Path) -> None:
    run(tmp_path / "m", {**LONG, "select": "best", "ema_decay": 0.0, "pretraining": {"steps": 0}})
    best = (tmp_path / "m" / "best" / "weights.safetensors").read_bytes()
    assert (tmp_path / "m" / "weights.safetensors").read_bytes() == best


def test_the_resolved_recipe_trains_the_same_model(uninterrupted: Path, tmp_path: Path) -> None:
    resolved = tomllib.loads((uninterrupted / "recipe.toml").read_text())
    assert parse_recipe(resolved) == parse_recipe(LONG)
    run(tmp_path / "m", resolved)
    assert (tmp_path / "m" / "weights.safetensors").read_bytes() == (
        uninterrupted / "weights.safetensors"
    ).read_bytes()
