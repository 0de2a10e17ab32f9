"""Metrics are summed, saved in checkpoints and compared by name."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from oasis_gan_keras.metrics import (
    VALIDATION_L1,
    VALIDATION_PSNR,
    BestWeights,
    RunningMeans,
    measure,
)

from oasis_gan import OasisGanError


def pass_through_json(metadata: dict[str, Any]) -> dict[str, Any]:
    """Return metadata as a checkpoint restores it."""
    return dict(json.loads(json.dumps(metadata)))


def test_means_are_taken_over_the_updates_since_the_last_time() -> None:
    means = RunningMeans(["L1", "edges"])
    means.add({"L1": 1.0, "edges": 10.0})
    means.add({"edges": 30.0, "L1": 2.0})
    assert means.take() == {"L1": 1.5, "edges": 20.0}
    means.add({"L1": 5.0, "edges": 0.0})
    assert means.take() == {"L1": 5.0, "edges": 0.0}


def test_means_continue_from_a_checkpoint_in_any_order_of_the_losses() -> None:
    means = RunningMeans(["L1", "edges"])
    means.add({"L1": 1.0, "edges": 10.0})
    resumed = RunningMeans(["edges", "L1"])
    resumed.restore(pass_through_json(means.metadata()), "checkpoints")
    resumed.add({"L1": 3.0, "edges": 30.0})
    assert resumed.take() == {"edges": 20.0, "L1": 2.0}


def test_means_of_the_first_versions_had_no_names_and_are_taken_in_their_order() -> None:
    means = RunningMeans(["L1", "texture"])
    means.restore({"sums": [4.0, 2.0], "summed": 2}, "checkpoints")
    assert means.take() == {"L1": 2.0, "texture": 1.0}


@pytest.mark.parametrize(
    ("sums", "found"),
    [
        ({}, "found none;"),
        ({"L1": 1.0}, "found L1;"),
        ({"L1": 1.0, "colour": 2.0}, "found L1, colour;"),
        ([1.0, 2.0, 3.0], "found 3 without"),
    ],
)
def test_a_checkpoint_of_other_losses_is_refused_in_one_line(sums: object, found: str) -> None:
    with pytest.raises(
        OasisGanError, match="checkpoints: expected the losses L1, edges, "
    ) as caught:
        RunningMeans(["L1", "edges"]).restore({"sums": sums, "summed": 1}, Path("checkpoints"))
    assert found in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_best_weights_are_those_of_the_smallest_error() -> None:
    best = BestWeights()
    for step, value in [(1, 0.5), (2, 0.7), (3, 0.4), (4, 0.4)]:
        metrics = {VALIDATION_L1: value, VALIDATION_PSNR: 100.0}
        if best.is_beaten_by(metrics):
            best.replace(metrics, step, {"kernel": np.full(1, step)})
    assert (best.value, best.step) == (0.4, 3)
    assert best.weights["kernel"].tolist() == [3]
    again = BestWeights(weights=best.weights)
    again.restore(pass_through_json(best.metadata()))
    assert again == best


def test_before_the_first_validation_anything_is_better() -> None:
    best = BestWeights()
    best.restore(pass_through_json(BestWeights().metadata()))
    assert best.value == math.inf
    assert best.is_beaten_by({VALIDATION_L1: 9e9})


def test_the_best_value_of_the_first_versions_had_no_name() -> None:
    best = BestWeights()
    best.restore({"best": 0.25, "best_step": 7})
    assert (best.metric, best.value, best.step) == (VALIDATION_L1, 0.25, 7)


def test_only_pixels_inside_the_head_are_measured() -> None:
    real = np.zeros((1, 2, 2, 1), np.float32)
    generated = np.array([0.1, 0.1, 0.9, 0.9], np.float32).reshape(real.shape)
    mask = np.array([[[True, True], [False, False]]])
    measured = measure(generated, real, mask)
    assert measured == {VALIDATION_L1: pytest.approx(0.1), VALIDATION_PSNR: pytest.approx(20)}
