"""Slices that stand out are found, by figures whose values are known beforehand."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import Geometry
from oasis_gan.evaluation.comparison import compare_raw, find_regions, plane_axes
from oasis_gan.evaluation.discontinuity import (
    Discontinuity,
    measure_discontinuity,
    paint_smooth_anatomy,
)
from oasis_gan.evaluation.measures import Scores, Undefined

Array = NDArray[Any]
SHAPE = (48, 44, 40)
RNG = np.random.default_rng(0)
SIGMA = 10.0
NOISE = RNG.normal(100, SIGMA, SHAPE)
LABELS = np.zeros(SHAPE, np.uint8)
LABELS[4:-4, 5:-5, 6:-6] = RNG.integers(1, 4, (40, 34, 28))
AXIAL = "inferior_superior"
DIRECTIONS = ("left_right", "posterior_anterior", AXIAL)


def measure(real: Array, output: Array, labels: Array = LABELS) -> Discontinuity:
    axes = plane_axes(Geometry(labels.shape, np.eye(4)))
    return measure_discontinuity(compare_raw(real, output, find_regions(labels), axes))


def total(real: Array, output: Array, labels: Array = LABELS) -> dict[str, Any]:
    return dict(measure(real, output, labels).regions["total"])


def step_between(levels: float, sigma: float = SIGMA) -> float:
    """Return the mean absolute difference of two noisy voxels whose levels are so far apart."""
    width = sigma * math.sqrt(2)
    around = width * math.sqrt(2 / math.pi) * math.exp(-(levels**2) / (2 * width**2))
    return around + levels * math.erf(levels / (width * math.sqrt(2)))


def test_a_volume_is_as_continuous_as_itself_in_every_tissue() -> None:
    found = measure(NOISE, NOISE.copy())
    assert set(found.regions) == {"total", "CSF", "GM", "WM"}
    for scores in found.regions.values():
        assert list(scores.values()) == pytest.approx([1] * 6, abs=1e-9)


def test_neither_the_unit_nor_the_offset_of_intensities_matters() -> None:
    found = total(NOISE, 7 * NOISE + 300)
    assert list(found.values()) == pytest.approx([1] * 6, abs=1e-4)


def test_alternating_slices_have_the_discontinuity_of_the_formula() -> None:
    levels = np.where(np.arange(SHAPE[2]) % 2, 15.0, -15.0)
    found = total(NOISE, NOISE + levels)
    across = step_between(30) / step_between(0)
    assert found[AXIAL] == pytest.approx(across, rel=0.02)
    # In the other directions the stripes are steps within slices.
    within = (across + 1) / 2
    assert found["left_right"] == pytest.approx(1 / within, rel=0.02)
    assert found["posterior_anterior"] == pytest.approx(1 / within, rel=0.02)


def test_one_brightened_slice_is_found_in_its_place_and_nowhere_else() -> None:
    output = NOISE.copy()
    output[:, :, 20] += 60
    found = measure(NOISE, output)
    curve = found.curves[AXIAL]
    assert len(curve) == SHAPE[2]
    raised = [index for index, value in enumerate(curve) if value is not None and value > 1.001]
    assert raised == [19, 20]
    assert [curve[10], curve[30]] == pytest.approx([1, 1], abs=1e-4)
    scores: dict[str, Any] = dict(found.regions["total"])
    assert scores[f"worst_{AXIAL}"] == pytest.approx(step_between(60) / step_between(0), rel=0.05)
    assert scores[AXIAL] < 1.5


def test_a_volume_smoothed_in_one_direction_is_more_continuous_there_than_the_scan() -> None:
    smoothed = (NOISE[:, :, :-2] + NOISE[:, :, 1:-1] + NOISE[:, :, 2:]) / 3
    output = np.pad(smoothed, ((0, 0), (0, 0), (1, 1)), "edge")
    # Means of three: steps within slices are those of noise of sigma / sqrt(3), and across there
    # is the difference of two voxels over 3.
    expected = (step_between(0) / 3) / step_between(0, SIGMA / math.sqrt(3))
    assert total(NOISE, output)[AXIAL] == pytest.approx(expected, rel=0.02)


def test_curves_have_no_value_outside_the_mask() -> None:
    curve = measure(NOISE, NOISE).curves[AXIAL]
    assert [index for index, value in enumerate(curve) if value is not None] == list(range(6, 33))


def test_steps_of_few_voxels_have_no_part_in_the_worst_one() -> None:
    labels = LABELS.copy()
    labels[:, :, 33:35] = 0
    labels[20:23, 20:23, 33:35] = 1
    output = NOISE.copy()
    output[:, :, 34] += 500
    assert total(NOISE, output, labels)[f"worst_{AXIAL}"] == pytest.approx(1, abs=1e-4)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_a_constant_output_or_scan_has_no_figure_but_a_reason(direction: str) -> None:
    constant = np.full(SHAPE, 5.0)
    flat_output = total(NOISE, constant)
    flat_real = total(constant, NOISE)
    for found in (flat_output, flat_real):
        assert isinstance(found[direction], Undefined)
        assert isinstance(found[f"worst_{direction}"], Undefined)
    assert "the output is constant" in flat_output[direction]
    assert "the real scan is constant" in flat_real[direction]


def test_a_single_slice_has_no_neighbour_and_the_others_are_measured() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[4:-4, 5:-5, 20] = 1
    found = total(NOISE, NOISE, labels)
    assert isinstance(found[AXIAL], Undefined)
    assert isinstance(found[f"worst_{AXIAL}"], Undefined)
    assert "no two voxels are neighbours" in found[AXIAL]
    assert [found["left_right"], found["posterior_anterior"]] == pytest.approx([1, 1])


def test_a_single_voxel_has_reasons_only() -> None:
    labels = np.zeros(SHAPE, np.uint8)
    labels[20, 20, 20] = 1
    assert {type(value) for value in total(NOISE, NOISE, labels).values()} == {Undefined}


def make_anatomy() -> tuple[Array, Array]:
    """Return the tissues of a ball in a ball, and the ball painted and smoothed."""
    distance = np.linalg.norm(np.indices((30, 30, 30)).T - 14.5, axis=-1).T
    tissues = np.digitize(-distance, (-13, -9, -5)).astype(np.uint8)
    greys = np.array([0, 20, 50, 80], np.float32)[tissues]
    return tissues, paint_smooth_anatomy(greys, tissues)


def measure_against_anatomy(output: Array) -> Scores:
    tissues = make_anatomy()[0]
    anatomy = paint_smooth_anatomy(output, tissues)
    axes = plane_axes(Geometry(tissues.shape, np.eye(4)))
    comparison = compare_raw(anatomy, output, find_regions(tissues), axes)
    return measure_discontinuity(comparison, "the label map").regions["total"]


def test_without_a_real_scan_smooth_anatomy_stands_out_nowhere() -> None:
    scores = measure_against_anatomy(make_anatomy()[1])
    for direction in ("left_right", "posterior_anterior", "inferior_superior"):
        assert scores[direction] == pytest.approx(1, abs=0.02)


def test_without_a_real_scan_alternating_slices_stand_out_in_their_direction_alone() -> None:
    output = make_anatomy()[1].copy()
    output[:, :, ::2] *= 1.3
    scores = measure_against_anatomy(output)
    assert float(scores["inferior_superior"]) > 2
    assert float(scores["left_right"]) < 1


def test_without_a_real_scan_one_bright_slice_shows_in_the_worst_step() -> None:
    output = make_anatomy()[1].copy()
    output[:, :, 15] *= 1.3
    scores = measure_against_anatomy(output)
    assert float(scores["worst_inferior_superior"]) > 2
    assert float(scores["worst_left_right"]) < 1.2


def test_a_constant_output_has_a_reason_in_place_of_its_continuity() -> None:
    tissues = make_anatomy()[0]
    scores = measure_against_anatomy(np.where(tissues > 0, 7, 0).astype(np.float32))
    assert {type(value) for value in scores.values()} == {Undefined}
