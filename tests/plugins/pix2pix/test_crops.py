"""A slice that is computed in crops equals the slice that is computed as a whole."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from oasis_gan_pix2pix.blueprint import make_blueprint
from oasis_gan_pix2pix.folding import fold
from oasis_gan_pix2pix.inference import Inference
from oasis_gan_pix2pix.recipe import GeneratorSettings
from oasis_gan_pix2pix.weight_shapes import list_weight_shapes

SETTINGS: dict[str, dict[str, Any]] = {
    "u-net": {"norm": "batch"},
    "no full skip": {"norm": "batch", "full_skip": False, "upsample": "transposed"},
    "encoder-decoder": {"norm": "none", "architecture": "encoder-decoder"},
    "noise": {"norm": "batch", "noise": True},
    "instance norm": {"norm": "instance"},
    "as in training": {"norm": "batch", "dropout": 0.5, "inference_in_training_mode": True},
}


@cache
def make_generator(name: str, levels: int) -> Inference:
    """Return a generator with weights that are far from those at the start of a training."""
    settings = GeneratorSettings(levels=levels, filters=4, **SETTINGS[name])
    plan = make_blueprint(settings, 2, 1)
    rng = np.random.default_rng(levels)
    weights = {}
    for path, shape in list_weight_shapes(plan).items():
        values = rng.normal(0, 0.2, shape).astype(np.float32)
        if path.endswith(("variance", "gamma")):
            values = np.abs(values) + np.float32(0.5)
        weights[path] = values
    folded_plan, folded_weights = fold(plan, weights)
    return Inference(folded_plan, folded_weights, "float32")


@st.composite
def box_masks(draw: st.DrawFn, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw a mask with one box, which may be empty, a single pixel, or touch an edge."""
    mask = np.zeros(size, bool)
    top, bottom = sorted(draw(st.integers(0, size[0])) for _ in range(2))
    left, right = sorted(draw(st.integers(0, size[1])) for _ in range(2))
    mask[top:bottom, left:right] = True
    return mask


@pytest.mark.parametrize("name", SETTINGS)
@given(data=st.data())
def test_inside_the_mask_the_output_is_that_of_the_whole_slice(
    name: str, data: st.DataObject
) -> None:
    levels = data.draw(st.integers(1, 4))
    rows = round_up(data.draw(st.integers(1, 40)), levels)
    columns = round_up(data.draw(st.integers(1, 40)), levels)
    size = (rows, columns)
    mask = np.stack([data.draw(box_masks(size)) for _ in range(2)])
    slices = np.random.default_rng(0).random((2, *size, 2), np.float32)
    # The head may be smaller or larger than the mask.
    head = np.stack([data.draw(box_masks(size)) for _ in range(2)])
    slices *= head[..., np.newaxis]
    inference = make_generator(name, levels)
    whole = np.asarray(inference.generate_everywhere(slices))
    np.testing.assert_allclose(inference(slices, mask)[mask], whole[mask], atol=1e-5)


def round_up(pixels: int, levels: int) -> int:
    """Return the next number of pixels that can be halved so many times."""
    return int(-(-pixels // 2**levels) * 2**levels)


def test_pixels_outside_the_mask_are_not_computed() -> None:
    slices = np.zeros((1, 64, 64, 2), np.float32)
    mask = np.zeros((1, 64, 64), bool)
    mask[0, 20:30, 40:44] = True
    answer = make_generator("u-net", 3)(slices, mask)
    # The last convolution reads one pixel beyond the mask.
    computed = np.zeros((64, 64), bool)
    computed[19:31, 39:45] = True
    np.testing.assert_array_equal(answer[0, ..., 0] != 0, computed)


def test_slices_of_several_sizes_may_alternate() -> None:
    inference = make_generator("u-net", 2)
    rng = np.random.default_rng(0)
    for size in ((16, 16), (24, 16), (16, 24), (16, 16)):
        mask = np.zeros((1, *size), bool)
        mask[0, 5:9, 6:10] = True
        slices = rng.random((1, *size, 2), np.float32) * mask[..., np.newaxis]
        expected = np.asarray(inference.generate_everywhere(slices))[mask]
        np.testing.assert_allclose(inference(slices, mask)[mask], expected, atol=1e-5)


def test_empty_slices_with_an_empty_mask_are_accepted() -> None:
    slices = np.zeros((2, 16, 16, 2), np.float32)
    mask = np.zeros((2, 16, 16), bool)
    answer = make_generator("u-net", 3)(slices, mask)
    assert np.isfinite(answer).all()
