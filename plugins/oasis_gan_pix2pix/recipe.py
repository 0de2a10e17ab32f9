"""A recipe holds the checked settings of a Pix2Pix model: of its networks, losses and training."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self

from oasis_gan_keras import (
    LOSSES,
    Fraction,
    Settings,
    TrainingSettings,
    one_of,
    parse_settings,
    setting_error,
)
from pydantic import AfterValidator, Field, model_validator

from .convolutions import DOUBLINGS
from .norms import NORMS
from .renamed_settings import RENAMED_SETTINGS

OWN_TERMS = ("L1", "texture", "adversarial", "discriminator")
"""The losses that are part of Pix2Pix, by their names in the table of losses."""


def _require_offered(name: str) -> str:
    """Reject a loss that no plugin offers."""
    where = f"loss.terms.{name}"
    if name in OWN_TERMS:
        raise setting_error(
            where, "a loss that is not part of Pix2Pix", name, "give it another name"
        )
    if name not in LOSSES:
        offered = ", ".join(sorted(LOSSES)) or "none is installed"
        remedy = "install its plugin, or name its file with `plugin_files`"
        raise setting_error(where, f"a loss that a plugin offers ({offered})", name, remedy)
    return name


NormName = Annotated[str, one_of(NORMS)]
DoublingName = Annotated[str, one_of(DOUBLINGS)]
LossName = Annotated[str, AfterValidator(_require_offered)]
_SMALLEST = {1: 1, 16: 6, 34: 12, 70: 24, 142: 48, 286: 96}
"""The rows and columns that a discriminator needs to return any logit, by its receptive field."""


class NetworkSettings(Settings):
    """The settings that both networks have.

    Ck in the paper is a convolution with k filters, a norm and an activation.
    """

    filters: int = Field(
        32,
        ge=1,
        le=256,
        description="Use this many filters at the outermost level (`ngf` and `ndf`); 64 in "
        "the paper.",
    )
    norm: NormName = Field(
        "instance", description="Normalise after each inner convolution with this norm."
    )
    leaky_relu_slope: float = Field(
        0.2, ge=0, lt=1, description="Set the slope of leaky ReLUs below 0."
    )
    momentum: float = Field(
        0.9,
        ge=0,
        lt=1,
        description="Update the moving statistics of batch norm with this momentum.",
    )
    epsilon: float = Field(
        1e-5, gt=0, le=0.1, description="Add this number to the variance in a norm."
    )


class GeneratorSettings(NetworkSettings):
    """The settings that the generator has (section 6.1.1 of the paper)."""

    architecture: Literal["u-net", "encoder-decoder"] = Field(
        "u-net", description="Build the generator with or without skip connections."
    )
    levels: int = Field(
        6, ge=1, le=10, description="Halve the slice this many times; 8 in the paper."
    )
    max_filter_multiple: int = Field(
        8,
        ge=1,
        le=64,
        description="Double the filters at each level, up to this multiple of `filters`.",
    )
    upsample: DoublingName = Field(
        "resize", description="Double the size in the decoder by this method."
    )
    full_skip: bool = Field(
        True, description="Let the U-Net's last step read the source at full size."
    )
    innermost_norm: bool = Field(
        False,
        description="Normalise the innermost block too, against the advice of the paper's erratum.",
    )
    noise: bool = Field(
        False,
        description="Let the U-Net's last step read noise too, which it can turn into texture.",
    )
    dropout: Fraction = Field(
        0.0,
        description="Drop this fraction of the three innermost decoder blocks; 0.5 in the paper.",
    )
    inference_in_training_mode: bool = Field(
        False,
        description="Translate with dropout and with each slice's own statistics, as the paper "
        "does.",
    )

    @property
    def multiple(self) -> int:
        """The number of which rows and columns of a slice are multiples."""
        return int(2**self.levels)

    @property
    def skips_whole(self) -> bool:
        """Whether the last step reads the source at full size."""
        return self.architecture == "u-net" and self.full_skip

    @property
    def full_size_filters(self) -> int:
        """The filters of the narrow block before the output, if there is one at full size."""
        return max(self.filters // 2, 1)


class DiscriminatorSettings(NetworkSettings):
    """The settings that the discriminator has (section 6.1.2 of the paper)."""

    receptive_field: Literal[1, 16, 34, 70, 142, 286] = Field(
        70, description="Width in pixels that one logit sees: 1 is the PixelGAN, 286 the ImageGAN."
    )
    input: Literal["image", "residual"] = Field(
        "image",
        description="What the discriminator sees: the image, or its difference from a linear "
        "prediction.",
    )


class LossSettings(Settings):
    """The settings that define the losses of both networks (equations 1 to 4 of the paper)."""

    objective: Literal["L1", "GAN", "cGAN", "L1+GAN", "L1+cGAN"] = Field(
        "L1+cGAN",
        description="Losses of the networks. cGAN shows the discriminator the source, GAN does "
        "not.",
    )
    gan: Literal["bce", "least-squares"] = Field(
        "bce",
        description="Use this adversarial loss: cross-entropy, or least squares (arXiv "
        "1611.04076).",
    )
    l1_weight: float = Field(
        100.0, ge=0, description="Multiply the L1 loss by this weight, lambda in the paper."
    )
    gan_weight: float = Field(
        1.0, ge=0, description="Multiply the generator's adversarial loss by this weight."
    )
    halve_discriminator_loss: bool = Field(
        True, description="Halve the discriminator's loss, as the paper does."
    )
    target_shrinkage: Fraction = Field(
        0.0,
        description="Blend the target of L1 with this fraction of a blurred linear "
        "prediction, which regularises small training sets.",
    )
    texture_weight: float = Field(
        0.0,
        ge=0,
        description="Weight of the sliced-Wasserstein loss, which compares the distributions of "
        "texture.",
    )
    texture_gain: float = Field(
        1.0,
        ge=0.5,
        le=2,
        description="Multiply texture by this, because outputs for unseen heads are smoother than "
        "real scans.",
    )

    terms: dict[LossName, Annotated[float, Field(gt=0)]] = Field(
        {},
        description="Weights of further losses of the generator, by the names that their plugins "
        "give them.",
    )

    @property
    def pixelwise(self) -> bool:
        """Whether the generated image is compared with the real one pixel by pixel."""
        return "L1" in self.objective

    @property
    def adversarial(self) -> bool:
        """Whether there is a discriminator."""
        return "GAN" in self.objective

    @property
    def conditional(self) -> bool:
        """Whether the discriminator reads the source."""
        return "cGAN" in self.objective


class PretrainingSettings(Settings):
    """The settings of a first stage, which has no adversarial loss.

    It ends with the weights of the smooth end of texture.
    """

    steps: int = Field(
        0, ge=0, description="Train this many first steps without the adversarial loss; 0 for none."
    )
    learning_rate: float = Field(
        5e-4,
        gt=0,
        le=1,
        description="Train the generator in these first steps with this learning rate.",
    )
    default_texture: Fraction = Field(
        1.0,
        description="Set the default texture of `run`, from 0 (smooth end) to 1 (textured end).",
    )


class Recipe(TrainingSettings):
    """All settings of a training run; only its data are missing."""

    changeable: ClassVar[frozenset[str]] = TrainingSettings.changeable | {
        "generator_learning_rate",
        "pretraining.learning_rate",
        "pretraining.default_texture",
    }
    renamed: ClassVar[Mapping[str, str]] = RENAMED_SETTINGS

    generator_learning_rate: float | None = Field(
        None,
        gt=0,
        le=1,
        description="Learning rate of the generator, if it differs from that of the discriminator.",
    )
    generator: GeneratorSettings = GeneratorSettings()
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    loss: LossSettings = LossSettings()
    pretraining: PretrainingSettings = PretrainingSettings()

    @property
    def multiple(self) -> int:
        """The number of which rows and columns of the canvas are multiples."""
        return self.generator.multiple

    @property
    def full_size_channels(self) -> int:
        """Return how many channels source, target and generator have together at full size."""
        return super().full_size_channels + self.generator.full_size_filters

    @model_validator(mode="after")
    def _networks_fit_together(self) -> Self:
        """Reject settings of networks and losses that contradict each other."""
        self._require_discriminator()
        loss = self.loss
        if loss.texture_weight and not loss.adversarial:
            raise setting_error(
                "loss.texture_weight",
                "0, for an objective without a discriminator",
                loss.texture_weight,
            )
        if loss.texture_gain != 1 and not loss.texture_weight:
            raise setting_error(
                "loss.texture_gain", "1, without a loss.texture_weight", loss.texture_gain
            )
        if self.generator.noise and not self.generator.skips_whole:
            without = f"{self.generator.architecture}, full_skip {self.generator.full_skip}"
            raise setting_error("generator.noise", "a u-net with full_skip", without)
        if self.pretraining.steps and not (loss.adversarial and loss.pixelwise):
            expected = "0, for an objective that has not both L1 and a discriminator"
            raise setting_error("pretraining.steps", expected, self.pretraining.steps)
        if self.steps is not None and self.pretraining.steps >= self.steps:
            raise setting_error(
                "pretraining.steps", f"fewer than the {self.steps} steps", self.pretraining.steps
            )
        return self

    def _require_discriminator(self) -> None:
        """Reject slices that the discriminator cannot process, and a residual without source."""
        if not self.loss.adversarial:
            return
        field = self.discriminator.receptive_field
        needed = _SMALLEST[field]
        size = self.patch or self.size
        if size < needed:
            where = "patch" if self.patch else "size"
            expected = f"at least {needed} for a discriminator.receptive_field of {field}"
            raise setting_error(where, expected, size)
        shown = self.discriminator.input
        if shown == "residual" and not self.loss.conditional:
            expected = f"image, for a {self.loss.objective} that is not shown the source"
            raise setting_error("discriminator.input", expected, shown)


def parse_recipe(settings: Any) -> Recipe:  # noqa: ANN401 - whatever a TOML file holds
    """Return checked settings.

    Raises:
        WrongSettingError: If a setting is wrong; the message names the first one.
    """
    return parse_settings(Recipe, settings)
