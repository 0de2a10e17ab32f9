"""The benchmark on Neurite OASIS: its split, its figures, and a run on a small tree."""

from __future__ import annotations

import tomllib
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from neurite_oasis import (
    READER,
    RECIPE,
    compare,
    compare_slices,
    list_subjects,
    main,
    paint,
    split,
)
from neurite_tree import make_structures, make_tree
from oasis_gan_pix2pix.recipe import parse_recipe

from oasis_gan import LABEL_SETS, NEURITE_SEG35, Dataset, Geometry
from oasis_gan.cli.choosing import load_registry

TINY = (
    "steps=2",
    "pretraining.steps=1",
    "batch=2",
    "size=48",
    "generator.levels=2",
    "generator.filters=4",
    "discriminator.filters=4",
    "discriminator.receptive_field=16",
)


def test_the_tree_has_the_layout_of_the_release(tmp_path: Path) -> None:
    (name,) = make_tree(tmp_path / "data", 1)
    reader = load_registry(())[Dataset].get(READER)
    assert reader.recognises(tmp_path / "data")
    (subject,) = list_subjects(tmp_path / "data")
    source, target = subject.read_both()
    assert subject.name == name
    assert source.geometry.orientation == "LIA"
    assert set(np.unique(source.voxels)) == {0, *NEURITE_SEG35.values}
    assert 0 <= target.voxels.min() < target.voxels.max() <= 1


def test_every_tenth_subject_is_scored_and_never_learnt(tmp_path: Path) -> None:
    names = make_tree(tmp_path / "data", 21)
    training, test = split(list_subjects(tmp_path / "data"))
    assert [subject.name for subject in test] == [names[9], names[19]]
    assert len(training) == 19
    assert not {subject.name for subject in training} & {subject.name for subject in test}


def test_fewer_than_ten_subjects_are_refused_in_one_line(tmp_path: Path) -> None:
    make_tree(tmp_path / "data", 2)
    done = CliRunner().invoke(main, [str(tmp_path / "data"), "--out", str(tmp_path / "out")])
    assert done.exit_code == 1
    assert done.output == "Error: expected 10 subjects or more, found 2\n"


def test_a_network_of_the_recipe_takes_a_channel_for_each_structure_and_neighbour() -> None:
    recipe = tomllib.loads(RECIPE.read_text("utf-8"))
    parsed = parse_recipe({**recipe, "labels": LABEL_SETS[recipe["labels"]]})
    assert parsed.source_channels == 3 * 35
    assert not parsed.augmentation.flip


def test_slices_are_compared_whatever_their_gain_and_offset() -> None:
    rng = np.random.default_rng(0)
    real = rng.random((20, 20), np.float32)
    psnr, ssim = compare_slices(real, 3 * real + 1)
    assert psnr > 45
    assert ssim > 0.99
    assert compare_slices(real, rng.random((20, 20), np.float32))[0] < 10


def test_the_brain_is_compared_without_matching_contrasts() -> None:
    """The range ends at the highest intensity of the head, here 2, so an error of .2 is a tenth."""
    labels = make_structures(np.random.default_rng(0))
    mask = labels > 0
    real = np.where(mask, labels / 35, 5).astype(np.float32)
    real[labels == 35] = 2
    made = np.where(labels > 30, real - np.float32(0.2), real)
    geometry = Geometry(labels.shape, np.eye(4))
    score = compare("a", "default", real, made, mask, geometry)
    share = (labels > 30).sum() / mask.sum()
    assert score.mae == pytest.approx(share / 10, rel=1e-4)
    assert score.psnr == pytest.approx(20 - 10 * np.log10(share), rel=1e-4)


def test_structures_are_painted_with_their_means_in_the_head() -> None:
    labels = np.array([[0, 1, 1], [2, 2, 2]])
    real = np.array([[9, 2, 4], [1, 1, 4]], np.float32)
    assert np.array_equal(paint(real, labels), np.array([[0, 3, 3], [2, 2, 2]], np.float32))


def test_the_command_trains_and_prints_the_rows_and_what_they_depend_on(tmp_path: Path) -> None:
    make_tree(tmp_path / "data", 10)
    words = [str(tmp_path / "data"), "--out", str(tmp_path / "out")]
    done = CliRunner().invoke(main, [*words, *(f"--set={setting}" for setting in TINY)])
    assert done.exit_code == 0, done.output
    rows = [line for line in done.output.splitlines() if line.startswith("| ")]
    assert [row.split(" | ")[0] for row in rows[1:]] == [
        "| AnatoMaskGAN, as published (arXiv 2508.11375)",
        "| structures painted with their means",
        "| oasis-gan, default",
        "| oasis-gan, smooth",
    ]
    assert "Split: 9 subjects in the training, 1 in the test" in done.output
    assert "Training: 2 steps, seed 0; weights " in done.output
    assert "Machine: " in done.output
    assert len((tmp_path / "out" / "scores.tsv").read_text().splitlines()) == 4
