"""A segmentation is compared with a label map, by figures whose values are known beforehand."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import Geometry, Volume
from oasis_gan.evaluation.faithfulness import Faithfulness, compare_label_maps
from oasis_gan.evaluation.label_maps import LabelMap
from oasis_gan.evaluation.measures import Undefined

Array = NDArray[Any]
SPACING = (1.0, 2.0, 3.0)


def make_blocks() -> Array:
    """Return three blocks of 10 x 10 x 10 voxels with a gap between them: CSF, GM and WM."""
    labels = np.zeros((44, 16, 16), np.uint8)
    for value, start in ((1, 2), (2, 17), (3, 32)):
        labels[start : start + 10, 3:13, 3:13] = value
    return labels


def compare(labels: Array, segmentation: Array) -> Faithfulness:
    geometry = Geometry(labels.shape, np.diag([*SPACING, 1]))
    expected = LabelMap(Volume(labels, geometry), None)
    found = LabelMap(Volume(segmentation, geometry), None)
    return compare_label_maps(expected, found)


def scores(labels: Array, segmentation: Array, name: str) -> dict[str, Any]:
    return dict(compare(labels, segmentation).regions[name])


def test_an_identical_segmentation_is_perfect() -> None:
    found = compare(make_blocks(), make_blocks())
    assert tuple(found.regions) == ("total", "CSF", "GM", "WM")
    assert found.extra == ()
    for values in found.regions.values():
        assert list(values.values()) == [1, 0, 0, 0]


@pytest.mark.parametrize("axis", [0, 1, 2])
def test_a_shift_of_a_voxel_is_as_far_as_the_voxel_is_long_and_leaves_the_volume(axis: int) -> None:
    found = scores(make_blocks(), np.roll(make_blocks(), 1, axis), "GM")
    assert found["dice"] == pytest.approx(0.9)
    assert found["hausdorff95"] == SPACING[axis]
    assert (found["volume_bias_ml"], found["volume_bias_percent"]) == (0, 0)


def test_an_eroded_tissue_has_its_known_loss_and_its_sign() -> None:
    eroded = make_blocks()
    eroded[eroded == 3] = 0
    eroded[33:41, 4:12, 4:12] = 3
    found = scores(make_blocks(), eroded, "WM")
    assert found["dice"] == pytest.approx(2 * 512 / 1512)
    assert found["volume_bias_percent"] == pytest.approx(-48.8)
    assert found["volume_bias_ml"] == pytest.approx((512 - 1000) * 6 / 1000)
    assert scores(make_blocks(), eroded, "GM")["dice"] == 1


def test_a_tissue_that_grew_has_a_positive_bias() -> None:
    found = scores(make_blocks()[:, :12], make_blocks()[:, 1:13], "GM")
    assert found["volume_bias_percent"] == pytest.approx(100 / 9)


def test_swapped_labels_have_nothing_in_common_though_their_volumes_agree() -> None:
    swapped = np.array([0, 1, 3, 2], np.uint8)[make_blocks()]
    for name in ("GM", "WM"):
        found = scores(make_blocks(), swapped, name)
        assert (found["dice"], found["volume_bias_ml"]) == (0, 0)
        assert found["hausdorff95"] == 15
    assert scores(make_blocks(), swapped, "total")["dice"] == 1


def test_a_tissue_that_is_missing_has_a_reason_in_place_of_a_distance() -> None:
    without = np.where(make_blocks() == 1, 0, make_blocks())
    found = scores(make_blocks(), without, "CSF")
    assert (found["dice"], found["volume_bias_percent"]) == (0, -100)
    assert isinstance(found["hausdorff95"], Undefined)


def test_an_empty_segmentation_has_reasons_in_every_tissue() -> None:
    found = compare(make_blocks(), np.zeros_like(make_blocks()))
    assert {type(values["hausdorff95"]) for values in found.regions.values()} == {Undefined}


def test_a_tissue_that_only_the_segmentation_has_is_named() -> None:
    without = np.where(make_blocks() == 1, 0, make_blocks())
    assert compare(without, make_blocks()).extra == ("CSF",)


def test_one_slice_is_compared_as_any_volume() -> None:
    labels = make_blocks()[:, :, 8:9]
    found = scores(labels, np.roll(labels, 1, 0), "WM")
    assert (found["dice"], found["hausdorff95"]) == (pytest.approx(0.9), SPACING[0])
