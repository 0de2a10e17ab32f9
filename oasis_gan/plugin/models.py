"""What a model plugin describes: a kind of model, how it is trained, and how a trained one translates slices."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..errors import OasisGanError, one_line
from ..image.canvas import Canvas
from ..image.choices import Plane
from ..image.histogram import Histogram
from ..image.intensity import Percentiles, Window
from ..image.labels import LabelSet
from ..image.volume import Channels, Mask
from ..io.files import read_small
from ..io.strict_json import require_unique_keys
from .datasets import Subject

Source = LabelSet | Percentiles | Window
Target = LabelSet | Window
_MAX_CARD = 2**20  # bytes


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """What the tool has to know of a trained model to feed it and to read its answer.

    Args:
        name: Of the trained model.
        version: Of the trained model.
        source: What goes in: the label set it was trained with, or how intensities were brought into [0, 1].
        target: What comes out; the output is restored with it.
        output: The suffix its outputs carry in their names, such as ``T1w``.
        planes: In which it was trained; the first is the default.
        canvas: The in-plane grid it was trained on.
        weights_sha256: Of its weights.
        texture: Where it lies between smooth, 0, and textured, 1; None where there is no choice.
        histogram: What the intensities of a whole output are brought to; None: to nothing. For models that make images
            of labels.
        note: What a user should know before trusting the model, such as that its training is not finished.

    Raises:
        ValueError: If there is a histogram, and no labels to images.
    """

    name: str
    version: str
    source: Source
    target: Target
    output: str
    planes: tuple[Plane, ...]
    canvas: Canvas
    weights_sha256: str
    texture: float | None = None
    histogram: Histogram | None = None
    note: str = ""

    def __post_init__(self) -> None:
        if self.histogram and not (isinstance(self.source, LabelSet) and isinstance(self.target, Window)):
            raise ValueError("expected a histogram for a model from labels to images alone")


@dataclass(frozen=True)
class Computation:
    """How a translator computes; the file beside each output records it.

    Args:
        precision: The number format of the arithmetic, such as ``float32`` or ``bfloat16``. Outputs computed in
            different precisions are different outputs.
        software: The versions of the packages that compute, by name, such as ``{"tensorflow": "2.21.0"}``.
        threads: On how many threads.
        note: A line for the user if the precision is not the one that was requested; empty if it is.
    """

    precision: str
    software: Mapping[str, str]
    threads: int
    note: str = ""

    def record(self) -> dict[str, object]:
        """Return what is recorded about the machine: no two outputs are different because of it."""
        return {"software": dict(self.software), "threads": self.threads}


class Translator(Protocol):
    """A trained model, ready to use: it sees an array and nothing else.

    A translator may also have an attribute ``computation``, a `Computation`. The file beside each output then says how
    the output was computed, and outputs of another precision are not taken for outputs that are already there.
    """

    @property
    def card(self) -> ModelCard:
        """What it was trained on."""

    def translate(self, slices: Channels, wanted: Mask) -> Channels:
        """Return (n, rows, columns, target channels) in [0, 1].

        The same slices give the same answer, whatever their neighbours in the batch.

        Args:
            slices: (n, rows, columns, source channels) in [0, 1].
            wanted: The pixels (n, rows, columns) whose answer is kept. Elsewhere any finite number will do: a model may
                save time there, or ignore this.
        """


def computation_of(translator: Translator) -> Computation | None:
    """Return how a translator computes, or None if it does not say.

    Raises:
        OasisGanError: If it says so in something other than a `Computation`.
    """
    computation: object = getattr(translator, "computation", None)
    if computation is None or isinstance(computation, Computation):
        return computation
    where, found = type(translator).__name__, type(computation).__name__
    raise OasisGanError(where, expected="a Computation", found=found, remedy="fix the model plugin")


def _unseen(step: int, steps: int, doing: str) -> None:
    """Ignore progress."""


def _never() -> bool:
    """Go on."""
    return False


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What the tool asks a model kind to learn.

    Args:
        subjects: Pairs to learn from.
        validation: Pairs to measure on, never learnt from.
        out: The model folder to make; it is there, and holds what was asked for and the split.
        recipe: The settings, as read from the user's TOML file and options; the kind validates them.
            ``labels`` among them is the name of the label set that sources were converted to, else it is `OASIS`;
            ``source`` and ``target`` say ``labels`` or ``image``.
        report: Takes what is worth keeping, a line each.
        progress: Takes the step that is done, of how many, and a few words such as ``L1 0.0113``; as often as it likes.
        resume: Whether to go on with the run that was begun in ``out``.
        stop_requested: Whether a signal asks to stop. A kind that asks this after each step saves what it has and
            returns once it is so; one that never asks is interrupted wherever it is.
    """

    subjects: tuple[Subject, ...]
    validation: tuple[Subject, ...]
    out: Path
    recipe: Mapping[str, object]
    report: Callable[[str], None]
    progress: Callable[[int, int, str], None] = _unseen
    resume: bool = False
    stop_requested: Callable[[], bool] = _never


LOAD_OPTIONS = ("texture", "precision")
"""What `ModelKind.load` may be asked for.

``texture`` is a number between 0, smooth, and 1, textured, for models whose card has one. ``precision`` is ``float32``,
``bfloat16``, or ``auto``, what the machine is fast in.
"""


@dataclass(frozen=True, kw_only=True)
class ModelKind:
    """A model plugin: one architecture, and the trained models that come with it.

    Args:
        name: The ``kind`` in a model folder's ``model.json``.
        summary: One line for ``oasis-gan plugins``.
        card: Returns what a folder says of the model in it, without loading it.
        load: Returns the model in a folder, ready to translate. Called with the folder, and with a keyword argument
            for each of ``options`` that the user gave; what the user did not give, it chooses itself. Like ``card`` it
            raises `OasisGanError` if the folder cannot be trusted.
        train: Makes a model folder, or None where the kind cannot be trained.
        shipped: Names of trained models, and their folders.
        presets: Names of settings to train with, and TOML files that hold them.
        exports: Formats for other software, and what writes the model in a folder as a new file or folder. What it
            leaves there takes its final name once it returns, and is thrown away if it raises.
        check_settings: Raises `OasisGanError` naming the first setting of a recipe that is wrong; quick, for it comes
            before anything is read. May return all settings, those that the user left out among them.
        options: The keyword arguments that ``load`` takes, out of `LOAD_OPTIONS`. A kind that takes ``precision``
            computes in float32 when it is not given.
        check_resume: Raises `OasisGanError` if the training in a folder cannot go on with other settings. Called with
            the folder, the settings so far and the new ones, before anything is read or written.
        leads: Whether this process writes the model folder when it trains; of several that train together, one does.
            Always, if not given.
    """

    name: str
    summary: str
    card: Callable[[Path], ModelCard]
    load: Callable[..., Translator]
    train: Callable[[TrainingRequest], None] | None = None
    shipped: Mapping[str, Path] = field(default_factory=dict)
    presets: Mapping[str, Path] = field(default_factory=dict)
    exports: Mapping[str, Callable[[Path, Path], None]] = field(default_factory=dict)
    check_settings: Callable[[Mapping[str, object]], Mapping[str, object] | None] | None = None
    options: tuple[str, ...] = ()
    check_resume: Callable[[Path, Mapping[str, object], Mapping[str, object]], None] | None = None
    leads: Callable[[], bool] | None = None


def kind_of(folder: Path) -> str:
    """Return which kind of model lies in a folder: the ``kind`` in its ``model.json``.

    Raises:
        OasisGanError: If the folder or the file does not say.
    """
    path = folder / "model.json"
    expected, remedy = "a model folder with a model.json", "see oasis-gan models, or name another folder"
    # Opening a pipe would wait for somebody to write into it.
    if not path.is_file():
        raise OasisGanError(path, expected=expected, found="no such file", remedy=remedy)
    if path.stat().st_size > _MAX_CARD:
        found = f"{path.stat().st_size} bytes"
        raise OasisGanError(path, expected=f"at most {_MAX_CARD} bytes", found=found, remedy=remedy)
    try:
        data = read_small(path, _MAX_CARD)
        require_unique_keys(data, path)
        kind = json.loads(data)["kind"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise OasisGanError(path, expected=expected, found=one_line(error), remedy=remedy) from None
    if not isinstance(kind, str):
        raise OasisGanError(path, expected="the name of a kind of model", found=repr(kind), remedy=remedy)
    return kind
