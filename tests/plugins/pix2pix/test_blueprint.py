"""The blueprint describes the generator of the paper, and all its readers agree on additions."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import oasis_gan_pix2pix
import pytest
from numpy.typing import NDArray
from oasis_gan_keras import variables
from oasis_gan_keras.backend import keras, tf
from oasis_gan_pix2pix import networks
from oasis_gan_pix2pix.activations import LeakyReLU, ReLU
from oasis_gan_pix2pix.blueprint import Block, Blueprint, make_blueprint
from oasis_gan_pix2pix.convolutions import DOUBLINGS, Convolution, Doubling
from oasis_gan_pix2pix.folding import fold
from oasis_gan_pix2pix.inference import Inference
from oasis_gan_pix2pix.norms import NORMS, Norm
from oasis_gan_pix2pix.recipe import DiscriminatorSettings, GeneratorSettings, parse_recipe
from oasis_gan_pix2pix.weight_shapes import list_weight_shapes

Array = NDArray[Any]
Tensor = Any
PAPER = Path(oasis_gan_pix2pix.__file__).parent / "recipes" / "paper.toml"
LEVELS = 3
SIZE = (40, 56)


def draw_weights(plan: Blueprint) -> dict[str, NDArray[np.float32]]:
    """Return weights that are far from those at the start of a training."""
    rng = np.random.default_rng(0)
    weights = {}
    for name, shape in list_weight_shapes(plan).items():
        values = rng.normal(0, 0.3, shape).astype(np.float32)
        if name.endswith("variance"):
            values = np.abs(values) + np.float32(0.5)
        weights[name] = values
    return weights


def list_boxes() -> Iterator[tuple[slice, slice]]:
    """Yield parts of a slice: in the middle, at the edges, and a single pixel."""
    yield slice(11, 24), slice(19, 32)
    yield slice(0, 9), slice(40, 56)
    yield slice(33, 40), slice(0, 56)
    yield slice(17, 18), slice(22, 23)


def assert_all_agree(plan: Blueprint) -> None:
    """Check that building, counting, folding and crops agree on a blueprint."""
    network = networks.build_from_blueprint(plan)
    shapes = {name: array.shape for name, array in variables.read_weights(network).items()}
    assert list_weight_shapes(plan) == shapes
    weights = draw_weights(plan)
    variables.assign(network, weights, "test")
    folded_plan, folded = fold(plan, weights)
    assert list_weight_shapes(folded_plan) == {name: array.shape for name, array in folded.items()}
    inference = Inference(folded_plan, folded, "float32")
    for box in list_boxes():
        slices = np.zeros((2, *SIZE, plan.channels), np.float32)
        slices[:, *box] = np.random.default_rng(1).random(slices[:, *box].shape)
        mask = np.zeros((2, *SIZE), bool)
        mask[:, *box] = True
        expected = np.asarray(network(slices, training=False)) / 2 + 0.5
        assert np.ptp(expected) > 0.01
        np.testing.assert_allclose(
            np.asarray(inference.generate_everywhere(slices)), expected, atol=1e-5
        )
        np.testing.assert_allclose(inference(slices, mask)[mask], expected[mask], atol=1e-5)


def test_the_blueprints_list_the_blocks_of_the_paper() -> None:
    """Section 6.1.1 counts input channels in the U-Net's decoder, output channels elsewhere."""
    settings = parse_recipe(tomllib.loads(PAPER.read_text())).generator
    u_net = make_blueprint(settings, 3, 3)
    plain = make_blueprint(settings.model_copy(update={"architecture": "encoder-decoder"}), 3, 3)

    def format_block(block: Block, width: int) -> str:
        kind = "CD" if block.dropout else "C"
        return f"{kind}{width}"

    for plan in (u_net, plain):
        encoder = "-".join(format_block(block, block.filters) for block in plan.encoder)
        assert encoder == "C64-C128-C256-C512-C512-C512-C512-C512"
    decoder = "-".join(
        format_block(block, u_net.count_channels_into(block)) for block in u_net.decoder
    )
    assert decoder == "CD512-CD1024-CD1024-C1024-C1024-C512-C256-C128"
    decoder = "-".join(format_block(block, block.filters) for block in plain.decoder[:-1])
    assert decoder == "CD512-CD512-CD512-C512-C256-C128-C64"
    assert [block.name for block in u_net.encoder if block.norm is None] == ["down1", "down8"]


@dataclass(frozen=True, kw_only=True)
class FixedScale(Norm):
    """A norm that multiplies each channel by a weight, and can be folded."""

    weights: ClassVar[tuple[str, ...]] = ("scale",)

    def build_layer(self, name: str) -> Any:  # noqa: ANN401
        return _ScaleLayer(name=name)

    def compute_factor_and_shift(self, weights: Mapping[str, Array]) -> tuple[Array, Array]:
        return weights["scale"], np.zeros_like(weights["scale"])


@dataclass(frozen=True, kw_only=True)
class RootMeanSquareNorm(Norm):
    """A norm that divides each channel of a slice by its root mean square."""

    weights: ClassVar[tuple[str, ...]] = ("scale",)

    def build_layer(self, name: str) -> Any:  # noqa: ANN401
        return _ScaleLayer(self, name=name)

    def compute(self, x: Tensor, weights: Mapping[str, Tensor]) -> Tensor:
        mean_square = tf.reduce_mean(tf.square(x), (1, 2), keepdims=True)
        return x * tf.math.rsqrt(mean_square + self.epsilon) * weights["scale"]


class _ScaleLayer(keras.layers.Layer):  # type: ignore[misc]
    def __init__(self, norm: Norm | None = None, **options: Any) -> None:  # noqa: ANN401
        super().__init__(**options)
        self.norm = norm

    def build(self, shape: tuple[int | None, ...]) -> None:
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones", name="scale")

    def call(self, x: Tensor) -> Tensor:
        return self.norm.compute(x, {"scale": self.scale}) if self.norm else x * self.scale


@pytest.mark.parametrize(("norm", "folds"), [(FixedScale, True), (RootMeanSquareNorm, False)])
@pytest.mark.parametrize("upsample", DOUBLINGS)
def test_a_new_norm_needs_one_class_in_one_table(
    monkeypatch: pytest.MonkeyPatch, norm: type[Norm], folds: bool, upsample: str
) -> None:
    monkeypatch.setitem(NORMS, "new", norm)
    recipe = parse_recipe(
        {"generator": {"norm": "new", "upsample": upsample, "levels": LEVELS, "filters": 4}}
    )
    plan = make_blueprint(recipe.generator, 2, 1)
    assert "up2_norm/scale" in list_weight_shapes(plan)
    folded_plan, _ = fold(plan, draw_weights(plan))
    assert ("up2_norm/scale" not in list_weight_shapes(folded_plan)) == folds
    assert_all_agree(plan)
    judge = networks.build_discriminator(
        DiscriminatorSettings(norm="new", filters=4, receptive_field=34), 2, 1
    )
    assert "layer2_norm/scale" in variables.read_weights(judge)


def test_an_unknown_norm_is_refused_with_a_list_of_the_known_ones() -> None:
    with pytest.raises(ValueError, match="'instance' or 'batch' or 'none'"):
        GeneratorSettings(norm="new")


@dataclass(frozen=True)
class RepeatedPointwise(Doubling):
    """Repetition of every pixel, then a 1x1 convolution."""

    kernel: int = 1

    def build(self, x: Tensor, filters: int, name: str, **options: Any) -> Tensor:  # noqa: ANN401
        repeated = keras.layers.UpSampling2D(name=f"{name}_repeated")(x)
        return keras.layers.Conv2D(filters, 1, name=name, **options)(repeated)

    def as_transposed(self, kernel: Array) -> Array:
        transposed = np.zeros((4, 4, kernel.shape[3], kernel.shape[2]), kernel.dtype)
        transposed[1:3, 1:3] = kernel[0, 0].T
        return transposed


@pytest.mark.parametrize("full_skip", [True, False])
def test_a_new_way_of_doubling_needs_one_class_in_one_table(
    monkeypatch: pytest.MonkeyPatch, full_skip: bool
) -> None:
    monkeypatch.setitem(DOUBLINGS, "new", RepeatedPointwise())
    settings = {
        "norm": "batch",
        "upsample": "new",
        "levels": LEVELS,
        "filters": 4,
        "full_skip": full_skip,
    }
    plan = make_blueprint(parse_recipe({"generator": settings}).generator, 2, 1)
    assert list_weight_shapes(plan)["up2_conv/kernel"] == (1, 1, 16, 4)
    assert_all_agree(plan)


def make_extended_blueprint(*, kernel: int) -> Blueprint:
    """Return a U-Net with one more block in the encoder and in the decoder."""
    plan = make_blueprint(GeneratorSettings(levels=LEVELS, filters=4, norm="batch"), 2, 1)
    norm = NORMS["batch"]
    assert norm is not None
    deeper = Block(
        name="deeper2",
        reads=("down2",),
        convolution=Convolution(kernel),
        filters=5,
        norm=norm(),
        activation=LeakyReLU(0.2),
    )
    finer = Block(
        name="finer2",
        reads=("up3", "deeper2"),
        convolution=Convolution(kernel),
        filters=3,
        norm=norm(),
        activation=ReLU(),
    )
    down1, down2, down3 = plan.encoder
    up3, up2, *ending = plan.decoder
    encoder = (down1, down2, deeper, replace(down3, reads=("down2", "deeper2")))
    decoder = (up3, finer, replace(up2, reads=("finer2", "up3", "down2")), *ending)
    return replace(plan, encoder=encoder, decoder=decoder)


@pytest.mark.parametrize("kernel", [1, 3, 5])
def test_a_new_block_and_a_new_skip_only_change_the_blueprint(kernel: int) -> None:
    plan = make_extended_blueprint(kernel=kernel)
    shapes = list_weight_shapes(plan)
    assert shapes["deeper2_conv/kernel"] == (kernel, kernel, 8, 5)
    assert shapes["down3_conv/kernel"] == (4, 4, 8 + 5, 16)
    assert shapes["finer2_conv/kernel"] == (kernel, kernel, 8 + 5, 3)
    assert_all_agree(plan)


def test_a_skip_between_sizes_is_refused() -> None:
    plan = make_blueprint(GeneratorSettings(levels=LEVELS, filters=4), 2, 1)
    up3, up2, *rest = plan.decoder
    with pytest.raises(ValueError, match="up2 reads up3, down1, which differ in size"):
        replace(plan, decoder=(up3, replace(up2, reads=("up3", "down1")), *rest))


def test_a_block_in_the_wrong_half_is_refused() -> None:
    plan = make_blueprint(GeneratorSettings(levels=LEVELS, filters=4), 2, 1)
    with pytest.raises(ValueError, match="up3 doubles the size, in the encoder"):
        replace(plan, encoder=plan.blocks, decoder=())
    with pytest.raises(ValueError, match="down1 halves the size, in the decoder"):
        replace(plan, encoder=(), decoder=plan.blocks)


def test_a_seed_gives_its_weights_to_the_blocks_in_order() -> None:
    """A seed gives the same weights again, however the code that builds a block changes."""
    plan = make_blueprint(
        GeneratorSettings(levels=LEVELS, filters=4, dropout=0.5, noise=True), 2, 1
    )
    keras.utils.set_random_seed(7)
    weights = variables.read_weights(networks.build_from_blueprint(plan))
    keras.utils.set_random_seed(7)
    for block in plan.blocks:
        draw = keras.initializers.RandomNormal(0.0, 0.02)
        np.testing.assert_array_equal(
            weights[block.kernel], np.asarray(draw(weights[block.kernel].shape))
        )
        if block.dropout:
            keras.random.SeedGenerator()
