"""What training gives to a kind of model, and takes from it."""

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
    """What a trainer is made of.

    Args:
        pairs: The slices to learn from.
        steps: How many updates there will be.
        replicas: The devices that learn together.
        precision: To compute in.
    """

    pairs: PairedSlices
    steps: int
    replicas: Replicas
    precision: ChosenPrecision


@dataclass(frozen=True, kw_only=True, eq=False)
class TrainedModel:
    """What a model folder is written of.

    Args:
        folder: To write to; it may hold an earlier model, and need not be there.
        weights: To translate with, by name.
        snapshots: The trainer's `snapshots`, by name.
        target: What the values of the target mean.
        histogram: What outputs are brought to, if the recipe says so.
        training: How the model was trained, on whom and by which recipe; JSON.
        software: Versions of the packages it was trained with, by name.
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
        build: Makes the trainer, once the slices are read.
        write: Writes a model folder.
        files: The names of the files that `write` writes, that which describes the model first.
    """

    build: Callable[[Preparation], Trainer]
    write: Callable[[TrainedModel], None]
    files: tuple[str, ...]
