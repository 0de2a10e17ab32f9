"""Deformations and degradations do what the settings say, to the right channels."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from kit.tiny_training import TINY as WHOLE
from kit.tiny_training import head, subject
from numpy.typing import NDArray
from oasis_gan_keras.augmentation_settings import AugmentationSettings
from oasis_gan_keras.deformation import deform, draw_deformation, draw_field
from oasis_gan_keras.degradation import degrade
from oasis_gan_keras.limits import MAX_DISPLACEMENT
from oasis_gan_keras.paired_slices import Batch, PairedSlices
from oasis_gan_keras.training_settings import TrainingSettings

STILL: dict[str, Any] = {"shift": 0, "flip": False}
TINY: dict[str, Any] = {
    name: value for name, value in WHOLE.items() if name in TrainingSettings.model_fields
}
ROWS = 70
COLUMNS = 100


def make_generator() -> np.random.Generator:
    return np.random.default_rng(0)


def make_slices(channels: int) -> NDArray[np.float32]:
    """Return two slices with background around them."""
    slices = np.zeros((2, ROWS, COLUMNS, channels), np.float32)
    slices[:, 5:-5, 5:-5] = 0.5
    return slices


def draw_batches(steps: int, **augmentation: Any) -> list[Batch]:  # noqa: ANN401
    recipe = TrainingSettings(**{**TINY, "augmentation": {**STILL, **augmentation}})
    pairs = PairedSlices([subject("a", *head())], recipe, pytest.fail)
    return [pairs.batch(step) for step in range(steps)]


def test_a_field_stays_within_its_reach_and_is_smooth() -> None:
    field = draw_field(make_generator(), ROWS, COLUMNS, 4.0)
    assert field.shape == (ROWS, COLUMNS)
    assert 1 < np.abs(field).max() <= 4
    assert np.abs(np.diff(field, axis=0)).max() < 0.5
    assert np.abs(np.diff(field, axis=1)).max() < 0.5


@pytest.mark.parametrize("axis", [0, 1])
def test_no_slice_is_folded(axis: int) -> None:
    """Pixels keep their order even with the largest displacement."""
    rng = make_generator()
    for size in (16, 64, 192, 256) * 25:
        displacements = draw_deformation(rng, size, size, MAX_DISPLACEMENT)
        steps = 1 + np.diff(displacements[axis], axis=axis)
        assert steps.min() > 0


def test_no_displacement_changes_nothing() -> None:
    slices = make_generator().random((2, ROWS, COLUMNS, 3)).astype(np.float32)
    still = np.zeros((2, ROWS, COLUMNS), np.float32)
    np.testing.assert_array_equal(deform(slices, still), slices)


def test_a_displacement_says_where_a_value_comes_from() -> None:
    slices = make_generator().random((1, ROWS, COLUMNS, 2)).astype(np.float32)
    displacements = np.zeros((2, ROWS, COLUMNS), np.float32)
    displacements[0] = 1  # from the row below
    displacements[1] = -2  # from two columns to the left
    deformed = deform(slices, displacements)
    np.testing.assert_array_equal(deformed[:, :-1, 2:], slices[:, 1:, :-2])
    assert not deformed[:, -1].any()
    assert not deformed[:, :, :2].any()


def test_half_a_pixel_is_interpolated() -> None:
    slices = make_generator().random((1, ROWS, COLUMNS, 1)).astype(np.float32)
    displacements = np.zeros((2, ROWS, COLUMNS), np.float32)
    displacements[0] = 0.5
    expected = (slices[:, :-1] + slices[:, 1:]) / 2
    np.testing.assert_allclose(deform(slices, displacements)[:, :-1], expected, atol=1e-6)


def test_rows_and_columns_are_displaced_independently() -> None:
    down, right = draw_deformation(make_generator(), ROWS, COLUMNS, 4.0)
    assert not np.array_equal(down, right)


def test_source_and_target_are_deformed_alike() -> None:
    for source, target in draw_batches(5, deform=8):
        painted = source @ np.array([0.30, 0.55, 0.75], np.float32)
        inside = source.sum(-1) > 0.99
        assert np.abs(painted - target[..., 0])[inside].mean() < 0.05


def test_about_half_of_the_slices_are_deformed() -> None:
    still = draw_batches(8)
    moved = draw_batches(8, deform=8)
    same = []
    for (before, _), (after, _) in zip(still, moved, strict=True):
        same += [np.array_equal(*pair) for pair in zip(before, after, strict=True)]
    assert 0.25 < np.mean(same) < 0.75


def test_a_deformation_leaves_the_other_numbers_of_a_slice_as_they_were() -> None:
    """The crop is drawn last, and stays where it is."""
    still = draw_batches(6, shift=3)
    moved = draw_batches(6, shift=3, deform=0.001)
    for (before, _), (after, _) in zip(still, moved, strict=True):
        np.testing.assert_allclose(after, before, atol=0.01)


def test_a_bias_field_changes_images_smoothly_and_not_labels() -> None:
    slices = make_slices(channels=2)
    settings = AugmentationSettings(bias=0.4)
    degraded = degrade(slices, [[1]], settings, make_generator())
    np.testing.assert_array_equal(degraded[..., 0], slices[..., 0])
    change = degraded[0, 5:-5, 5:-5, 1] / 0.5
    assert 0.6 <= change.min() < 0.95
    assert 1.05 < change.max() <= 1.4
    assert np.abs(np.diff(change, axis=0)).max() < 0.1


def test_a_slice_and_its_neighbours_have_one_bias_field() -> None:
    slices = make_slices(channels=3)
    settings = AugmentationSettings(bias=0.4)
    degraded = degrade(slices, [[0, 1, 2]], settings, make_generator())
    np.testing.assert_array_equal(degraded[..., 0], degraded[..., 1])
    np.testing.assert_array_equal(degraded[..., 0], degraded[..., 2])


def test_each_image_has_a_bias_field_of_its_own() -> None:
    slices = make_slices(channels=2)
    degraded = degrade(slices, [[0], [1]], AugmentationSettings(bias=0.4), make_generator())
    assert not np.array_equal(degraded[..., 0], degraded[..., 1])


def test_noise_is_at_most_as_strong_as_the_setting() -> None:
    slices = make_slices(channels=1)
    degraded = degrade(slices, [[0]], AugmentationSettings(noise=0.05), make_generator())
    deviation = float((degraded - slices)[:, 5:-5, 5:-5].std())
    assert 0.001 < deviation <= 0.05


def test_the_background_stays_0() -> None:
    slices = make_slices(channels=1)
    settings = AugmentationSettings(bias=0.4, noise=0.2)
    degraded = degrade(slices, [[0]], settings, make_generator())
    assert not degraded[slices == 0].any()
    assert degraded.min() >= 0
    assert degraded.max() <= 1


@pytest.mark.parametrize("context", [0, 1])
def test_training_degrades_source_images_alone(context: int) -> None:
    labels, image = head()
    plain = {
        **TINY,
        "sources": {"t2": "image", "tissue": "labels"},
        "contrast": "robust",
        "context": context,
    }
    mixed = subject("a", image, image, tissue=labels)
    batches = []
    for strength in (0.0, 0.3):
        augmentation = {**STILL, "bias": strength, "noise": strength}
        recipe = TrainingSettings(**{**plain, "augmentation": augmentation})
        batches.append(PairedSlices([mixed], recipe, pytest.fail).batch(0))
    (before, target), (after, same_target) = batches
    images = slice(0, None, recipe.slice_channels)
    changed = before != after
    assert changed[..., images].any()
    assert changed.any((0, 1, 2)).sum() == 2 * context + 1
    np.testing.assert_array_equal(same_target, target)
