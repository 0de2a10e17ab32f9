"""Voxels enter a model in [0, 1], background at 0, and come back as intensities or label values."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from oasis_gan import ANCHORS, OASIS, Geometry, Label, LabelSet, OasisGanError, Volume, Window

T1W: NDArray[np.float32] = np.array([0, 300, 320, 600, 620, 800, 820], np.float32)
TISSUES: NDArray[np.int16] = np.array([0, 1, 1, 2, 2, 3, 3], np.int16)


def volume(*voxels: float, dtype: Any = np.float32) -> Volume:  # noqa: ANN401
    return Volume(
        np.array(voxels, dtype).reshape(-1, 1, 1), Geometry((len(voxels), 1, 1), np.eye(4))
    )


def knots(count: int) -> st.SearchStrategy[tuple[float, ...]]:
    steps = st.lists(st.floats(0.1, 500), min_size=count, max_size=count)
    return steps.map(lambda sizes: tuple(itertools.accumulate(sizes)))


def test_a_robust_window_ignores_background_and_the_brightest_voxels() -> None:
    voxels = np.concatenate([np.zeros(5000), np.linspace(100, 1100, 1001), [1e6]])
    window = Window.from_percentiles(voxels)
    assert window.anchors == (0, 1)
    assert window.values == pytest.approx((105, 1096), abs=2)


def test_a_volume_of_one_value_has_a_window_in_which_it_is_white() -> None:
    for value in (7, -3, 0.25):
        window = Window.from_percentiles(np.array([0, value, value]))
        assert window.encode(np.array([0, value]))[:, 0].tolist() == [0, 1]


def test_an_empty_volume_has_no_window() -> None:
    with pytest.raises(OasisGanError, match="expected some non-zero voxels, found none"):
        Window.from_percentiles(np.zeros(9))


def test_an_anchored_window_puts_the_tissues_of_every_scanner_on_the_same_values() -> None:
    for scanner in (T1W, T1W * 0.3 + 5 * (T1W > 0)):
        window = Window.from_tissues(scanner, TISSUES, OASIS)
        encoded = window.encode(scanner)[..., 0]
        means = [encoded[value == TISSUES].mean() for value in (1, 2, 3)]
        assert means == pytest.approx(list(ANCHORS.values()), abs=0.02)
        assert window.values[-1] == pytest.approx(1.5 * scanner[TISSUES == 3].mean())


def test_a_contrast_that_is_no_t1w_cannot_be_anchored() -> None:
    with pytest.raises(
        OasisGanError, match=r"^t2\.nii: expected a T1w contrast.*found CSF 690, GM 390, WM 190; "
    ):
        Window.from_tissues(1000 - T1W * (T1W > 0), TISSUES, OASIS, "t2.nii")


@pytest.mark.parametrize("tissue", [1, 2, 3])
def test_a_volume_that_lacks_a_tissue_cannot_be_anchored(tissue: int) -> None:
    with pytest.raises(OasisGanError, match="expected a T1w contrast"):
        Window.from_tissues(T1W, np.where(tissue == TISSUES, 0, TISSUES), OASIS)


def test_the_mean_of_windows_lies_half_way() -> None:
    mean = Window.average([Window((0, 100), (0, 1)), Window((50, 300), (0, 1))])
    assert mean == Window((25, 200), (0, 1))


@given(values=knots(4), anchors=knots(4), data=st.data())
def test_a_window_can_be_inverted_within_its_ends(
    values: tuple[float, ...], anchors: tuple[float, ...], data: st.DataObject
) -> None:
    window = Window(values, tuple(anchor / anchors[-1] for anchor in anchors))
    voxels = np.array(data.draw(st.lists(st.floats(values[0], values[-1]), min_size=1)))
    encoded = window.encode(voxels)
    assert encoded.shape == (*voxels.shape, 1)
    assert encoded.dtype == np.float32
    assert ((encoded >= 0) & (encoded <= 1)).all()
    # A float32 in [0, 1] is exact to 6e-8; a steep piece of the window makes more of that.
    steepest = float((np.diff(window.values) / np.diff(window.anchors)).max())
    assert np.allclose(window.decode(encoded), voxels, rtol=1e-6, atol=1e-6 + 1e-7 * steepest)


@given(values=knots(3), voxels=st.lists(st.floats(-1e6, 1e6), min_size=1))
def test_brighter_voxels_never_become_darker(
    values: tuple[float, ...], voxels: list[float]
) -> None:
    inside = np.sort([voxel for voxel in voxels if voxel != 0])
    encoded = Window(values, (0.0, 0.4, 1.0)).encode(inside)[..., 0]
    assert (np.diff(encoded) >= 0).all()


def test_what_lies_outside_a_window_lands_on_its_ends_and_background_on_zero() -> None:
    window = Window((-100, 100), (0, 1))
    assert window.encode(np.array([-500, -100, 0, 100, 900]))[:, 0].tolist() == [0, 0, 0, 1, 1]
    assert window.find_mask(np.array([-500, 0, 3])).tolist() == [True, False, True]


@pytest.mark.parametrize(
    ("values", "anchors"),
    [
        ((0, 1), (0, 0.5, 1)),
        ((1,), (1,)),
        ((1, 1), (0, 1)),
        ((2, 1), (0, 1)),
        ((0, np.nan), (0, 1)),
        ((0, 1), (1, 0)),
    ],
)
def test_a_window_that_cannot_be_inverted_is_refused(
    values: tuple[float, ...], anchors: tuple[float, ...]
) -> None:
    with pytest.raises(ValueError, match=r"."):
        Window(values, anchors)


def test_nan_and_inf_in_an_mri_become_background_with_a_note() -> None:
    damaged = volume(5, np.nan, np.inf, -np.inf, 7)
    clean = Window((0, 10), (0, 1)).clean(damaged, "t1.nii")
    assert clean.voxels.ravel().tolist() == [5, 0, 0, 0, 7]
    assert clean.notes == ("3 voxels are not finite: they are taken as background",)
    assert np.isnan(damaged.voxels).any()


def test_an_mri_without_a_finite_voxel_is_refused() -> None:
    with pytest.raises(OasisGanError, match=r"^t1\.nii: expected finite voxels, found none"):
        Window((0, 10), (0, 1)).clean(volume(np.nan, np.inf), "t1.nii")


def test_a_clean_mri_is_returned_unchanged() -> None:
    for dtype in (np.int16, np.float64):
        whole = volume(1, 2, 3, dtype=dtype)
        cleaned = Window((0, 10), (0, 1)).clean(whole, "t1.nii")
        assert cleaned.voxels is whole.voxels
        assert cleaned.notes == ()


@given(labels=st.lists(st.sampled_from([0, 1, 2, 3]), min_size=1))
def test_labels_are_one_hot_and_background_is_all_zeros(labels: list[int]) -> None:
    channels = OASIS.encode(np.array(labels))
    assert channels.shape == (len(labels), OASIS.channels)
    assert channels.sum(axis=-1).tolist() == [float(label != 0) for label in labels]
    assert OASIS.decode(channels).tolist() == labels


def test_the_likeliest_label_wins_and_background_takes_what_is_left() -> None:
    channels = np.array([[0.2, 0.5, 0.3], [0.2, 0.2, 0.1], [0, 0, 0]], np.float32)
    assert OASIS.decode(channels).tolist() == [2, 0, 0]


def test_label_values_may_be_any_numbers() -> None:
    freesurfer = LabelSet(
        name="aseg", labels=(Label(41, "right WM"), Label(2, "left WM"), Label(2035, "insula"))
    )
    values = np.array([[0, 2], [41, 2035]])
    assert np.array_equal(freesurfer.decode(freesurfer.encode(values)), values)


@pytest.mark.parametrize("dtype", [np.uint8, np.int16, np.float32, np.float64, np.int64])
def test_whole_labels_are_accepted_in_any_datatype(dtype: Any) -> None:  # noqa: ANN401
    clean = OASIS.clean(volume(0, 1, 2, 3, dtype=dtype), "seg.nii")
    assert clean.voxels.ravel().tolist() == [0, 1, 2, 3]
    assert clean.voxels.dtype == np.int32


def test_labels_slightly_changed_by_a_slope_are_rounded() -> None:
    assert OASIS.clean(volume(0, 1.00001, 1.99999, 3), "seg.nii").voxels.ravel().tolist() == [
        0,
        1,
        2,
        3,
    ]


@pytest.mark.parametrize("value", [0.5, 1.01, 4, -1])
def test_a_value_that_is_no_label_is_refused_by_name(value: float) -> None:
    with pytest.raises(OasisGanError) as caught:
        OASIS.clean(volume(0, 1, value), "seg.nii")
    expected = "seg.nii: expected labels 0 background, 1 CSF, 2 GM, 3 WM (oasis), found "
    assert str(caught.value).startswith(f"{expected}{value:g}; ")


def test_an_mri_given_as_a_label_map_is_refused_with_its_first_values() -> None:
    with pytest.raises(
        OasisGanError, match=r"found 4, 5, 6, 7, 8, 9, 10, 11, \.\.\.; .*an MRI is no label map"
    ):
        OASIS.clean(volume(*range(200)), "t1.nii")


@pytest.mark.parametrize(
    "labels",
    [(), (Label(0, "air"),), (Label(1, "GM"), Label(1, "WM")), (Label(1, "GM"), Label(2, "GM"))],
)
def test_an_ambiguous_label_set_is_refused(labels: tuple[Label, ...]) -> None:
    with pytest.raises(ValueError, match="distinct names and values, none of them 0"):
        LabelSet(name="bad", labels=labels)


def test_asking_for_an_unknown_tissue_names_the_known_ones() -> None:
    assert OASIS.value_of("GM") == 2
    with pytest.raises(OasisGanError, match="expected a label bone, found CSF, GM, WM"):
        OASIS.value_of("bone")
