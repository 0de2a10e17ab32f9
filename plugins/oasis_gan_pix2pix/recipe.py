"""The settings of a Pix2Pix model: what it is built like, and how it is trained. Every value is checked."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from oasis_gan_keras.limits import MAX_NAME, MAX_OUTPUT, largest_canvas
from oasis_gan_keras.sentences import describe_expected, describe_found, find_field, suggest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import PydanticCustomError, PydanticKnownError

from oasis_gan import ANCHORS, LABEL_SETS, Canvas, LabelSet, OasisGanError, Percentiles, Plane

from .convolutions import DOUBLINGS
from .norms import NORMS

Fraction = Annotated[float, Field(ge=0, le=1)]
Side = Literal["labels", "image"]


def _named_in(table: Mapping[str, object]) -> AfterValidator:
    """Return a check that a setting is one of the names in a table, with what was added to it since."""

    def check(name: str) -> str:
        if name not in table:
            raise PydanticKnownError("literal_error", {"expected": " or ".join(map(repr, table))})
        return name

    return AfterValidator(check)


NormName = Annotated[str, _named_in(NORMS)]
DoublingName = Annotated[str, _named_in(DOUBLINGS)]


_SMALLEST = {1: 1, 16: 6, 34: 12, 70: 24, 142: 48, 286: 96}
"""Rows and columns that a discriminator needs to give a logit at all, by its receptive field."""


class Settings(BaseModel):
    """Settings that cannot be changed once made, and refuse names they do not know."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class NetworkSettings(Settings):
    """What both networks have: Ck in the paper is a convolution of k filters, its norm, and its activation."""

    filters: int = Field(32, ge=1, le=256, description="Of the outermost level, `ngf` and `ndf`; 64 in the paper.")
    norm: NormName = Field("instance", description="After each inner convolution.")
    leak: float = Field(0.2, ge=0, lt=1, description="Slope of the leaky ReLUs below 0.")
    momentum: float = Field(0.9, ge=0, lt=1, description="Of the moving statistics of batch norm.")
    epsilon: float = Field(1e-5, gt=0, le=0.1, description="Added to the variance in a norm.")


class GeneratorSettings(NetworkSettings):
    """The generator (section 6.1.1 of the paper)."""

    architecture: Literal["u-net", "encoder-decoder"] = Field("u-net", description="With skip connections, or without.")
    levels: int = Field(6, ge=1, le=10, description="Times the slice is halved; 8 in the paper.")
    widest: int = Field(8, ge=1, le=64, description="Filters double at each level up to this many times `filters`.")
    upsample: DoublingName = Field("resize", description="How the decoder doubles its size.")
    full_skip: bool = Field(True, description="Show the U-Net's last step the input itself, at full size.")
    innermost_norm: bool = Field(False, description="Norm the innermost block too; the paper's erratum says not to.")
    noise: bool = Field(False, description="Show the U-Net's last step noise as well, to make texture of.")
    dropout: Fraction = Field(0.0, description="In the three innermost decoder blocks; 0.5 in the paper.")
    test_as_training: bool = Field(
        False, description="Translate with dropout and each slice's own statistics, as the paper does."
    )

    @property
    def skips_whole(self) -> bool:
        """Whether the last step sees the input at full size."""
        return self.architecture == "u-net" and self.full_skip

    @property
    def full_size_filters(self) -> int:
        """Filters of the narrow block that stands before the output, where the decoder has one at full size."""
        return max(self.filters // 2, 1)


class DiscriminatorSettings(NetworkSettings):
    """The discriminator (section 6.1.2 of the paper)."""

    receptive_field: Literal[1, 16, 34, 70, 142, 286] = Field(
        70, description="Pixels across that one logit sees: 1 is the PixelGAN, 286 the ImageGAN."
    )
    sees: Literal["image", "residual"] = Field(
        "image", description="The image, or what the source does not tell of it by a linear guess."
    )


class LossSettings(Settings):
    """What both networks are trained for (equations 1 to 4 of the paper)."""

    objective: Literal["L1", "GAN", "cGAN", "L1+GAN", "L1+cGAN"] = Field(
        "L1+cGAN", description="cGAN shows the discriminator the source, GAN does not."
    )
    gan: Literal["bce", "least-squares"] = Field("bce", description="Cross-entropy, or squares (arXiv 1611.04076).")
    l1_weight: float = Field(100.0, ge=0, description="Of the L1 loss, lambda in the paper.")
    gan_weight: float = Field(1.0, ge=0, description="Of the generator's adversarial loss.")
    halved: bool = Field(True, description="Halve the discriminator's loss, as the paper does.")
    prior: Fraction = Field(
        0.0, description="Share of a blurred linear guess in the image to come near: what few heads teach is shrunk."
    )
    texture_weight: float = Field(
        0.0, ge=0, description="Of how differently intensities, and their changes from pixel to pixel, are distributed."
    )
    roughness: float = Field(
        1.0,
        ge=0.5,
        le=2,
        description="Times the changes of real slices, to make up for a smoother look of other heads.",
    )

    @property
    def pixelwise(self) -> bool:
        """Whether the generated image is compared with the real one."""
        return "L1" in self.objective

    @property
    def adversarial(self) -> bool:
        """Whether there is a discriminator."""
        return "GAN" in self.objective

    @property
    def conditional(self) -> bool:
        """Whether the discriminator sees the source."""
        return "cGAN" in self.objective


class SmoothSettings(Settings):
    """Updates before those with the adversarial loss; what is learnt by then is the smooth end of texture."""

    steps: int = Field(0, ge=0, description="How many of the steps; 0 for none.")
    learning_rate: float = Field(5e-4, gt=0, le=1, description="Of the generator in them.")
    texture: Fraction = Field(1.0, description="Where `run` lies by default, between that end, 0, and the other, 1.")


class HistogramSettings(Settings):
    """How intensities of whole outputs are brought to the distribution they have in the scans that are learnt from."""

    strength: Fraction = Field(0.0, description="How far outputs are brought to it, at the textured end.")
    subjects: tuple[str, ...] = Field((), description="The scans to go by; all that are learnt from, if none is named.")


class AugmentationSettings(Settings):
    """How training slices are varied, source and target alike (section 6.2 of the paper)."""

    enlarge: float = Field(1.0, ge=1, le=2, description="Every slice by this much; 286 / 256 in the paper.")
    shift: int = Field(8, ge=0, le=256, description="Slices are moved by up to this many pixels.")
    zoom: float = Field(0.0, ge=0, lt=0.5, description="Every other slice is scaled by up to this fraction.")
    rotate: float = Field(0.0, ge=0, le=45, description="Slices are turned by up to this many degrees.")
    flip: bool = Field(True, description="Turn left and right over in half of the slices that show both.")
    intensity: float = Field(0.0, ge=0, le=0.5, description="Gain and gamma of source images vary by this fraction.")


class Recipe(Settings):
    """All that makes a training run, apart from its data."""

    name: str = Field("model", pattern=r"^[A-Za-z0-9._-]+$", max_length=MAX_NAME, description="Of the trained model.")
    version: str = Field("1", pattern=r"^[A-Za-z0-9.+-]+$", max_length=MAX_NAME, description="Of the trained model.")
    source: Side = Field("labels", description="What goes in: a label map, or an image.")
    target: Side = Field("image", description="What comes out.")
    labels: str = Field("oasis", description="The label set of the label maps.")
    contrast: Literal["anchored", "robust"] = Field(
        "anchored",
        description="Target intensities: tissue means on fixed anchors, or percentiles on 0 and 1 (robust), the "
        "default but from labels with CSF, GM and WM to an image.",
    )
    sharpness: float | None = Field(
        None, ge=1, le=3, description="Sharpen targets to this many times the gradient of their tissues' means."
    )
    output: str = Field(
        "T1w",
        pattern=r"^[A-Za-z0-9]+$",
        max_length=MAX_OUTPUT,
        description="What the names of outputs end in; by default dseg for label maps, and image for images that are "
        "not anchored.",
    )
    planes: tuple[Plane, ...] = Field(tuple(Plane), min_length=1, description="To cut training slices in.")
    spacing: float = Field(1.0, gt=0, le=100, description="Of the canvas the slices are laid on, mm.")
    size: int = Field(192, ge=1, le=4096, description="Rows and columns of that canvas, at least.")
    patch: int | None = Field(None, ge=1, le=4096, description="Train on random crops of this many rows and columns.")
    resolutions: tuple[Annotated[float, Field(gt=0, le=10)], ...] = Field(
        (), max_length=4, description="Learn each head at these voxel sizes as well, mm."
    )
    steps: int | None = Field(None, ge=1, description="Updates of each network; 4000 if there are no epochs either.")
    epochs: int | None = Field(None, ge=1, description="Times every slice is shown, instead of steps.")
    batch: int = Field(4, ge=1, le=256, description="Slices in an update, over all devices; 1 in the paper.")
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Of Adam for both networks, with beta_1 = 0.5.")
    generator_learning_rate: float | None = Field(None, gt=0, le=1, description="Of the generator, if it differs.")
    constant: Fraction = Field(0.5, description="Share of the steps before the learning rate falls linearly to 0.")
    averaging: float = Field(
        0.0, ge=0, lt=1, description="Decay of the moving average of weights that is kept; 0: none."
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto", description="Of the arithmetic; auto takes what the hardware is fast in, if that works."
    )
    validate_every: int | None = Field(None, ge=1, description="Steps; an epoch if not given.")
    checkpoint_every: int = Field(500, ge=1, description="Steps between checkpoints.")
    keep: int = Field(3, ge=1, description="Checkpoints that are kept, the last ones.")
    patience: int | None = Field(None, ge=1, description="Stop after so many validations without a better one.")
    select: Literal["last", "best"] = Field("last", description="Which weights become the model.")
    tensorboard: bool = Field(False, description="Show losses and samples in TensorBoard too.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of weights, order and augmentation.")
    generator: GeneratorSettings = GeneratorSettings()
    discriminator: DiscriminatorSettings = DiscriminatorSettings()
    loss: LossSettings = LossSettings()
    smooth: SmoothSettings = SmoothSettings()
    histogram: HistogramSettings = HistogramSettings()
    augmentation: AugmentationSettings = AugmentationSettings()

    @model_validator(mode="before")
    @classmethod
    def _choose_defaults(cls, settings: Any) -> Any:  # noqa: ANN401 - whatever a TOML file holds
        """Fill in what depends on the direction."""
        if not isinstance(settings, dict):
            return settings
        chosen = dict(settings)
        to_image = chosen.get("target", "image") == "image"
        from_tissues = chosen.get("source", "labels") == "labels" and _names_tissues(chosen.get("labels", "oasis"))
        chosen.setdefault("contrast", "anchored" if to_image and from_tissues else "robust")
        image = "T1w" if chosen["contrast"] == "anchored" else "image"
        chosen.setdefault("output", image if to_image else "dseg")
        return chosen

    @model_validator(mode="after")
    def _fits_together(self) -> Self:
        """Refuse settings that contradict each other."""
        loss, sees, field = self.loss, self.discriminator.sees, self.discriminator.receptive_field
        if self.steps is not None and self.epochs is not None:
            raise at_odds("steps", "steps or epochs", "both")
        if self.patch is not None and self.patch % self.multiple:
            expected = f"a multiple of {self.multiple} for {self.generator.levels} levels"
            raise at_odds("patch", expected, self.patch)
        if self.contrast == "anchored":
            self._require_tissues()
        pixels = Canvas(self.spacing, self.size, self.multiple).pixels(0)
        largest = largest_canvas(self._channels)
        if pixels > largest:
            expected = f"a canvas of up to {largest} pixels for these labels, filters and levels"
            raise at_odds("size", expected, pixels)
        if self.sharpness is not None and (self.source, self.target) != ("labels", "image"):
            raise at_odds("sharpness", "none, but from labels to an image", self.sharpness)
        if self.histogram.strength and (self.source, self.target) != ("labels", "image"):
            raise at_odds("histogram.strength", "0, but from labels to an image", self.histogram.strength)
        if self.histogram.subjects and not self.histogram.strength:
            expected = "none, without a histogram.strength"
            raise at_odds("histogram.subjects", expected, ", ".join(self.histogram.subjects))
        if self.source == self.target == "labels":
            raise at_odds("target", "an image, where the source is labels", "labels")
        needed = _SMALLEST[field]
        if loss.adversarial and (self.patch or self.size) < needed:
            where, found = ("patch", self.patch) if self.patch else ("size", self.size)
            raise at_odds(where, f"at least {needed} for a discriminator.receptive_field of {field}", found)
        if sees == "residual" and loss.adversarial and not loss.conditional:
            raise at_odds("discriminator.sees", f"image, for a {loss.objective} that is not shown the source", sees)
        if loss.texture_weight and not loss.adversarial:
            raise at_odds("loss.texture_weight", "0, for an objective without a discriminator", loss.texture_weight)
        if loss.roughness != 1 and not loss.texture_weight:
            raise at_odds("loss.roughness", "1, without a loss.texture_weight", loss.roughness)
        if self.generator.noise and not self.generator.skips_whole:
            without = f"{self.generator.architecture}, full_skip {self.generator.full_skip}"
            raise at_odds("generator.noise", "a u-net with full_skip", without)
        if self.smooth.steps and not (loss.adversarial and loss.pixelwise):
            expected = "0, for an objective that has not both L1 and a discriminator"
            raise at_odds("smooth.steps", expected, self.smooth.steps)
        if self.steps is not None and self.smooth.steps >= self.steps:
            raise at_odds("smooth.steps", f"fewer than the {self.steps} steps", self.smooth.steps)
        return self

    def _require_tissues(self) -> None:
        """Refuse to anchor the means of tissues that nobody knows."""
        if (self.source, self.target) != ("labels", "image"):
            raise at_odds("contrast", "robust, where an image is not made of labels", "anchored")
        if not _names_tissues(self.labels):
            raise at_odds("contrast", f"robust, for labels that do not name {', '.join(ANCHORS)}", "anchored")

    @property
    def _channels(self) -> int:
        """Channels of source, target and the generator's layer at full size together."""
        labels = self.label_set.channels
        sides = [labels if side == "labels" else 1 for side in (self.source, self.target)]
        return sum(sides) + self.generator.full_size_filters

    @field_validator("planes")
    @classmethod
    def _each_once(cls, planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
        """Refuse a plane that is named twice."""
        return require_each_once(planes)

    @field_validator("labels")
    @classmethod
    def _known(cls, name: str) -> str:
        """Refuse a label set that there is not."""
        if name not in LABEL_SETS:
            raise ValueError(f"one of {', '.join(LABEL_SETS)}")
        return name

    @property
    def label_set(self) -> LabelSet:
        """The label set called `labels`."""
        return LABEL_SETS[self.labels]

    @property
    def source_contrast(self) -> LabelSet | Percentiles:
        """What the source's values mean to the model."""
        return self.label_set if self.source == "labels" else Percentiles()

    @property
    def multiple(self) -> int:
        """What rows and columns of the canvas are a multiple of."""
        return int(2**self.generator.levels)

    def total_steps(self, slices: int) -> int:
        """Return how many updates there are when an epoch has so many slices."""
        return self.epochs * max(slices // self.batch, 1) if self.epochs else self.steps or 4000


def _names_tissues(labels: object) -> bool:
    """Whether a label set names the tissues whose means can be anchored; one that is not known is refused elsewhere."""
    known = LABEL_SETS.get(labels) if isinstance(labels, str) else None
    return known is None or set(ANCHORS) <= {label.name for label in known.labels}


def parse_recipe(settings: Any) -> Recipe:  # noqa: ANN401 - whatever a TOML file holds
    """Return checked settings, or raise `OasisGanError` naming the first that is wrong."""
    try:
        return Recipe.model_validate(settings)
    except ValidationError as error:
        details = error.errors()[0]
        raise OasisGanError(
            f"recipe: {find_field(details)}".removesuffix(": "),
            expected=describe_expected(details),
            found=describe_found(details),
            remedy=suggest(details, Recipe),
        ) from None


def require_each_once(planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
    """Return planes, or raise what pydantic reports if one is there twice."""
    for plane in planes:
        if planes.count(plane) > 1:
            times = "twice" if planes.count(plane) == 2 else f"{planes.count(plane)} times"
            raise at_odds("planes", "each plane once", f"{plane} {times}")
    return planes


def at_odds(where: str, expected: str, found: object) -> PydanticCustomError:
    """Return what pydantic raises where one setting does not go with another."""
    return PydanticCustomError("at_odds", "{expected}", {"where": where, "expected": expected, "found": str(found)})
