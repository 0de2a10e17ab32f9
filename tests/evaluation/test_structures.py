"""Structures are compared by name, whatever a label set calls them or how it divides them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from oasis_gan import BIDS, FREESURFER, FREESURFER_APARC, OASIS, Geometry, Label, LabelSet, Volume
from oasis_gan.evaluation.faithfulness import compare_label_maps
from oasis_gan.evaluation.label_maps import LabelMap
from oasis_gan.evaluation.structures import name_structure

COARSE = LabelSet(
    name="coarse",
    labels=(Label(1, "Cerebral-Cortex"), Label(2, "Thalamus"), Label(3, "Lateral-Ventricle")),
)


def read_row(values: list[int], label_set: LabelSet) -> LabelMap:
    """Return the label map of a row of voxels."""
    voxels: NDArray[Any] = np.array(values, np.int32).reshape(-1, 1, 1)
    return LabelMap.of(Volume(voxels, Geometry(voxels.shape, np.eye(4))), label_set, "row")


@pytest.mark.parametrize(
    ("label", "structure"),
    [
        ("Left-Thalamus-Proper", "Thalamus"),
        ("Right-Thalamus", "Thalamus"),
        ("left thalamus", "Thalamus"),
        ("Left-Inf-Lat-Vent", "Inferior-Lateral-Ventricle"),
        ("ctx-lh-bankssts", "Cerebral-Cortex"),
        ("ctx_rh_G_cuneus", "Cerebral-Cortex"),
        ("wm-rh-insula", "Cerebral-White-Matter"),
        ("CC_Central", "Cerebral-White-Matter"),
        ("WM-hypointensities", "Cerebral-White-Matter"),
        ("3rd-Ventricle", "3rd-Ventricle"),
        ("CSF", ""),
        ("Background", ""),
        ("My-Nucleus", "My-Nucleus"),
    ],
)
def test_a_label_belongs_to_the_structure_that_others_call_so(label: str, structure: str) -> None:
    assert name_structure(label) == structure


def test_parcels_and_both_sides_count_as_one_structure() -> None:
    # Two parcels of the cortex left and right, thalamus left and right, a ventricle.
    expected = read_row([1001, 2002, 10, 49, 4], FREESURFER_APARC)
    found = compare_label_maps(expected, read_row([1, 1, 2, 2, 3], COARSE))
    structures = {name: scores for name, scores in found.regions.items() if name in found.voxels}
    assert [structures[label.name]["dice"] for label in COARSE.labels] == [1, 1, 1]
    assert found.voxels["Thalamus"] == 2


def test_a_structure_that_only_one_label_set_distinguishes_is_left_out() -> None:
    found = compare_label_maps(read_row([17, 10], FREESURFER), read_row([2, 2], COARSE))
    assert "Hippocampus" not in found.regions
    assert found.regions["Thalamus"]["volume_bias_percent"] == 100


def test_a_structure_that_the_segmentation_lost_has_lost_all_its_volume() -> None:
    found = compare_label_maps(read_row([10, 3], FREESURFER), read_row([1, 1], COARSE))
    assert found.regions["Thalamus"]["volume_bias_percent"] == -100
    assert found.extra == ()


def test_a_structure_that_only_the_segmentation_has_is_named() -> None:
    found = compare_label_maps(read_row([3, 3], FREESURFER), read_row([1, 2], COARSE))
    assert found.extra == ("Thalamus",)


@pytest.mark.parametrize("label_set", [OASIS, BIDS])
def test_a_map_of_tissues_is_compared_by_tissue_alone(label_set: LabelSet) -> None:
    tissues = {label.name: label.value for label in label_set.labels}
    values = [tissues["GM"], tissues["GM"], tissues["CSF"]]
    found = compare_label_maps(read_row(values, label_set), read_row([1, 2, 3], COARSE))
    assert set(found.regions) == {"total", "CSF", "GM"}
    assert found.regions["GM"]["dice"] == 1
