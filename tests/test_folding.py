"""The form that a generator translates in gives what the generator gives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_pix2pix import networks
from oasis_gan_pix2pix.backend import tf
from oasis_gan_pix2pix.folding import folded, translating
from oasis_gan_pix2pix.layers import SubPixelConvolution, sub_pixel_kernel
from oasis_gan_pix2pix.recipe import GeneratorSettings
from oasis_gan_pix2pix.variables import assign

Array = NDArray[np.float32]
GENERATORS: dict[str, dict[str, Any]] = {
    "batch norm": {"norm": "batch"},
    "instance norm": {"norm": "instance"},
    "no norm": {"norm": "none"},
    "transposed": {"norm": "batch", "upsample": "transposed"},
    "as in training": {"norm": "batch", "dropout": 0.5, "test_as_training": True},
    "innermost norm": {"norm": "batch", "innermost_norm": True},
    "encoder-decoder": {"norm": "batch", "architecture": "encoder-decoder"},
    "no full skip": {"norm": "batch", "full_skip": False, "upsample": "transposed", "epsilon": 1e-3},
    "noise": {"norm": "batch", "noise": True},
}


def learnt(network: Any) -> dict[str, Array]:  # noqa: ANN401
    """Give a network weights that are far from those it starts with, and return them."""
    rng = np.random.default_rng(0)
    weights = {}
    for variable in network.variables:
        if "seed" not in variable.path:
            values = rng.normal(0, 0.2, variable.shape).astype(np.float32)
            weights[variable.path] = np.abs(values) + 0.5 if "variance" in variable.path else values
    assign(network, weights, "test")
    return weights


@pytest.mark.parametrize("name", GENERATORS)
def test_the_folded_generator_gives_the_same_slices(name: str) -> None:
    settings = GeneratorSettings(**{"levels": 3, "filters": 4, **GENERATORS[name]})
    plain = networks.generator(settings, 3, 2)
    weights = learnt(plain)
    fast = networks.generator(translating(settings), 3, 2)
    assign(fast, folded(settings, weights), "test")
    for shape in ((2, 8, 8), (1, 24, 40)):
        slices = np.random.default_rng(1).random((*shape, 3), np.float32)
        expected = np.asarray(plain(slices, training=False))
        assert expected.std() > 0.01
        np.testing.assert_allclose(np.asarray(fast(slices, training=False)), expected, atol=1e-5)


def test_folding_leaves_no_norm_and_no_transposed_convolution() -> None:
    settings = GeneratorSettings(levels=3, filters=4, norm="batch")
    fast = networks.generator(translating(settings), 3, 1)
    assert not [layer.name for layer in fast.layers if "norm" in layer.name]
    graph = tf.function(fast).get_concrete_function(tf.TensorSpec((None, 8, 8, 3))).graph
    assert not [operation.name for operation in graph.get_operations() if operation.type == "Conv2DBackpropInput"]


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 4)])
def test_a_sub_pixel_convolution_is_the_transposed_one(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x, kernel = (rng.normal(size=shape).astype(np.float32) for shape in ((3, *size, 5), (4, 4, 6, 5)))
    layer = SubPixelConvolution(6, use_bias=False)
    layer.build(x.shape)
    layer.kernel.assign(sub_pixel_kernel(kernel))
    expected = tf.nn.conv2d_transpose(x, kernel, (3, 2 * size[0], 2 * size[1], 6), 2)
    np.testing.assert_allclose(np.asarray(layer(x)), np.asarray(expected), atol=1e-5)


@pytest.mark.parametrize(
    ("name", "change", "said"),
    [
        ("up2_norm/gamma", lambda array: array[:1], r"up2_norm/gamma of shape \(1,\), not \(4,\)"),
        ("down2_norm/beta", None, r"down2_norm/beta of shape none, not \(8,\)"),
        ("up2_norm/moving_variance", np.negative, "up2_norm/moving_variance below 0"),
    ],
)
def test_a_norm_that_does_not_go_with_its_convolution_is_named(
    name: str, change: Callable[[Array], Array] | None, said: str
) -> None:
    settings = GeneratorSettings(levels=3, filters=4, norm="batch")
    weights = learnt(networks.generator(settings, 3, 1))
    array = weights.pop(name)
    if change is not None:
        weights[name] = change(array)
    with pytest.raises(ValueError, match=said):
        folded(settings, weights)
