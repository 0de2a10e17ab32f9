"""A slice computed in windows is the slice computed whole."""

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
from oasis_gan_pix2pix.weight_shapes import weight_shapes

SETTINGS: dict[str, dict[str, Any]] = {
    "u-net": {"norm": "batch"},
    "no full skip": {"norm": "batch", "full_skip": False, "upsample": "transposed"},
    "encoder-decoder": {"norm": "none", "architecture": "encoder-decoder"},
    "noise": {"norm": "batch", "noise": True},
    "instance norm": {"norm": "instance"},
    "as in training": {"norm": "batch", "dropout": 0.5, "test_as_training": True},
}


@cache
def generator(name: str, levels: int) -> Inference:
    """Return a generator with weights far from those that a training starts with."""
    settings = GeneratorSettings(levels=levels, filters=4, **SETTINGS[name])
    plan = make_blueprint(settings, 2, 1)
    rng, weights = np.random.default_rng(levels), {}
    for path, shape in weight_shapes(plan).items():
        values = rng.normal(0, 0.2, shape).astype(np.float32)
        weights[path] = (
            np.abs(values) + np.float32(0.5) if path.endswith(("variance", "gamma")) else values
        )
    return Inference(*fold(plan, weights), "float32")


@st.composite
def boxes(draw: st.DrawFn, size: tuple[int, int]) -> NDArray[np.bool_]:
    """Draw a box in a slice; it may be empty, a pixel, or reach an edge."""
    mask = np.zeros(size, bool)
    ends = [sorted(draw(st.integers(0, pixels)) for _ in range(2)) for pixels in size]
    mask[ends[0][0] : ends[0][1], ends[1][0] : ends[1][1]] = True
    return mask


@pytest.mark.parametrize("name", SETTINGS)
@given(data=st.data())
def test_what_is_wanted_is_what_the_whole_slice_gives(name: str, data: st.DataObject) -> None:
    levels = data.draw(st.integers(1, 4))
    size = data.draw(
        st.tuples(st.integers(1, 40), st.integers(1, 40)).map(
            lambda n: (fitting(n[0], levels), fitting(n[1], levels))
        )
    )
    wanted = np.stack([data.draw(boxes(size)) for _ in range(2)])
    slices = np.random.default_rng(0).random((2, *size, 2), np.float32)
    # What is there may be less than what is wanted, or more.
    slices *= np.stack([data.draw(boxes(size)) for _ in range(2)])[..., np.newaxis]
    inference = generator(name, levels)
    whole = np.asarray(inference.generate_everywhere(slices))
    np.testing.assert_allclose(inference(slices, wanted)[wanted], whole[wanted], atol=1e-5)


def fitting(pixels: int, levels: int) -> int:
    """Return the next multiple that so many levels can halve."""
    return int(-(-pixels // 2**levels) * 2**levels)


def test_what_nobody_wants_is_not_computed() -> None:
    slices, wanted = np.zeros((1, 64, 64, 2), np.float32), np.zeros((1, 64, 64), bool)
    wanted[0, 20:30, 40:44] = True
    answer = generator("u-net", 3)(slices, wanted)
    # The last convolution has a pixel more to see.
    assert set(zip(*np.nonzero(answer[0, ..., 0]), strict=True)) == {
        (r, c) for r in range(19, 31) for c in range(39, 45)
    }


def test_canvases_take_turns() -> None:
    inference, rng = generator("u-net", 2), np.random.default_rng(0)
    for size in ((16, 16), (24, 16), (16, 24), (16, 16)):
        wanted = np.zeros((1, *size), bool)
        wanted[0, 5:9, 6:10] = True
        slices = rng.random((1, *size, 2), np.float32) * wanted[..., np.newaxis]
        expected = np.asarray(inference.generate_everywhere(slices))[wanted]
        np.testing.assert_allclose(inference(slices, wanted)[wanted], expected, atol=1e-5)


def test_empty_slices_that_nobody_wants_are_answered() -> None:
    assert np.isfinite(
        generator("u-net", 3)(np.zeros((2, 16, 16, 2), np.float32), np.zeros((2, 16, 16), bool))
    ).all()
