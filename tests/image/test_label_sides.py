"""Whether a label map tells left from right, by the names of its labels."""

from __future__ import annotations

import pytest

from oasis_gan import FREESURFER, OASIS, Label, LabelSet, Percentiles, Window, is_mirror_symmetric


@pytest.mark.parametrize(
    "name",
    ["Left-Hippocampus", "ctx-rh-insula", "Thalamus_L", "r thalamus", "HippocampusLeft", "lh"],
)
def test_a_label_of_one_side_tells_left_from_right(name: str) -> None:
    assert not is_mirror_symmetric(LabelSet(name="mine", labels=(Label(1, "GM"), Label(2, name))))


@pytest.mark.parametrize(
    "name", ["CSF", "Brainstem", "cerebellum", "Lateral-Ventricle", "Cortex 3"]
)
def test_a_label_of_a_tissue_does_not(name: str) -> None:
    assert is_mirror_symmetric(LabelSet(name="mine", labels=(Label(1, "GM"), Label(2, name))))


def test_a_label_without_a_name_may_be_one_side() -> None:
    assert not is_mirror_symmetric(LabelSet(name="mine", labels=(Label(1, "GM"), Label(2, "2"))))


def test_tissues_and_images_are_symmetric_and_freesurfer_is_not() -> None:
    assert is_mirror_symmetric(OASIS)
    assert is_mirror_symmetric(Percentiles())
    assert is_mirror_symmetric(Window((0, 1), (0, 1)))
    assert not is_mirror_symmetric(FREESURFER)
