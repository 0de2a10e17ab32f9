"""Label sets have names, convert into one another, and refuse labels without a counterpart."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from oasis_gan import (
    FREESURFER,
    FREESURFER_APARC,
    LABEL_SETS,
    NEURITE_SEG4,
    NEURITE_SEG35,
    OASIS,
    Geometry,
    Label,
    LabelSet,
    OasisGanError,
    RepairNote,
    Scan,
    Volume,
    convert,
)

TISSUE_BY_TISSUE = (
    "neurite-seg4",
    "neurite-seg35",
    "freesurfer",
    "freesurfer-aparc",
    "freesurfer-a2009s",
    "ants",
)


def volume(*values: float, dtype: Any = np.int16) -> Volume:  # noqa: ANN401
    return Volume(
        np.array(values, dtype).reshape(-1, 1, 1), Geometry((len(values), 1, 1), np.eye(4))
    )


def values(labels: Volume) -> list[int]:
    return [int(value) for value in labels.voxels.ravel()]


def drawn_from(label_set: LabelSet) -> st.SearchStrategy[list[int]]:
    return st.lists(
        st.sampled_from([0, *(label.value for label in label_set.labels)]), min_size=1, max_size=60
    )


def test_the_sets_are_known_by_name() -> None:
    assert set(LABEL_SETS) == {"oasis", "fsl-fast", "oasis-png", "bids", *TISSUE_BY_TISSUE}
    assert all(name == label_set.name for name, label_set in LABEL_SETS.items())
    assert [label_set.channels for label_set in (OASIS, NEURITE_SEG4, NEURITE_SEG35)] == [3, 4, 35]


def test_the_four_tissues_of_neurite_are_those_of_oasis_in_another_order() -> None:
    converted = convert(volume(0, 1, 2, 3, 4), NEURITE_SEG4, OASIS, "seg4.nii.gz")
    assert values(converted) == [0, 2, 2, 3, 1]
    assert converted.notes == ("labels converted from neurite-seg4 to oasis",)
    assert isinstance(converted.notes[0], RepairNote)


@pytest.mark.parametrize(
    ("structure", "tissue"),
    [
        ("Left-Cerebral-White-Matter", "WM"),
        ("Right-Cerebral-Cortex", "GM"),
        ("Left-Lateral-Ventricle", "CSF"),
        ("Brain-Stem", "WM"),
        ("Right-Hippocampus", "GM"),
        ("Left-choroid-plexus", "CSF"),
        ("Left-Cerebellum-Cortex", "GM"),
        ("CC_Central", "WM"),
        ("ctx-rh-insula", "GM"),
        ("wm-lh-bankssts", "WM"),
    ],
)
def test_structures_of_freesurfer_become_the_tissue_they_are_of(
    structure: str, tissue: str
) -> None:
    found = volume(0, FREESURFER_APARC.value_of(structure))
    assert values(convert(found, FREESURFER_APARC, OASIS, "aseg.nii")) == [
        0,
        OASIS.value_of(tissue),
    ]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (2, "Left-Cerebral-White-Matter"),
        (17, "Left-Hippocampus"),
        (53, "Right-Hippocampus"),
        (77, "WM-hypointensities"),
        (255, "CC_Anterior"),
        (1035, "ctx-lh-insula"),
        (2001, "ctx-rh-bankssts"),
        (3024, "wm-lh-precentral"),
    ],
)
def test_values_of_freesurfer_are_those_of_its_colour_table(value: int, name: str) -> None:
    assert FREESURFER_APARC.value_of(name) == value


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (1, "Left-Cerebral-White-Matter"),
        (13, "Brain-Stem"),
        (19, "Left-choroid-plexus"),
        (20, "Right-Cerebral-White-Matter"),
        (30, "Right-Hippocampus"),
        (35, "Right-choroid-plexus"),
    ],
)
def test_the_structures_of_neurite_are_numbered_as_in_its_table(value: int, name: str) -> None:
    assert NEURITE_SEG35.value_of(name) == value


def test_structures_of_one_name_keep_it() -> None:
    every = volume(*(label.value for label in NEURITE_SEG35.labels))
    converted = convert(every, NEURITE_SEG35, FREESURFER, "seg35.nii.gz")
    assert values(converted)[:4] == [2, 3, 4, 5]
    assert values(convert(converted, FREESURFER, NEURITE_SEG35, "aseg.nii")) == values(every)


@pytest.mark.parametrize("name", TISSUE_BY_TISSUE)
@given(data=st.data())
def test_every_label_has_a_tissue_and_background_stays(name: str, data: st.DataObject) -> None:
    drawn = data.draw(drawn_from(LABEL_SETS[name]))
    converted = values(convert(volume(*drawn), LABEL_SETS[name], OASIS, "seg.nii"))
    assert [value == 0 for value in converted] == [value == 0 for value in drawn]
    assert set(converted) <= {0, 1, 2, 3}
    by_value = dict(zip(drawn, converted, strict=True))
    assert [by_value[value] for value in drawn] == converted


@given(drawn=drawn_from(OASIS))
def test_sets_with_the_same_labels_are_interchangeable(drawn: list[int]) -> None:
    same = convert(volume(*drawn), LABEL_SETS["fsl-fast"], OASIS, "seg.nii")
    assert values(same) == drawn
    assert same.notes == ()


def test_labels_without_a_counterpart_are_listed() -> None:
    with pytest.raises(OasisGanError) as caught:
        convert(volume(0, 4, 17, 53), FREESURFER, NEURITE_SEG4, "aseg.nii")
    assert str(caught.value).startswith(
        "aseg.nii: expected labels of freesurfer that have a counterpart in neurite-seg4, "
        "found 17 Left-Hippocampus, 53 Right-Hippocampus; "
    )


def test_a_value_of_no_label_is_refused_before_it_is_converted() -> None:
    with pytest.raises(OasisGanError, match=r"found 5; .*`labels`"):
        convert(volume(0, 5), NEURITE_SEG4, OASIS, "seg4.nii.gz")


def test_labels_of_a_users_own_set_are_found_by_name() -> None:
    mine = LabelSet(name="mine", labels=(Label(7, "WM"), Label(9, "CSF"), Label(11, "lesion")))
    assert values(convert(volume(0, 7, 9), mine, OASIS, "seg.nii")) == [0, 3, 1]
    with pytest.raises(OasisGanError, match="found 11 lesion; "):
        convert(volume(7, 11), mine, OASIS, "seg.nii")


def test_a_scan_with_a_known_label_set_is_converted_to_the_requested_one() -> None:
    scan = Scan(Path("seg4.nii.gz"), lambda path: volume(4, 3), NEURITE_SEG4)
    assert values(scan.in_labels(OASIS).read()) == [1, 3]
    assert scan.in_labels(OASIS).labels is OASIS
    assert scan.in_labels(NEURITE_SEG4) is scan


def test_a_scan_of_unknown_labels_is_read_as_it_is() -> None:
    unknown = Scan(Path("seg.nii.gz"), lambda path: volume(1, 3)).in_labels(OASIS)
    assert unknown.labels is None
    assert values(unknown.with_content("labels").read()) == [1, 3]
