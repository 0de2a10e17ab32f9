"""Slices go onto a canvas and come back without needless moving, blending or aliasing."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from oasis_gan import Canvas, CanvasTransform

Slices = NDArray[np.float32]
MM = Canvas(1.0, size=16, multiple=8)
SPACINGS = st.floats(0.5, 3)


def random_slices(rows: int, columns: int, seed: int = 0) -> Slices:
    return np.random.default_rng(seed).uniform(1, 2, (2, rows, columns, 1)).astype(np.float32)


def box(shape: tuple[int, int], rows: slice, columns: slice) -> NDArray[np.bool_]:
    mask = np.zeros((1, *shape), bool)
    mask[:, rows, columns] = True
    return mask


def bump(
    shape: tuple[int, int], spacing: tuple[float, float], middle: tuple[float, float], sigma: float
) -> Slices:
    """Return one slice with a Gaussian of height 1; ``middle`` and ``sigma`` in mm."""
    rows, columns = (
        np.exp(-(((np.arange(n) * step - at) / sigma) ** 2) / 2)
        for n, step, at in zip(shape, spacing, middle, strict=True)
    )
    return np.outer(rows, columns).astype(np.float32)[np.newaxis, :, :, np.newaxis]


def centroid(slices: Slices, spacing: tuple[float, float]) -> NDArray[np.float64]:
    """Return the centre of mass of one slice, in mm from the middle of its first pixel."""
    mass = slices[0, :, :, 0].astype(np.float64)
    places = [np.arange(n) * step for n, step in zip(mass.shape, spacing, strict=True)]
    return np.asarray([mass.sum(axis=1) @ places[0], mass.sum(axis=0) @ places[1]] / mass.sum())


@given(
    shape=st.tuples(st.integers(1, 40), st.integers(1, 40)),
    spacing=st.sampled_from([1.0, 0.992, 1.008]),
    data=st.data(),
)
def test_at_equal_spacing_pixels_are_moved_whole(
    shape: tuple[int, int], spacing: float, data: st.DataObject
) -> None:
    inside = [
        slice(first := data.draw(st.integers(0, n - 1)), data.draw(st.integers(first + 1, n)))
        for n in shape
    ]
    mask = box(shape, inside[0], inside[1])
    slices = random_slices(*shape)
    transform = CanvasTransform.from_mask(mask, (spacing, spacing), MM)
    placed = transform.apply(slices)
    assert set(np.unique(placed)) <= {0.0, *np.unique(slices)}
    restored = transform.apply_inverse(placed)
    assert np.array_equal(restored[:, mask[0]], slices[:, mask[0]])
    # What the canvas has no room for is 0, the rest is as it was.
    assert np.array_equal(restored, np.where(restored == 0, 0, slices))


@given(
    shape=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    spacing=st.tuples(SPACINGS, SPACINGS),
    size=st.integers(1, 70),
    multiple=st.sampled_from([1, 8, 32]),
)
def test_a_canvas_holds_everything_in_sizes_the_model_takes(
    shape: tuple[int, int], spacing: tuple[float, float], size: int, multiple: int
) -> None:
    transform = CanvasTransform.from_mask(
        np.ones((1, *shape), bool), spacing, Canvas(1.0, size, multiple)
    )
    _, rows, columns, _ = transform.apply(random_slices(*shape)).shape
    assert rows % multiple == columns % multiple == 0
    assert min(rows, columns) >= size
    assert rows >= shape[0] * spacing[0] * 0.99
    assert columns >= shape[1] * spacing[1] * 0.99


@given(spacing=st.tuples(SPACINGS, SPACINGS))
def test_a_constant_stays_constant_inside(spacing: tuple[float, float]) -> None:
    slices = np.ones((1, 64, 64, 1), np.float32)
    transform = CanvasTransform.from_mask(
        box((64, 64), slice(20, 44), slice(20, 44)), spacing, Canvas(1.0, 8, 8)
    )
    placed = transform.apply(slices)
    assert np.allclose(placed[0, 6:-6, 6:-6], 1, atol=1e-5)
    assert np.allclose(transform.apply_inverse(placed)[0, 30:34, 30:34], 1, atol=1e-5)
    assert placed.max() <= 1 + 1e-5


@given(
    spacing=st.tuples(SPACINGS, SPACINGS),
    shift=st.tuples(st.floats(-4, 4), st.floats(-4, 4)),
    canvas=st.sampled_from([0.7, 1.0, 1.6]),
)
def test_a_slice_is_centred_on_the_canvas_and_comes_back_to_its_place(
    spacing: tuple[float, float], shift: tuple[float, float], canvas: float
) -> None:
    shape = (int(80 / spacing[0]), int(80 / spacing[1]))
    slices = bump(shape, spacing, (40 + shift[0], 40 + shift[1]), sigma=5)
    mask = slices[..., 0] > 1e-5
    transform = CanvasTransform.from_mask(mask, spacing, Canvas(canvas, 8, 8))
    placed = transform.apply(slices)
    assert np.allclose(
        centroid(transform.apply_inverse(placed), spacing), centroid(slices, spacing), atol=0.05
    )
    # The middle of the object is the middle of the canvas; at equal spacing to half a pixel, as
    # pixels stay whole.
    places = np.argwhere(mask[0])
    middle = (places.min(axis=0) + places.max(axis=0)) / 2 * spacing
    offset = centroid(placed, (canvas, canvas)) - (np.array(placed.shape[1:3]) - 1) / 2 * canvas
    slack = np.where(np.abs(np.array(spacing) / canvas - 1) < 0.01, canvas / 2, 0) + 0.05
    assert (np.abs(offset - (centroid(slices, spacing) - middle)) <= slack).all()


@given(spacing=st.tuples(SPACINGS, SPACINGS), canvas=st.sampled_from([0.7, 1.0, 1.6]))
def test_a_smooth_slice_comes_back_nearly_as_it_was(
    spacing: tuple[float, float], canvas: float
) -> None:
    shape = (int(120 / spacing[0]), int(120 / spacing[1]))
    sigma = 10.0
    coarsest = max(*spacing, canvas)
    slices = bump(shape, spacing, (60, 60), sigma)
    transform = CanvasTransform.from_mask(slices[..., 0] > 1e-6, spacing, Canvas(canvas, 8, 8))
    # Linear interpolation between points h apart errs by up to h^2/8 max|f''|, and a Gaussian has
    # |f''| <= 1/sigma^2. A triangle that spans no whole number of pixels also leans, by up to 0.09
    # of the finer ones: |f'| <= 0.61/sigma. There and back along two axes are four such steps, of
    # which two, those to larger pixels, are wide.
    bound = 4 * coarsest**2 / 8 / sigma**2 + 2 * 0.09 * coarsest * 0.61 / sigma
    assert np.abs(transform.apply_inverse(transform.apply(slices)) - slices).max() <= bound


@pytest.mark.parametrize("coarse", [1.5, 2.0, 2.3, 3.0])
def test_a_checkerboard_all_but_vanishes_where_pixels_more_than_double(coarse: float) -> None:
    board = (np.indices((90, 90)).sum(axis=0) % 2).astype(np.float32)[np.newaxis, :, :, np.newaxis]
    transform = CanvasTransform.from_mask(
        np.ones((1, 90, 90), bool), (0.5, 0.5), Canvas(coarse, 8, 8)
    )
    rows = transform.apply(board)[0, :, :, 0]
    middle = rows.shape[0] // 2
    assert np.allclose(rows[middle - 4 : middle + 4, middle - 4 : middle + 4], 0.5, atol=0.05)


def test_an_empty_stack_has_a_canvas_too() -> None:
    transform = CanvasTransform.from_mask(np.zeros((3, 10, 12), bool), (1.0, 1.0), MM)
    slices = np.zeros((3, 10, 12, 2), np.float32)
    assert transform.apply(slices).shape == (3, 16, 16, 2)
    assert transform.apply_inverse(transform.apply(slices)).shape == slices.shape


@pytest.mark.parametrize("shift", [(0, 0), (2, 0), (-3, 1), (0, -4), (4, 4)])
def test_a_shifted_transform_moves_slices_and_brings_them_back(shift: tuple[int, int]) -> None:
    slices = random_slices(8, 8)
    transform = CanvasTransform.from_mask(np.ones((1, 8, 8), bool), (1.0, 1.0), MM)
    shifted = transform.shift(shift)
    assert np.array_equal(
        shifted.apply(slices), np.roll(transform.apply(slices), shift, axis=(1, 2))
    )
    assert np.array_equal(shifted.apply_inverse(shifted.apply(slices)), slices)


def test_pixels_shifted_off_the_canvas_are_lost_and_zeros_enter() -> None:
    slices = random_slices(16, 16)
    transform = CanvasTransform.from_mask(np.ones((1, 16, 16), bool), (1.0, 1.0), MM)
    placed = transform.shift((5, -3)).apply(slices)
    assert np.array_equal(placed[:, 5:, :-3], slices[:, :-5, 3:])
    assert not placed[:, :5].any()
    assert not placed[:, :, -3:].any()
    assert not transform.shift((40, 0)).apply(slices).any()


@given(rows=st.integers(1, 30), seed=st.integers(0, 9))
def test_channels_and_slices_do_not_mix(rows: int, seed: int) -> None:
    slices = np.random.default_rng(seed).random((3, rows, 9, 2)).astype(np.float32)
    transform = CanvasTransform.from_mask(np.ones((1, rows, 9), bool), (0.8, 1.7), MM)
    alone = transform.apply(slices[1:2, :, :, :1])
    assert np.allclose(transform.apply(slices)[1:2, :, :, :1], alone, atol=1e-6)


def test_pixels_that_are_moved_whole_are_those_of_the_matrix_products() -> None:
    mask = np.zeros((1, 40, 56), bool)
    mask[:, 5:30, 9:50] = True
    slices = np.random.default_rng(0).random((3, 40, 56, 2), np.float32)
    transform = CanvasTransform.from_mask(mask, (1.0, 1.0), Canvas(1.0, 32, 16)).shift((3, -30))
    on_canvas = transform.apply(slices)
    restored = transform.apply_inverse(on_canvas)
    for maps, source, made in (
        (transform.forward, slices, on_canvas),
        (transform.inverse, on_canvas, restored),
    ):
        np.testing.assert_array_equal(made, np.einsum("ir,jc,nrck->nijk", *maps, source))
        assert made.any()


@pytest.mark.parametrize("spacing", [0.6, 1.3, 1.5, 2.0])
def test_a_parabola_on_the_canvas_comes_back_exactly(spacing: float) -> None:
    """Linear interpolation would flatten it; cubic convolution is exact to the second order."""
    shape = (int(60 / spacing), int(52 / spacing))
    transform = CanvasTransform.from_mask(
        np.ones((1, *shape), bool), (spacing, spacing), Canvas(1.0, 8, 8)
    )
    rows, columns = (transform.forward[axis].shape[0] for axis in (0, 1))

    def parabola(y: NDArray[np.float64], x: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.asarray(0.5 + 1e-3 * (y**2 - 0.5 * x**2 + 0.3 * x * y), np.float64)

    def centred(length: int, step: float) -> NDArray[np.float64]:
        return np.asarray((np.arange(length) - (length - 1) / 2) * step, np.float64)

    canvas = parabola(centred(rows, 1.0)[:, np.newaxis], centred(columns, 1.0)).astype(np.float32)
    expected = parabola(centred(shape[0], spacing)[:, np.newaxis], centred(shape[1], spacing))
    made = transform.apply_inverse(canvas[np.newaxis, ..., np.newaxis])[0, ..., 0]
    inside = np.s_[5:-5, 5:-5]
    np.testing.assert_allclose(made[inside], expected[inside], atol=1e-4)


@given(spacing=st.tuples(SPACINGS, SPACINGS), seed=st.integers(0, 9), data=st.data())
def test_canvas_pixels_outside_the_mask_change_nothing(
    spacing: tuple[float, float], seed: int, data: st.DataObject
) -> None:
    rng = np.random.default_rng(seed)
    mask = rng.random((2, 21, 17)) < data.draw(st.sampled_from([0.01, 0.3, 1]))
    transform = CanvasTransform.from_mask(mask, spacing, MM)
    needed = transform.mask_on_canvas(mask)
    canvas = rng.random((*needed.shape, 1)).astype(np.float32)
    # With the ends at hand in each slice nothing is cut off.
    canvas[:, 0, 0] = -9
    canvas[:, 0, 1] = 9
    needed[:, 0, :2] = True
    other = np.where(needed[..., np.newaxis], canvas, rng.random(canvas.shape, np.float32))
    np.testing.assert_array_equal(
        transform.apply_inverse(other)[mask], transform.apply_inverse(canvas)[mask]
    )
    assert needed.any() or not mask.any()


def test_at_equal_spacing_the_mask_on_the_canvas_has_no_additional_pixels() -> None:
    mask = np.random.default_rng(0).random((2, 21, 17)) < 0.3
    transform = CanvasTransform.from_mask(mask, (1.0, 1.0), MM)
    laid = transform.apply(mask[..., np.newaxis].astype(np.float32))[..., 0]
    np.testing.assert_array_equal(transform.mask_on_canvas(mask), laid > 0)
