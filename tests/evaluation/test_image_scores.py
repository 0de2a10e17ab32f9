"""Image scores have the values that are known beforehand; a missing one has a reason."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
from kit.desk import make_head
from numpy.typing import NDArray
from skimage.metrics import structural_similarity

from oasis_gan import Geometry, OasisGanError
from oasis_gan.evaluation.comparison import (
    Comparison,
    compare_matched,
    compare_raw,
    find_regions,
    plane_axes,
)
from oasis_gan.evaluation.image_scores import ImageScores, score
from oasis_gan.evaluation.measures import Undefined, Value
from oasis_gan.evaluation.similarity import count_scales, measure_similarity
from oasis_gan.image.choices import Plane

Array = NDArray[Any]
LABELS, REAL = make_head(3)
INSIDE = LABELS > 0
STRUCTURAL = ["ssim", "ssim_sagittal", "ssim_coronal", "ssim_axial", "ms_ssim"]
GRADIENTS = ["gradient_left_right", "gradient_posterior_anterior", "gradient_inferior_superior"]


def compare(real: Array, output: Array, labels: Array = LABELS) -> Comparison:
    axes = plane_axes(Geometry(labels.shape, np.eye(4)))
    return compare_raw(real, output, find_regions(labels), axes)


def total(real: Array, output: Array, labels: Array = LABELS) -> dict[str, Any]:
    return dict(score(compare(real, output, labels)).regions["total"])


def matched(real: Array, output: Array, labels: Array = LABELS) -> ImageScores:
    axes = plane_axes(Geometry(labels.shape, np.eye(4)))
    return score(compare_matched(real, output, labels, find_regions(labels), axes))


def test_equal_volumes_have_the_best_scores_in_every_tissue() -> None:
    found = score(compare(REAL, REAL.copy()))
    assert set(found.regions) == {"total", "CSF", "GM", "WM"}
    for scores in found.regions.values():
        assert (scores["mae"], scores["rmse"], scores["psnr"]) == (0, 0, math.inf)
        others = [*STRUCTURAL, "ncc", "histogram", *GRADIENTS]
        assert [scores[key] for key in others] == pytest.approx([1] * len(others), abs=1e-6)


def test_a_constant_offset_is_the_error_and_leaves_correlation_and_gradients_alone() -> None:
    comparison = compare(REAL, REAL + 8 * INSIDE)
    scores = score(comparison).regions["total"]
    assert [scores["mae"], scores["rmse"]] == pytest.approx([8, 8], rel=1e-6)
    assert scores["psnr"] == pytest.approx(20 * math.log10(comparison.data_range / 8))
    assert [scores[key] for key in ("ncc", *GRADIENTS)] == pytest.approx([1, 1, 1, 1], rel=1e-5)


def test_noise_of_a_known_width_is_measured_as_that_width() -> None:
    noise = np.random.default_rng(1).normal(0, 5, REAL.shape)
    scores = total(REAL, REAL + noise)
    assert scores["rmse"] == pytest.approx(5, rel=0.03)
    assert scores["mae"] == pytest.approx(5 * math.sqrt(2 / math.pi), rel=0.03)


def test_a_shift_of_a_voxel_costs_the_mean_step_between_neighbours() -> None:
    scores = total(REAL, np.roll(REAL, 1, axis=1))
    steps = np.abs(np.diff(REAL, axis=1, prepend=0))[INSIDE]
    assert scores["mae"] == pytest.approx(float(steps.mean()), rel=1e-5)
    assert scores["ncc"] == pytest.approx(
        np.corrcoef(REAL[INSIDE], np.roll(REAL, 1, axis=1)[INSIDE])[0, 1]
    )
    assert scores["ssim"] < 0.7


def test_twice_the_contrast_is_twice_the_gradient_and_no_loss_of_correlation() -> None:
    scores = total(REAL, 2 * REAL)
    assert [scores[key] for key in GRADIENTS] == pytest.approx([2, 2, 2], rel=1e-6)
    assert scores["ncc"] == pytest.approx(1)


def test_the_contrast_of_the_output_makes_no_difference_once_contrasts_are_matched() -> None:
    # The same anatomy, painted in other greys by a curve with a bend at each tissue.
    other = np.interp(REAL, [0, 60, 110, 160, 240], [0, 300, 420, 700, 1050])
    scores = matched(REAL, other).regions["total"]
    assert float(scores["mae"]) < 3e-3
    assert min(float(scores[key]) for key in ("ssim", "ncc")) > 0.999
    assert total(REAL, other)["mae"] > 200


def test_matching_puts_the_tissue_means_on_fixed_places() -> None:
    axes = plane_axes(Geometry(LABELS.shape, np.eye(4)))
    comparison = compare_matched(REAL, REAL**1.2, LABELS, find_regions(LABELS), axes)
    assert comparison.bounds == (0, 1)
    for voxels in (comparison.real, comparison.output):
        means = [voxels[comparison.regions[tissue]].mean() for tissue in ("CSF", "GM", "WM")]
        assert means == pytest.approx([0.30, 0.55, 0.75], abs=5e-3)


def test_contrasts_with_bright_fluid_are_matched_too() -> None:
    bright = np.where(INSIDE, 300 - REAL, 0)
    scores = matched(bright, 3 * bright).regions["total"]
    assert scores["mae"] == pytest.approx(0, abs=1e-6)


@pytest.mark.parametrize("exchanged", [(2, 3), (1, 3)])
def test_an_output_with_two_tissues_exchanged_cannot_be_matched_and_the_means_are_named(
    exchanged: tuple[int, int],
) -> None:
    table = np.arange(4)
    table[list(exchanged)] = exchanged[::-1]
    output = np.array([0, 60, 110, 160])[table][LABELS]
    with pytest.raises(OasisGanError, match=r"means of CSF .* in the output"):
        matched(REAL, output)


def test_a_label_map_without_a_tissue_cannot_be_matched_and_the_tissue_is_named() -> None:
    with pytest.raises(OasisGanError, match="no WM in the label map"):
        matched(REAL, REAL, np.where(LABELS == 3, 0, LABELS))


def test_a_constant_output_has_no_correlation_and_no_gradient() -> None:
    scores = total(REAL, np.full(REAL.shape, 100.0))
    assert scores["ncc"] == "one of the two is constant there"
    assert [scores[key] for key in GRADIENTS] == [0, 0, 0]
    assert all(math.isfinite(scores[key]) for key in ("mae", "psnr", "histogram", *STRUCTURAL))


def test_against_a_constant_scan_whatever_needs_a_range_or_a_gradient_has_a_reason_instead() -> (
    None
):
    scores = total(100.0 * INSIDE, REAL)
    assert scores["mae"] == pytest.approx(np.abs(REAL - 100)[INSIDE].mean(), rel=1e-5)
    undefined = ["psnr", "ncc", "histogram", *STRUCTURAL, *GRADIENTS]
    assert [key for key in undefined if not isinstance(scores[key], Undefined)] == []


def test_one_slice_is_compared_in_its_own_plane() -> None:
    one = (slice(None), slice(None), slice(15, 16))
    scores = total(REAL[one], REAL[one], LABELS[one])
    assert scores["ssim_axial"] == pytest.approx(1)
    assert scores["gradient_left_right"] == pytest.approx(1)
    without = ["ssim", "ssim_sagittal", "ssim_coronal", "ms_ssim", "gradient_inferior_superior"]
    assert [scores[key] for key in without if not isinstance(scores[key], Undefined)] == []


def test_a_single_voxel_has_an_error_and_reasons_for_the_rest() -> None:
    labels = np.zeros((9, 9, 9), np.uint8)
    labels[4, 4, 4] = 2
    scores = total(labels * 25.0, labels * 20.0, labels)
    assert scores["mae"] == 10
    assert not any(isinstance(value, float) and math.isnan(value) for value in scores.values())


def test_what_lies_outside_the_mask_has_no_part_in_any_figure() -> None:
    noise = np.random.default_rng(0).normal(0, 500, REAL.shape)
    assert total(REAL, REAL + 1) == total(
        np.where(INSIDE, REAL, noise), np.where(INSIDE, REAL + 1, -noise)
    )


def test_ssim_is_that_of_scikit_image_on_the_whole_grid() -> None:
    output = REAL + np.random.default_rng(0).normal(0, 9, REAL.shape) * INSIDE
    comparison = compare(REAL, output)
    expected = structural_similarity(
        REAL, output.astype("f4"), data_range=comparison.data_range, full=True
    )[1]
    assert score(comparison).regions["total"]["ssim"] == pytest.approx(
        expected[INSIDE].mean(), abs=1e-6
    )


def test_ssim_by_slice_is_that_of_each_slice_and_none_where_there_is_no_brain() -> None:
    output = REAL + np.random.default_rng(0).normal(0, 9, REAL.shape).astype("f4") * INSIDE
    comparison = compare(REAL, output)
    curves = score(comparison).slices
    assert [len(curves[plane]) for plane in (Plane.SAGITTAL, Plane.CORONAL, Plane.AXIAL)] == list(
        REAL.shape
    )
    in_plane = [REAL[:, 12], output[:, 12]]
    expected = structural_similarity(*in_plane, data_range=comparison.data_range, full=True)[1]
    assert curves[Plane.CORONAL][12] == pytest.approx(expected[INSIDE[:, 12]].mean(), abs=1e-5)
    empty = [index for index, value in enumerate(curves[Plane.CORONAL]) if value is None]
    assert empty == np.flatnonzero(~INSIDE.any(axis=(0, 2))).tolist()


def test_ms_ssim_of_one_scale_is_ssim() -> None:
    part = (slice(10, 20), slice(10, 20), slice(10, 20))
    output = REAL + np.random.default_rng(0).normal(0, 9, REAL.shape)
    comparison = compare(REAL[part], output[part], LABELS[part])
    assert count_scales(comparison) == 1
    similarity = measure_similarity(comparison)
    plain = similarity.maps["ssim"]
    assert not isinstance(plain, Undefined)
    for name, region in comparison.regions.items():
        found = similarity.over_scales[name]
        assert found == pytest.approx(float(plain[region].mean()), abs=1e-4)


def test_ms_ssim_forgives_fine_noise_and_not_a_coarse_error() -> None:
    fine = np.random.default_rng(0).normal(0, 20, REAL.shape)
    coarse = 28 * np.sin(np.arange(REAL.shape[0]) / 5).reshape(-1, 1, 1)
    by_fine, by_coarse = (total(REAL, REAL + error * INSIDE) for error in (fine, coarse))
    assert by_fine["rmse"] == pytest.approx(by_coarse["rmse"], rel=0.1)
    assert by_fine["ms_ssim"] - by_fine["ssim"] > by_coarse["ms_ssim"] - by_coarse["ssim"]


def test_axes_are_named_by_anatomy_however_the_voxels_are_stored() -> None:
    output = REAL + np.random.default_rng(0).normal(0, 9, REAL.shape) * INSIDE
    output[::2] += 15 * INSIDE[::2]
    # Voxel axes that run to P, I and R.
    affine = np.array([[0, 0, 1, 0], [-1, 0, 0, 0], [0, -1, 0, 0], [0, 0, 0, 1]], float)
    turned = [np.transpose(voxels, (1, 2, 0))[::-1, ::-1] for voxels in (REAL, output, LABELS)]
    axes = plane_axes(Geometry(turned[0].shape, affine))
    ours = total(REAL, output)
    theirs = score(compare_raw(turned[0], turned[1], find_regions(turned[2]), axes)).regions[
        "total"
    ]
    keys = ["mae", "ssim", "ssim_sagittal", "ssim_axial", *GRADIENTS]
    assert [float(theirs[key]) for key in keys] == pytest.approx(
        [ours[key] for key in keys], rel=1e-4
    )
    assert ours["gradient_left_right"] > ours["gradient_inferior_superior"]


@pytest.mark.parametrize("scale", [1e-30, 1e14])
def test_no_scale_of_intensities_makes_a_nan(scale: float) -> None:
    values: list[Value] = list(total(REAL * scale, (REAL + 5) * scale).values())
    assert [
        value for value in values if not isinstance(value, Undefined) and not math.isfinite(value)
    ] == []
