"""The settings of a training that do not depend on its networks: data, contrasts and steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, get_args

from pydantic import Field, field_validator, model_validator

from oasis_gan import (
    ANCHORS,
    LABEL_SETS,
    OASIS,
    Canvas,
    LabelSet,
    Percentiles,
    Plane,
    TrainingData,
)

from .augmentation_settings import AugmentationSettings
from .limits import MAX_CONTEXT, MAX_NAME, MAX_OUTPUT, find_largest_canvas
from .renamed_settings import RENAMED_SETTINGS
from .setting_types import NamedLabelSet, Side, SourceName
from .settings import Fraction, Settings, require_unique_planes, setting_error


class HistogramSettings(Settings):
    """Settings that match whole outputs to the intensity distribution of the training scans."""

    strength: Fraction = Field(
        0.0,
        description="How far outputs are matched to the histogram of training scans, at the "
        "textured end.",
    )
    subjects: tuple[str, ...] = Field(
        (),
        description="Subjects whose scans give the histogram; all training subjects if none is "
        "named.",
    )


class TrainingSettings(Settings):
    """The settings that all training runs have, whatever their networks and losses.

    A plugin derives its recipe from this class, and adds the settings of its networks and losses.
    """

    changeable: ClassVar[frozenset[str]] = frozenset(
        {
            "name",
            "version",
            "steps",
            "epochs",
            "learning_rate",
            "decay_start",
            "precision",
            "validate_every",
            "checkpoint_every",
            "keep_checkpoints",
            "patience",
            "select",
            "tensorboard",
        }
    )
    """The settings that may change when a training is resumed.

    Networks, data and losses have to stay the same.
    """
    renamed: ClassVar[Mapping[str, str]] = RENAMED_SETTINGS

    name: str = Field(
        "model",
        pattern=r"^[A-Za-z0-9._-]+$",
        max_length=MAX_NAME,
        description="Name the trained model.",
    )
    version: str = Field(
        "1",
        pattern=r"^[A-Za-z0-9.+-]+$",
        max_length=MAX_NAME,
        description="Set the version of the trained model.",
    )
    source: Side = Field(
        "labels", description="Set the kind of the source: a label map, or an image."
    )
    sources: dict[SourceName, Side] = Field(
        {},
        description="Use several named sources instead, and set the kind of each. The first "
        "one is translated.",
    )
    target: Side = Field(
        "image", description="Set the kind of the target: an image, or a label map."
    )
    labels: NamedLabelSet = Field(OASIS, description="Read the label maps with this label set.")
    contrast: Literal["anchored", "robust"] = Field(
        "anchored",
        description="How target intensities are scaled: anchored puts tissue means on fixed "
        "values, robust puts percentiles on 0 and 1. Robust is the default unless labels with "
        "CSF, GM and WM become an image.",
    )
    sharpness: float | None = Field(
        None,
        ge=1,
        le=3,
        description="Sharpen targets until their gradient is this multiple of that of their "
        "tissue means.",
    )
    output: str = Field(
        "T1w",
        pattern=r"^[A-Za-z0-9]+$",
        max_length=MAX_OUTPUT,
        description="End the names of outputs with this suffix; by default dseg for label "
        "maps, and image for images that are not anchored.",
    )
    planes: tuple[Plane, ...] = Field(
        tuple(Plane), min_length=1, description="Planes in which training slices are cut."
    )
    context: int = Field(
        0,
        ge=0,
        le=MAX_CONTEXT,
        description="Neighbouring slices on each side that the network sees too (2.5-D).",
    )
    spacing: float = Field(
        1.0, gt=0, le=100, description="Pixel size of the canvas that slices are placed on, in mm."
    )
    size: int = Field(
        192,
        ge=1,
        le=4096,
        description="Rows and columns of the canvas, which grows for larger slices.",
    )
    patch: int | None = Field(
        None, ge=1, le=4096, description="Train on random crops of this many rows and columns."
    )
    resolutions: tuple[Annotated[float, Field(gt=0, le=10)], ...] = Field(
        (), max_length=4, description="Train on each head at these voxel sizes too, in mm."
    )
    steps: int | None = Field(
        None,
        ge=1,
        description="Number of updates of each network; 4000 if neither steps nor epochs are "
        "given.",
    )
    epochs: int | None = Field(
        None, ge=1, description="Show every slice this many times, instead of setting steps."
    )
    batch: int = Field(
        4,
        ge=1,
        le=256,
        description="Use this many slices per update, over all devices; 1 in the Pix2Pix paper.",
    )
    learning_rate: float = Field(
        2e-4, gt=0, le=1, description="Train with this learning rate of Adam, whose beta_1 is 0.5."
    )
    decay_start: Fraction = Field(
        0.5, description="Fraction of the steps after which the learning rate falls linearly to 0."
    )
    ema_decay: float = Field(
        0.0,
        ge=0,
        lt=1,
        description="Decay of the moving average of weights that becomes the model; 0 for no "
        "averaging.",
    )
    precision: Literal["auto", "float32", "bfloat16", "float16"] = Field(
        "auto",
        description="Precision of the arithmetic; auto chooses the one that is fastest on the "
        "hardware.",
    )
    validate_every: int | None = Field(
        None,
        ge=1,
        description="Validate at intervals of this many steps; once an epoch if not given.",
    )
    checkpoint_every: int = Field(
        500, ge=1, description="Save checkpoints at intervals of this many steps."
    )
    keep_checkpoints: int = Field(
        3, ge=1, description="Number of checkpoints to keep; older ones are deleted."
    )
    patience: int | None = Field(
        None, ge=1, description="Stop after this many validations without an improvement."
    )
    select: Literal["last", "best"] = Field(
        "last",
        description="Use these weights for the model: the last, or those with the best validation.",
    )
    tensorboard: bool = Field(False, description="Write losses and pictures for TensorBoard too.")
    seed: int = Field(
        0,
        ge=0,
        lt=2**31,
        description="Seed the initial weights, the order of slices and the augmentation.",
    )
    histogram: HistogramSettings = HistogramSettings()
    augmentation: AugmentationSettings = AugmentationSettings()

    @property
    def multiple(self) -> int:
        """The number of which rows and columns of the canvas are multiples.

        It is more than 1 if the network halves slices.
        """
        return 1

    @property
    def full_size_channels(self) -> int:
        """Return how many channels source, target and network have together at full size."""
        target_channels = self.label_set.channels if self.target == "labels" else 1
        return self.source_channels + target_channels

    @property
    def named_sources(self) -> Mapping[str, Side]:
        """Return the kind of each source by name, in the order of channels.

        A single source is named after its kind.
        """
        return self.sources or {self.source: self.source}

    @property
    def data(self) -> TrainingData:
        """The data that the training needs, which the tool finds and reads."""
        return TrainingData(
            sources=self.named_sources, target=self.target, label_set=self.label_set
        )

    @property
    def encodings(self) -> Mapping[str, LabelSet | Percentiles]:
        """Return the encoding of each source by name, in the order of channels."""
        return {
            name: self.label_set if side == "labels" else Percentiles()
            for name, side in self.named_sources.items()
        }

    @property
    def slice_channels(self) -> int:
        """Return the number of channels of all sources, of one slice."""
        return sum(encoding.channels for encoding in self.encodings.values())

    @property
    def source_channels(self) -> int:
        """Return the number of channels of all sources, of a slice and its neighbours."""
        slices = 2 * self.context + 1
        return slices * self.slice_channels

    @property
    def middle_channels(self) -> Mapping[str, slice]:
        """Return the channels of each source, by name, without those of neighbouring slices."""
        # The slices before the middle one come first.
        first = self.context * self.slice_channels
        places: dict[str, slice] = {}
        for name, encoding in self.encodings.items():
            places[name] = slice(first, first + encoding.channels)
            first += encoding.channels
        return places

    @property
    def mask_channels(self) -> slice:
        """The channels of the first source: a pixel is background where all of them are 0."""
        return next(iter(self.middle_channels.values()))

    @property
    def canvas(self) -> Canvas:
        """Return the canvas for the slices."""
        return Canvas(self.spacing, self.size, self.multiple)

    @property
    def label_set(self) -> LabelSet:
        """Return the label set of the label maps."""
        return self.labels

    def updates_per_epoch(self, slices: int) -> int:
        """Return the number of updates in an epoch that has so many slices."""
        return max(slices // self.batch, 1)

    def total_steps(self, slices: int) -> int:
        """Return the number of updates if an epoch has so many slices."""
        if self.epochs:
            return self.epochs * self.updates_per_epoch(slices)
        return self.steps or 4000

    @model_validator(mode="before")
    @classmethod
    def _choose_defaults(cls, settings: Any) -> Any:  # noqa: ANN401 - whatever a TOML file holds
        """Fill in the defaults that depend on the kinds of source and target."""
        if not isinstance(settings, dict):
            return settings
        chosen = dict(settings)
        sources = chosen.get("sources")
        if sources and isinstance(sources, dict):
            first = next(iter(sources.values()))
            # An invalid kind is reported as an error of `sources`, where it was given.
            if first in get_args(Side):
                chosen.setdefault("source", first)
        to_image = chosen.get("target", "image") == "image"
        from_labels = chosen.get("source", "labels") == "labels"
        from_tissues = from_labels and _names_tissues(chosen.get("labels", OASIS))
        chosen.setdefault("contrast", "anchored" if to_image and from_tissues else "robust")
        image_output = "T1w" if chosen["contrast"] == "anchored" else "image"
        chosen.setdefault("output", image_output if to_image else "dseg")
        return chosen

    @field_validator("planes")
    @classmethod
    def _each_once(cls, planes: tuple[Plane, ...]) -> tuple[Plane, ...]:
        """Reject repeated planes."""
        return require_unique_planes(planes)

    @model_validator(mode="after")
    def _data_fit_together(self) -> Self:
        """Reject settings of the data that contradict each other."""
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
            named = ", ".join(self.histogram.subjects)
            raise setting_error("histogram.subjects", expected, named)
        return self

    def _require_pixels(self) -> None:
        """Reject patches and canvases that the network cannot process."""
        if self.patch is not None and self.patch % self.multiple:
            raise setting_error(
                "patch", f"a multiple of {self.multiple} for this network", self.patch
            )
        pixels = self.canvas.round_up(0)
        largest = find_largest_canvas(self.full_size_channels)
        if pixels > largest:
            raise setting_error(
                "size",
                f"a canvas of up to {largest} pixels for these labels and this network",
                pixels,
            )

    def _require_no_painting(self) -> None:
        """Reject settings that only apply if labels become an image."""
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
    """Whether a label set names the tissues whose means can be anchored.

    An unknown set is rejected elsewhere.
    """
    known = LABEL_SETS.find(labels) if isinstance(labels, str) else labels
    if not isinstance(known, LabelSet):
        return True
    return set(ANCHORS) <= {label.name for label in known.labels}
