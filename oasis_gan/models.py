"""What a model plugin describes: a kind of model, how it is trained, and how a trained one translates slices."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from .datasets import Subject
from .errors import OasisGanError, one_line
from .intensity import Channels, LabelSet, Window
from .resampling import Canvas
from .slicing import Plane

Contrast = LabelSet | Window
_MAX_CARD = 2**20  # bytes


@dataclass(frozen=True)
class ModelCard:
    """What the tool has to know of a trained model to feed it and to read its answer.

    Args:
        name: Of the trained model.
        version: Of the trained model.
        source: What goes in: the label set or the window it was trained with.
        target: What comes out; the output is restored with it.
        output: The suffix its outputs carry in their names, such as ``T1w``.
        planes: In which it was trained; the first is the default.
        canvas: The in-plane grid it was trained on.
        weights_sha256: Of its weights.
    """

    name: str
    version: str
    source: Contrast
    target: Contrast
    output: str
    planes: tuple[Plane, ...]
    canvas: Canvas
    weights_sha256: str


class Translator(Protocol):
    """A trained model, ready to use: it sees an array and nothing else."""

    @property
    def card(self) -> ModelCard:
        """What it was trained on."""

    def translate(self, slices: Channels) -> Channels:
        """Return (n, rows, columns, target channels) in [0, 1] for (n, rows, columns, source channels) in [0, 1].

        The same slices give the same answer, whatever their neighbours in the batch.
        """


@dataclass(frozen=True)
class TrainingRequest:
    """What the tool asks a model kind to learn.

    Args:
        subjects: Pairs to learn from.
        validation: Pairs to measure on, never learnt from.
        out: The model folder to make; it does not exist yet, or is empty.
        recipe: The settings, as read from the user's TOML file and options; the kind validates them.
        report: Takes progress, a line each.
    """

    subjects: tuple[Subject, ...]
    validation: tuple[Subject, ...]
    out: Path
    recipe: Mapping[str, object]
    report: Callable[[str], None]


@dataclass(frozen=True)
class ModelKind:
    """A model plugin: one architecture, and the trained models that come with it.

    Args:
        name: The ``kind`` in a model folder's ``model.json``.
        summary: One line for ``oasis-gan plugins``.
        card: Returns what a folder says of the model in it, without loading it.
        load: Returns the model in a folder, ready to translate. Like ``card`` it raises `OasisGanError` if the
            folder cannot be trusted.
        train: Makes a model folder, or None where the kind cannot be trained.
        shipped: Names of trained models, and their folders.
    """

    name: str
    summary: str
    card: Callable[[Path], ModelCard]
    load: Callable[[Path], Translator]
    train: Callable[[TrainingRequest], None] | None = None
    shipped: Mapping[str, Path] = field(default_factory=dict)


def kind_of(folder: Path) -> str:
    """Return which kind of model lies in a folder: the ``kind`` in its ``model.json``.

    Raises:
        OasisGanError: If the folder or the file does not say.
    """
    path = folder / "model.json"
    try:
        with path.open("rb") as file:
            content = json.loads(file.read(_MAX_CARD))
        kind = content["kind"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        expected, remedy = "a model folder with a model.json", "see oasis-gan models, or name another folder"
        raise OasisGanError(path, expected=expected, found=one_line(error), remedy=remedy) from None
    return str(kind)
