"""Slices are paired, encoded and augmented as the settings say, for all kinds of subjects."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from kit.tiny_training import SHAPE, head, subject
from kit.tiny_training import TINY as WHOLE
from numpy.typing import NDArray
from oasis_gan_keras.paired_slices import PairedSlices
from oasis_gan_keras.rotation import rotate
from oasis_gan_keras.training_settings import TrainingSettings

from oasis_gan import Histogram, OasisGanError, Scan, Subject, Volume

pytestmark = pytest.mark.precision


class Recipe(TrainingSettings):
    """Settings of a network that halves its slices twice."""

    @property
    def multiple(self) -> int:
        return 4


TINY: dict[str, Any] = {
    name: value for name, value in WHOLE.items() if name in TrainingSettings.model_fields
}
STILL: dict[str, Any] = {**TINY, "augmentation": {"shift": 0, "flip": False}}


def test_slices_are_drawn_paired_and_encoded() -> None:
    recipe = Recipe(**TINY)
    pairs = PairedSlices([subject("a", *head())], recipe, pytest.fail)
    for source, target in map(pairs.batch, range(30)):
        assert source.shape[1:] == (*target.shape[1:3], 3)
        assert source.shape[1] % 4 == 0
        assert source.shape[2] % 4 == 0
        assert source.min() >= 0
        assert source.sum(-1).max() <= 1 + 1e-5
        assert 0 <= target.min() <= target.max() <= 1
        # Source and target are augmented alike, so greys still follow tissues.
        assert find_error(source, target) < 0.05


def find_error(source: NDArray[np.float32], target: NDArray[np.float32]) -> float:
    """Return the mean difference of a target from the greys of its tissues."""
    painted = source @ np.array([0.30, 0.55, 0.75], np.float32)
    inside = source.sum(-1) > 0.99
    return float(np.abs(painted - target[..., 0])[inside].mean())


def z_score(image: NDArray[np.float32], inside: NDArray[np.bool_]) -> NDArray[np.float32]:
    """Return an image that is scaled to mean 0 and standard deviation 1 inside a mask."""
    values = image[inside]
    return np.asarray((image - values.mean()) / values.std(), np.float32)


LABELS, IMAGE = head()
Z_OVER_VOLUME = z_score(IMAGE, np.ones(SHAPE, bool))
Z_IN_BRAIN = np.where(LABELS > 0, z_score(IMAGE, LABELS > 0), 0).astype(np.float32)
WITH_NAN = IMAGE.copy()
WITH_NAN[10, 12, 11] = np.nan
IMAGES: dict[str, NDArray[Any]] = {
    "z-scored over the volume": Z_OVER_VOLUME,
    "z-scored in the brain": Z_IN_BRAIN,
    "-1024": (np.rint(IMAGE) - 1024).astype(np.int16),
    "plus 1": (np.rint(IMAGE) + 1).astype(np.uint8),
    "one NaN": WITH_NAN,
    "NaN around": np.where(LABELS > 0, IMAGE, np.nan).astype(np.float32),
}


@pytest.mark.parametrize("name", IMAGES)
def test_a_target_may_have_any_background(name: str) -> None:
    expected = PairedSlices([subject("a", LABELS, IMAGE)], Recipe(**STILL), pytest.fail)
    pairs = PairedSlices([subject("a", LABELS, IMAGES[name])], Recipe(**STILL), pytest.fail)
    (window,) = pairs.windows
    assert len(window.values) == len(expected.windows[0].values)
    for step in range(5):
        source, target = pairs.batch(step)
        _, as_expected = expected.batch(step)
        assert not target[source.sum(-1) == 0].any()
        # Tissue means are on their anchors, however the image was scaled.
        assert np.abs(target - as_expected)[source.sum(-1) > 0].mean() < 0.03


@pytest.mark.parametrize("name", IMAGES)
def test_a_source_is_an_image_because_the_recipe_says_so(name: str) -> None:
    recipe = Recipe(**{**STILL, "source": "image", "target": "labels", "output": "dseg"})
    pairs = PairedSlices([subject("a", IMAGES[name], LABELS)], recipe, pytest.fail)
    for step in range(5):
        source, target = pairs.batch(step)
        assert not source[target.sum(-1) == 0].any()
        assert source[target.sum(-1) > 0].mean() > 0.2


def test_an_epoch_shows_every_slice_once_in_a_new_order() -> None:
    pairs = PairedSlices([subject("a", *head())], Recipe(**{**STILL, "batch": 1}), pytest.fail)
    count = len(pairs)
    sums = [np.round(pairs.batch(step)[1].sum(), 2) for step in range(2 * count)]
    first = sums[:count]
    second = sums[count:]
    _, targets = pairs.sample(count)
    assert first != second
    assert sorted(first) == sorted(second) == sorted(np.round(targets.sum((1, 2, 3)), 2))


def test_a_batch_depends_on_the_seed_and_the_step_alone() -> None:
    """A run can therefore be resumed at any step, and several machines can share a batch."""
    recipe = Recipe(**{**TINY, "batch": 4, "size": 32})
    pairs = PairedSlices([subject("a", *head())], recipe, pytest.fail)
    again = PairedSlices([subject("a", *head())], recipe, pytest.fail)
    whole = pairs.batch(7)
    np.testing.assert_array_equal(again.batch(7)[0], whole[0])
    parts = [again.batch(7, (part, 2)) for part in (0, 1)]
    for side in (0, 1):
        np.testing.assert_array_equal(np.concatenate([part[side] for part in parts]), whole[side])


def test_fewer_slices_than_a_batch_still_fill_it() -> None:
    pairs = PairedSlices(
        [subject("a", *head())], Recipe(**{**TINY, "batch": 50, "planes": ["axial"]}), pytest.fail
    )
    assert len(pairs) < 50
    assert len(pairs.batch(0)[0]) == 50


def test_patches_are_cut_from_source_and_target_alike() -> None:
    recipe = Recipe(**{**TINY, "size": 32, "patch": 24})
    pairs = PairedSlices([subject("a", *head())], recipe, pytest.fail)
    for source, target in map(pairs.batch, range(5)):
        assert source.shape[1:3] == target.shape[1:3] == (24, 24)
        assert find_error(source, target) < 0.05


def test_source_and_target_are_rotated_alike() -> None:
    turned = PairedSlices(
        [subject("a", *head())],
        Recipe(**{**STILL, "augmentation": {"shift": 0, "rotate": 45}}),
        pytest.fail,
    )
    for source, target in map(turned.batch, range(5)):
        assert find_error(source, target) < 0.05
    x = np.random.default_rng(0).random((1, 5, 5, 2)).astype(np.float32)
    np.testing.assert_allclose(rotate(x, 90), np.rot90(x, 1, (1, 2)), atol=1e-5)


@pytest.mark.parametrize("plane", ["axial", "coronal", "sagittal"])
def test_only_slices_that_show_both_sides_are_flipped(plane: str) -> None:
    batches = []
    for flip in (False, True):
        recipe = Recipe(**{**STILL, "planes": [plane], "augmentation": {"shift": 0, "flip": flip}})
        pairs = PairedSlices([subject("a", *head())], recipe, pytest.fail)
        batches.append(np.concatenate([pairs.batch(step)[0] for step in range(5)]))
    without, with_flips = batches
    is_flipped = not np.array_equal(without, with_flips)
    assert is_flipped == (plane != "sagittal")


def test_a_head_is_also_cut_at_the_requested_resolutions() -> None:
    own = PairedSlices([subject("a", *head())], Recipe(**TINY), pytest.fail)
    both = PairedSlices(
        [subject("a", *head())], Recipe(**{**TINY, "resolutions": [0.5, 2.0]}), pytest.fail
    )
    # A head of 1 mm has no further detail at half a millimetre.
    assert len(own) < len(both) < 2 * len(own)
    source, target = both.sample(1000)
    assert find_error(source, target) < 0.06


def test_images_become_label_maps_and_other_images() -> None:
    labels, image = head()
    both = subject("a", labels, image)
    turned = Subject("a", both.target or both.source, both.source)
    to_labels = Recipe(**{**STILL, "source": "image", "target": "labels"})
    source, target = PairedSlices([turned], to_labels, pytest.fail).batch(0)
    assert (source.shape[-1], target.shape[-1]) == (1, 3)
    assert 0 <= source.min() < source.max() <= 1
    to_image = Recipe(
        **{**STILL, "source": "image", "contrast": "robust", "augmentation": {"intensity": 0.3}}
    )
    pairs = PairedSlices([Subject("a", turned.source, turned.source)], to_image, pytest.fail)
    source, target = pairs.batch(0)
    # The discriminator concatenates source and target, so both have to be float32.
    assert source.dtype == target.dtype == np.float32
    # Gain and gamma of the source alone are augmented.
    assert not np.array_equal(source, target)
    assert np.corrcoef(source.ravel(), target.ravel())[0, 1] > 0.9


def test_slices_with_too_little_tissue_are_left_out() -> None:
    labels, image = head()
    pairs = PairedSlices(
        [subject("a", labels, image)], Recipe(**{**TINY, "planes": ["axial"]}), pytest.fail
    )
    assert len(pairs) == np.count_nonzero((labels > 0).sum((0, 1)) >= 200)


def test_a_bad_subject_is_named_and_left_out() -> None:
    labels, image = head()
    lines: list[str] = []
    good = subject("good", labels, image)
    bad = subject("bad", labels * 40, image)
    pairs = PairedSlices([bad, good], Recipe(**TINY), lines.append)
    assert pairs.names == ["good"]
    (line,) = lines
    assert "bad.nii" in line
    assert "40, 80, 120" in line


@pytest.mark.parametrize(
    "raised",
    [
        ValueError("no"),
        KeyError("subject"),
        MemoryError(),
        EOFError(),
        SystemExit(0),
        GeneratorExit(),
    ],
    ids=repr,
)
def test_a_subject_that_raises_anything_is_left_out_and_the_others_are_used(
    raised: BaseException,
) -> None:
    def read(path: Path) -> Volume:
        raise raised

    lines: list[str] = []
    good = subject("good", *head())
    bad = Subject("bad", Scan(Path("bad.nii"), read), good.target)
    pairs = PairedSlices([bad, good], Recipe(**TINY), lines.append)
    assert pairs.names == ["good"]
    (line,) = lines
    assert line.startswith("left out bad: ")


def test_a_subject_that_fails_late_leaves_nothing_behind() -> None:
    """Its window exists already when its histogram fails."""
    labels, image = head()
    recipe = Recipe(**{**TINY, "histogram": {"strength": 0.5}})
    alone = PairedSlices([subject("good", labels, image)], recipe, pytest.fail)
    lines: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        of = Histogram.from_voxels

        def fail_once(*arguments: Any) -> Histogram:  # noqa: ANN401
            patch.undo()
            raise ValueError("late")

        patch.setattr(Histogram, "from_voxels", fail_once)
        both = PairedSlices(
            [subject("bad", labels, image * 3), subject("good", labels, image)],
            recipe,
            lines.append,
        )
    assert Histogram.from_voxels == of
    assert len(lines) == 1
    assert both.windows == alone.windows
    assert len(both) == len(alone)


def test_no_usable_subject_is_refused() -> None:
    labels, image = head()
    with pytest.raises(OasisGanError, match="at least one usable pair"):
        PairedSlices([subject("bad", labels * 40, image)], Recipe(**TINY), lambda line: None)
