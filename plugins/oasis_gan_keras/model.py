"""The interface that connects training to a kind of model."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from oasis_gan import Histogram, LabelSet, Window

from .hardware import ChosenPrecision
from .paired_slices import PairedSlices
from .replicas import Replicas
from .trainer import Arrays, Trainer


@dataclass(frozen=True, kw_only=True, eq=False)
class Preparation:
    """Everything that is needed to build a trainer.

    Args:
        pairs: The slices to train on.
        steps: The number of updates.
        replicas: The devices that train together.
        precision: The precision to compute in.
    """

    pairs: PairedSlices
    steps: int
    replicas: Replicas
    precision: ChosenPrecision


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedModel:
    """Everything that is needed to write a model folder.

    Args:
        folder: The folder to write. It may not exist yet, or may hold an earlier model.
        weights: The weights to translate with, by name.
        snapshots: The trainer's `snapshots`, by name.
        target: What the values of the target mean.
        histogram: The distribution to match outputs to, if the recipe asks for it.
        training: How the model was trained, on which subjects and with which recipe, as JSON.
        software: The versions of the packages that trained it, by name.
    """

    folder: Path
    weights: Arrays
    snapshots: Mapping[str, Arrays]
    target: LabelSet | Window
    histogram: Histogram | None
    training: Mapping[str, object]
    software: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class TrainableModel:
    """A kind of model that `train` can train.

    Args:
        build: A function that builds the trainer once the slices have been read.
        write: A function that writes a model folder.
        files: The names of the files that `write` writes, beginning with the one that describes the
            model.
    """

    build: Callable[[Preparation], Trainer]
    write: Callable[[TrainedModel], None]
    files: tuple[str, ...]
