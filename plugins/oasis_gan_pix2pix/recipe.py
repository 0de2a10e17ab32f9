"""The settings of a Pix2Pix model: what it is built like, and how it is trained. Every value is checked."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from oasis_gan import LABEL_SETS, LabelSet, OasisGanError, Plane

Fraction = Annotated[float, Field(ge=0, le=1)]


class Settings(BaseModel):
    """Settings that cannot be changed once made, and refuse names they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class GeneratorSettings(Settings):
    """The U-Net (section 6.1.1 of the paper)."""

    levels: int = Field(6, ge=1, le=10, description="Times the slice is halved; 8 in the paper.")
    filters: int = Field(32, ge=1, le=256, description="Of the outermost level, `ngf`; 64 in the paper.")
    widest: int = Field(8, ge=1, le=64, description="Filters double at each level up to this many times `filters`.")
    norm: Literal["instance", "batch", "none"] = Field("instance", description="After each inner convolution.")
    upsample: Literal["resize", "transposed"] = Field("resize", description="How the decoder doubles its size.")
    full_skip: bool = Field(True, description="Show the decoder's last step the input itself, at full size.")
    dropout: Fraction = Field(
        0.0, description="In the three innermost decoder levels while training; 0.5 in the paper."
    )


class DiscriminatorSettings(Settings):
    """The PatchGAN (section 6.1.2 of the paper)."""

    layers: int = Field(3, ge=1, le=6, description="Strided layers; 3 see 70x70 pixels, as in the paper.")
    filters: int = Field(32, ge=1, le=256, description="Of the first layer, `ndf`; 64 in the paper.")
    norm: Literal["instance", "batch", "none"] = Field("instance", description="After each inner convolution.")


class Recipe(Settings):
    """All that makes a training run, apart from its data."""

    name: str = Field("model", pattern=r"^[A-Za-z0-9._-]+$", description="Of the trained model.")
    version: str = Field("1", pattern=r"^[A-Za-z0-9.+-]+$", description="Of the trained model.")
    labels: str = Field("oasis", description="The label set of the source volumes.")
    contrast: Literal["anchored", "robust"] = Field(
        "anchored",
        description="Target intensities: tissue means on fixed anchors, or percentiles on 0 and 1.",
    )
    output: str = Field("T1w", pattern=r"^[A-Za-z0-9]+$", description="What the names of outputs end in.")
    planes: tuple[Plane, ...] = Field(tuple(Plane), min_length=1, description="To cut training slices in.")
    spacing: float = Field(1.0, gt=0, le=100, description="Of the canvas the slices are laid on, mm.")
    size: int = Field(192, ge=1, le=4096, description="Rows and columns of that canvas, at least.")
    steps: int = Field(4000, ge=1, description="Updates of each network.")
    batch: int = Field(4, ge=1, le=256, description="Slices in an update; 1 in the paper.")
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Of Adam for both networks, with beta_1 = 0.5.")
    generator_learning_rate: float | None = Field(None, gt=0, le=1, description="Of the generator, if it differs.")
    constant: Fraction = Field(0.5, description="Share of the steps before the learning rate falls linearly to 0.")
    l1_weight: float = Field(100.0, ge=0, description="Of the L1 loss.")
    adversarial_weight: float = Field(1.0, ge=0, description="Of the adversarial loss; 0 trains no discriminator.")
    shift: int = Field(8, ge=0, description="Slices are moved by up to this many pixels.")
    zoom: float = Field(0.0, ge=0, lt=0.5, description="Slices are scaled by up to this fraction, either way.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of weights, order and augmentation.")
    generator: GeneratorSettings = GeneratorSettings()
    discriminator: DiscriminatorSettings = DiscriminatorSettings()

    @property
    def label_set(self) -> LabelSet:
        """The label set called `labels`."""
        if self.labels not in LABEL_SETS:
            there = ", ".join(LABEL_SETS)
            raise OasisGanError("recipe: labels", expected=f"one of {there}", found=self.labels, remedy="name one")
        return LABEL_SETS[self.labels]

    @property
    def multiple(self) -> int:
        """What rows and columns of the canvas are a multiple of."""
        return int(2**self.generator.levels)
