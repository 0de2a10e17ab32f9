"""A folded generator translates like the trained one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from oasis_gan_keras import variables
from oasis_gan_keras.backend import tf
from oasis_gan_keras.variables import assign
from oasis_gan_pix2pix import networks
from oasis_gan_pix2pix.blueprint import make_blueprint
from oasis_gan_pix2pix.folding import fold
from oasis_gan_pix2pix.inference import Inference
from oasis_gan_pix2pix.kernels import make_sub_pixel_kernel
from oasis_gan_pix2pix.recipe import GeneratorSettings
from oasis_gan_pix2pix.weight_shapes import list_weight_shapes

Array = NDArray[np.float32]
GENERATORS: dict[str, dict[str, Any]] = {
    "batch norm": {"norm": "batch"},
    "instance norm": {"norm": "instance"},
    "no norm": {"norm": "none"},
    "transposed": {"norm": "batch", "upsample": "transposed"},
    "as in training": {"norm": "batch", "dropout": 0.5, "inference_in_training_mode": True},
    "innermost norm": {"norm": "batch", "innermost_norm": True},
    "encoder-decoder": {"norm": "batch", "architecture": "encoder-decoder"},
    "no full skip": {
        "norm": "batch",
        "full_skip": False,
        "upsample": "transposed",
        "epsilon": 1e-3,
    },
    "noise": {"norm": "batch", "noise": True},
}


def assign_random_weights(network: Any) -> dict[str, Array]:  # noqa: ANN401
    """Give a network weights that are far from its initial ones, and return them."""
    rng = np.random.default_rng(0)
    weights = {}
    for variable in network.variables:
        if "seed" not in variable.path:
            values = rng.normal(0, 0.2, variable.shape).astype(np.float32)
            if "variance" in variable.path:
                values = np.abs(values) + 0.5
            weights[variable.path] = values
    assign(network, weights, "test")
    return weights


@pytest.mark.parametrize("name", GENERATORS)
@pytest.mark.parametrize("levels", [1, 3, 5])
def test_the_weights_are_those_of_the_network(name: str, levels: int) -> None:
    settings = GeneratorSettings(**{"levels": levels, "filters": 4, **GENERATORS[name]})
    plan = make_blueprint(settings, 3, 2)
    weights = variables.read_weights(networks.build_from_blueprint(plan))
    assert list_weight_shapes(plan) == {path: array.shape for path, array in weights.items()}


@pytest.mark.parametrize("name", GENERATORS)
def test_the_folded_generator_gives_the_same_slices(name: str) -> None:
    settings = GeneratorSettings(**{"levels": 3, "filters": 4, **GENERATORS[name]})
    plan = make_blueprint(settings, 3, 2)
    plain = networks.build_from_blueprint(plan)
    inference = Inference(*fold(plan, assign_random_weights(plain)), "float32")
    for shape in ((2, 8, 8), (1, 24, 40)):
        slices = np.random.default_rng(1).random((*shape, 3), np.float32)
        expected = np.asarray(plain(slices, training=False)) / 2 + 0.5
        assert expected.std() > 0.01
        np.testing.assert_allclose(inference(slices), expected, atol=1e-5)
        np.testing.assert_allclose(
            np.asarray(inference.generate_everywhere(slices)), expected, atol=1e-5
        )


@pytest.mark.parametrize("name", GENERATORS)
def test_the_folded_blueprint_lists_the_folded_weights(name: str) -> None:
    settings = GeneratorSettings(**{"levels": 3, "filters": 4, **GENERATORS[name]})
    plan = make_blueprint(settings, 3, 2)
    folded_plan, weights = fold(plan, assign_random_weights(networks.build_from_blueprint(plan)))
    assert list_weight_shapes(folded_plan) == {path: array.shape for path, array in weights.items()}


def test_folding_leaves_no_norm_and_no_transposed_convolution() -> None:
    plan = make_blueprint(GeneratorSettings(levels=3, filters=4, norm="batch"), 3, 1)
    folded_plan, weights = fold(plan, assign_random_weights(networks.build_from_blueprint(plan)))
    assert not [name for name in weights if "norm" in name]
    whole = tf.function(Inference(folded_plan, weights, "float32").generate_everywhere)
    graph = whole.get_concrete_function(tf.TensorSpec((None, 8, 8, 3))).graph
    operations = {operation.type for operation in graph.get_operations()}
    assert "Conv2DBackpropInput" not in operations


@pytest.mark.parametrize("size", [(1, 1), (2, 5), (7, 4)])
def test_a_sub_pixel_convolution_equals_the_transposed_one(size: tuple[int, int]) -> None:
    rng = np.random.default_rng(0)
    x = rng.normal(size=(3, *size, 5)).astype(np.float32)
    kernel = rng.normal(size=(4, 4, 6, 5)).astype(np.float32)
    padded = tf.pad(x, ((0, 0), (1, 1), (1, 1), (0, 0)))
    computed = tf.nn.conv2d(padded, make_sub_pixel_kernel(kernel), 1, "VALID")
    expected = tf.nn.conv2d_transpose(x, kernel, (3, 2 * size[0], 2 * size[1], 6), 2)
    np.testing.assert_allclose(
        tf.nn.depth_to_space(computed, 2)[:, 1:-1, 1:-1], np.asarray(expected), atol=1e-5
    )


def test_a_variance_below_0_is_named() -> None:
    plan = make_blueprint(GeneratorSettings(levels=3, filters=4, norm="batch"), 3, 1)
    weights = assign_random_weights(networks.build_from_blueprint(plan))
    weights["up2_norm/moving_variance"] *= -1
    with pytest.raises(ValueError, match="up2_norm/moving_variance below 0"):
        fold(plan, weights)
