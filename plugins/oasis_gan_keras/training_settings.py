"""The settings of a training that depend on no network: its data, their contrast, its steps."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import (
    AfterValidator,
    Field,
    PlainSerializer,
    PlainValidator,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticKnownError

from oasis_gan import ANCHORS, LABEL_SETS, OASIS, Canvas, LabelSet, Percentiles, Plane, TrainingData

from .limits import MAX_CONTEXT, MAX_NAME, MAX_OUTPUT, largest_canvas
from .settings import Fraction, Settings, require_unique_planes, setting_error

Side = Literal["labels", "image"]
_NAME = re.compile("[A-Za-z][A-Za-z0-9_-]*")


def _require_source_name(name: str) -> str:
    """Refuse a name that cannot be typed before ``=``."""
    if not _NAME.fullmatch(name) or len(name) > MAX_NAME:
        expected = f"names of up to {MAX_NAME} letters, digits, _ and -, beginning with a letter"
        raise setting_error("sources", expected, repr(name), "rename it")
    return name


SourceName = Annotated[str, AfterValidator(_require_source_name)]
"""What a recipe calls one of several sources."""


def _find_label_set(labels: object) -> LabelSet:
    """Return a label set, or the built-in one of a name. Sets of plugins come as they are: the tool finds those."""
    if isinstance(labels, LabelSet):
        return labels
    if not isinstance(labels, str):
        raise PydanticKnownError("string_type")
    known = LABEL_SETS.find(labels)
    if known is None:
        raise ValueError(f"one of {', '.join(LABEL_SETS)}")
    return known


NamedLabelSet = Annotated[
    LabelSet,
    PlainValidator(_find_label_set),
    PlainSerializer(lambda labels: labels.name, return_type=str),
]
"""A label set that a recipe file calls by its name."""


class HistogramSettings(Settings):
    """How intensities of whole outputs are brought to the distribution they have in the scans that are learnt from."""

    strength: Fraction = Field(
        0.0, description="How far outputs are brought to it, at the textured end."
    )
    subjects: tuple[str, ...] = Field(
        (), description="The scans to go by; all that are learnt from, if none is named."
    )


class AugmentationSettings(Settings):
    """How training slices are varied, source and target alike (section 6.2 of arXiv 1611.07004)."""

    enlarge: float = Field(
        1.0, ge=1, le=2, description="Every slice by this much; 286 / 256 in the Pix2Pix paper."
    )
    shift: int = Field(8, ge=0, le=256, description="Slices are moved by up to this many pixels.")
    zoom: float = Field(
        0.0, ge=0, lt=0.5, description="Every other slice is scaled by up to this fraction."
    )
    rotate: float = Field(
        0.0, ge=0, le=45, description="Slices are turned by up to this many degrees."
    )
    flip: bool = Field(
        True, description="Turn left and right over in half of the slices that show both."
    )
    intensity: float = Field(
        0.0, ge=0, le=0.5, description="Gain and gamma of source images vary by this fraction."
    )


class TrainingSettings(Settings):
    """All that makes a training run, apart from its data and its networks.

    A plugin derives its recipe from it and adds the settings of its networks and losses.
    """

    changeable: ClassVar[frozenset[str]] = frozenset(
        {
            "name",
            "version",
            "steps",
            "epochs",
            "learning_rate",
            "constant",
            "precision",
            "validate_every",
            "checkpoint_every",
            "keep",
            "patience",
            "select",
            "tensorboard",
        }
    )
    """What may change when a training is resumed: neither networks, nor what they are shown or trained for."""

    name: str = Field(
        "model",
        pattern=r"^[A-Za-z0-9._-]+$",
        max_length=MAX_NAME,
        description="Of the trained model.",
    )
    version: str = Field(
        "1", pattern=r"^[A-Za-z0-9.+-]+$", max_length=MAX_NAME, description="Of the trained model."
    )
    source: Side = Field("labels", description="What goes in: a label map, or an image.")
    sources: dict[SourceName, Side] = Field(
        {},
        description="Several sources instead: what each is, by name, the one that is translated first.",
    )
    target: Side = Field("image", description="What comes out.")
    labels: NamedLabelSet = Field(OASIS, description="The label set of the label maps.")
    contrast: Literal["anchored", "robust"] = Field(
        "anchored",
        description="Target intensities: tissue means on fixed anchors, or percentiles on 0 and 1 (robust), the "
        "default but from labels with CSF, GM and WM to an image.",
    )
    sharpness: float | None = Field(
        None,
        ge=1,
        le=3,
        description="Sharpen targets to this many times the gradient of their tissues' means.",
    )
    output: str = Field(
        "T1w",
        pattern=r"^[A-Za-z0-9]+$",
        max_length=MAX_OUTPUT,
        description="What the names of outputs end in; by default dseg for label maps, and image for images that are "
        "not anchored.",
    )
    planes: tuple[Plane, ...] = Field(
        tuple(Plane), min_length=1, description="To cut training slices in."
    )
    context: int = Field(
        0,
        ge=0,
        le=MAX_CONTEXT,
        description="Neighbouring slices on each side that the network sees too (2.5-D).",
    )
    spacing: float = Field(
        1.0, gt=0, le=100, description="Of the canvas the slices are laid on, mm."
    )
    size: int = Field(192, ge=1, le=4096, description="Rows and columns of that canvas, at least.")
    patch: int | None = Field(
        None, ge=1, le=4096, description="Train on random crops of this many rows and columns."
    )
    resolutions: tuple[Annotated[float, Field(gt=0, le=10)], ...] = Field(
        (), max_length=4, description="Learn each head at these voxel sizes as well, mm."
    )
    steps: int | None = Field(
        None, ge=1, description="Updates of each network; 4000 if there are no epochs either."
    )
    epochs: int | None = Field(
        None, ge=1, description="Times every slice is shown, instead of steps."
    )
    batch: int = Field(
        4,
        ge=1,
        le=256,
        description="Slices in an update, over all devices; 1 in the Pix2Pix paper.",
    )
    learning_rate: float = Field(2e-4, gt=0, le=1, description="Of Adam, with beta_1 = 0.5.")
    constant: Fraction = Field(
        0.5, description="Share of the steps before the learning rate falls linearly to 0."
    )
    averaging: float = Field(
        0.0, ge=0, lt=1, description="Decay of the moving average of weights that is kept; 0: none."
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Of the arithmetic; auto takes what the hardware is fast in, if that works.",
    )
    validate_every: int | None = Field(None, ge=1, description="Steps; an epoch if not given.")
    checkpoint_every: int = Field(500, ge=1, description="Steps between checkpoints.")
    keep: int = Field(3, ge=1, description="Checkpoints that are kept, the last ones.")
    patience: int | None = Field(
        None, ge=1, description="Stop after so many validations without a better one."
    )
    select: Literal["last", "best"] = Field("last", description="Which weights become the model.")
    tensorboard: bool = Field(False, description="Show losses and samples in TensorBoard too.")
    seed: int = Field(0, ge=0, lt=2**31, description="Of weights, order and augmentation.")
    histogram: HistogramSettings = HistogramSettings()
    augmentation: AugmentationSettings = AugmentationSettings()

    @property
    def multiple(self) -> int:
        """What rows and columns of the canvas are a multiple of; a network that halves slices needs more than 1."""
        return 1

    @property
    def full_size_channels(self) -> int:
        """Channels of source, target and the network's own layers at full size together."""
        target = self.label_set.channels if self.target == "labels" else 1
        return self.source_channels + target

    @property
    def named_sources(self) -> Mapping[str, Side]:
        """What each source is, by name, in the order of channels. A single source is called what it is."""
        return self.sources or {self.source: self.source}

    @property
    def data(self) -> TrainingData:
        """What the training learns from, for the tool that finds it."""
        return TrainingData(
            sources=self.named_sources, target=self.target, label_set=self.label_set
        )

    @property
    def encodings(self) -> Mapping[str, LabelSet | Percentiles]:
        """What the values of each source mean to the model, by name, in the order of channels."""
        return {
            name: self.label_set if side == "labels" else Percentiles()
            for name, side in self.named_sources.items()
        }

    @property
    def source_channels(self) -> int:
        """Channels of all sources together, of a slice and of its neighbours."""
        return (2 * self.context + 1) * sum(
            encoding.channels for encoding in self.encodings.values()
        )

    @property
    def middle_channels(self) -> Mapping[str, slice]:
        """Which channels of each source, by name, are those of the slice itself and not of its neighbours."""
        first = self.context * sum(encoding.channels for encoding in self.encodings.values())
        places = {}
        for name, encoding in self.encodings.items():
            places[name] = slice(first, first + encoding.channels)
            first += encoding.channels
        return places

    @property
    def support_channels(self) -> slice:
        """Which channels tell background: where those of the first source are all 0, whatever else is there."""
        return next(iter(self.middle_channels.values()))

    @property
    def canvas(self) -> Canvas:
        """What slices are laid on."""
        return Canvas(self.spacing, self.size, self.multiple)

    @property
    def label_set(self) -> LabelSet:
        """The label set of the label maps."""
        return self.labels

    def total_steps(self, slices: int) -> int:
        """Return how many updates there are when an epoch has so many slices."""
        return self.epochs * max(slices // self.batch, 1) if self.epochs else self.steps or 4000

    @model_validator(mode="before")
    @classmethod
    def _choose_defaults(cls, settings: Any) -> Any:  # noqa: ANN401 - whatever a TOML file holds
        """Fill in what depends on the direction."""
        if not isinstance(settings, dict):
            return settings
        chosen = dict(settings)
        sources = chosen.get("sources")
        if sources and isinstance(sources, dict):
            first = next(iter(sources.values()))
            # What it cannot be is told of sources, where it stands.
            if first in get_args(Side):
                chosen.setdefault("source", first)
        to_image = chosen.get("target", "image") == "image"
        from_tissues = chosen.get("source", "labels") == "labels" and _names_tissues(
            chosen.get("labels", OASIS)
        )
        chosen.setdefault("contrast", "anchored" if to_image and from_tissues else "robust")
        image = "T1w" if chosen["contrast"] == "anchored" else "image"
        chosen.setdefault("output", image if to_image else "dseg")
        return chosen

    @field_validator("planes")
    @classmethod
    def _each_once(cls, planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
        """Refuse a plane that is named twice."""
        return require_unique_planes(planes)

    @model_validator(mode="after")
    def _data_fit_together(self) -> Self:
        """Refuse settings of the data that contradict each other."""
        if self.steps is not None and self.epochs is not None:
            raise setting_error("steps", "steps or epochs", "both")
        self._require_pixels()
        if self.source != next(iter(self.named_sources.values())):
            expected = "what the first of sources is"
            raise setting_error(
                "source", expected, self.source, "leave it out, or list another source first"
            )
        if {*self.named_sources.values(), self.target} == {"labels"}:
            raise setting_error("target", "an image, where the source is labels", "labels")
        if (self.source, self.target) != ("labels", "image"):
            self._require_no_painting()
        elif self.contrast == "anchored" and not _names_tissues(self.labels):
            raise setting_error(
                "contrast", f"robust, for labels that do not name {', '.join(ANCHORS)}", "anchored"
            )
        if self.histogram.subjects and not self.histogram.strength:
            expected = "none, without a histogram.strength"
            raise setting_error("histogram.subjects", expected, ", ".join(self.histogram.subjects))
        return self

    def _require_pixels(self) -> None:
        """Refuse patches and canvases that the network cannot take."""
        if self.patch is not None and self.patch % self.multiple:
            raise setting_error(
                "patch", f"a multiple of {self.multiple} for this network", self.patch
            )
        pixels = self.canvas.pixels(0)
        largest = largest_canvas(self.full_size_channels)
        if pixels > largest:
            raise setting_error(
                "size",
                f"a canvas of up to {largest} pixels for these labels and this network",
                pixels,
            )

    def _require_no_painting(self) -> None:
        """Refuse what is only there where an image is made of labels."""
        if self.contrast == "anchored":
            raise setting_error(
                "contrast", "robust, where an image is not made of labels", "anchored"
            )
        if self.sharpness is not None:
            raise setting_error("sharpness", "none, but from labels to an image", self.sharpness)
        if self.histogram.strength:
            raise setting_error(
                "histogram.strength", "0, but from labels to an image", self.histogram.strength
            )


def _names_tissues(labels: object) -> bool:
    """Whether a label set names the tissues whose means can be anchored; one that is not known is refused elsewhere."""
    known = LABEL_SETS.find(labels) if isinstance(labels, str) else labels
    if not isinstance(known, LabelSet):
        return True
    return set(ANCHORS) <= {label.name for label in known.labels}
