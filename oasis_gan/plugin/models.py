"""Describe model plugins: a kind of model, how it is trained, and how it translates volumes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from ..errors import one_line
from ..image.encoding import Encoding, FittedEncoding
from ..image.volume import CleanVolume, Volume
from ..io.files import read_small
from ..io.strict_json import require_unique_keys
from .datasets import Subject
from .description import Description
from .errors import ModelFolderError, WrongComputationError
from .options import Option
from .training_data import TrainingData

_MAX_CARD = 2**20  # bytes
VOLUME = "volume"
"""A model's name for the volume in an error; the tool replaces it with the name of the file."""
UNCERTAINTY = "uncertainty"
"""The name of the map that says how uncertain a model is, and of the option that asks for it.

The map is a standard deviation in the units of the target's intensities. A model that can make it
has a `bool` option of this name, and returns the map in `Translation.maps` if the option is true.
The volume is the same either way.
"""
FLIP = "flip"
"""The name of the option by which a model averages its answers for a head and its mirror image.

A model without the option gives the same volume as one whose option is false.
"""
Progress = Callable[[float], None]
"""A function that takes the fraction of a volume that is done, from 0 to 1."""


def ignore_progress(fraction: float) -> None:
    """Ignore progress."""


@dataclass(frozen=True, kw_only=True)
class ModelCard:
    """A description of a trained model, which has sources, a target and options.

    Args:
        name: The name of the trained model.
        version: The version of the trained model.
        sources: The encoding of each source, by name. The answer is on the grid of the first.
        target: The encoding of the answer.
        output: The suffix in the names of outputs, such as ``T1w``.
        weights_sha256: The SHA-256 of the weights; empty if there are none.
        options: The user's choices; `ModelKind.load` takes each of them as a keyword argument.
        details: Further settings that affect outputs, as JSON for the sidecar of each output.
        note: A warning for the user, such as that training is not finished; empty if there is none.
    """

    name: str
    version: str
    sources: Mapping[str, Encoding]
    target: FittedEncoding
    output: str
    weights_sha256: str = ""
    options: tuple[Option, ...] = ()
    details: Mapping[str, object] = field(default_factory=dict)
    note: str = ""

    @property
    def source(self) -> Encoding:
        """Return the encoding of the first source."""
        return next(iter(self.sources.values()))

    def option(self, name: str) -> Option | None:
        """Return the option called ``name``, or None if the model has no such choice."""
        return next((option for option in self.options if option.name == name), None)


@dataclass(frozen=True, kw_only=True)
class Translation:
    """What a model returns for its sources.

    Args:
        volume: The answer, on the grid of the first source.
        maps: Further volumes on that grid by name, such as ``uncertainty``: see `UNCERTAINTY`.
        details: How the answer was computed, such as the slicing planes, as JSON for the sidecar
            of the output.
    """

    volume: Volume
    maps: Mapping[str, Volume] = field(default_factory=dict)
    details: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Computation:
    """How a translator computes, which the sidecar of each output records.

    Args:
        precision: The number format of the arithmetic, such as ``float32`` or ``bfloat16``. Outputs
            computed in different precisions are different outputs.
        software: The versions of the packages that compute, by name, such as
            ``{"tensorflow": "2.21.0"}``.
        threads: The number of threads.
        note: A line for the user if the precision is not the requested one; empty if it is.
    """

    precision: str
    software: Mapping[str, str]
    threads: int
    note: str = ""

    def record(self) -> dict[str, object]:
        """Return the facts about the machine; outputs do not depend on them."""
        return {"software": dict(self.software), "threads": self.threads}


class Translator(Protocol):
    """A trained model that is ready to use: it takes named volumes and returns a volume.

    A translator may also have an attribute ``computation``, a `Computation`. The sidecar of each
    output then says how the output was computed. If the precision changes, an output that is
    already there counts as a different one.

    It may have a method ``with_target`` that takes a `FittedEncoding` and returns the same
    translator with answers in that encoding, for example in the contrast of another scan. The
    outputs of other translators are converted to the other contrast afterwards.
    """

    @property
    def card(self) -> ModelCard:
        """What goes in, what comes out, and what can be chosen."""

    def translate(
        self, sources: Mapping[str, CleanVolume], progress: Progress = ignore_progress
    ) -> Translation:
        """Return what the model makes of its sources.

        The same sources give the same answer.

        Args:
            sources: A volume for each of the card's sources, in their order and on one grid, with
                values that the encodings know.
            progress: Called with the fraction that is done, as often as the model likes.

        Raises:
            OasisGanError: If the model cannot translate the sources. An error about the sources
                names `VOLUME`.
        """


def computation_of(translator: Translator) -> Computation | None:
    """Return how a translator computes, or None if it does not say.

    Raises:
        OasisGanError: If it says so in something other than a `Computation`.
    """
    computation: object = getattr(translator, "computation", None)
    if computation is None or isinstance(computation, Computation):
        return computation
    raise WrongComputationError(translator, computation)


def _ignore_steps(step: int, steps: int, doing: str) -> None:
    """Ignore the progress of a training."""


def _never_stop() -> bool:
    """Never ask a training to stop."""
    return False


@dataclass(frozen=True, kw_only=True)
class TrainingRequest:
    """What a training receives: its data, its settings and its callbacks.

    Args:
        subjects: The pairs to learn from.
        validation: The pairs to validate on, which are never learnt from.
        out: The model folder to fill; it exists, and holds the settings and the split.
        recipe: The settings, as read from the user's TOML file and options; the kind validates
            them. ``labels`` among them is a `LabelSet`, which the user gave by name. What the
            volumes hold, and what label maps were converted to, is what `ModelKind.check_settings`
            said.
        report: Called with each line to keep in the log.
        progress: Called with the step, the number of steps, and a few words such as ``L1 0.0113``,
            as often as the kind likes.
        cache: A folder in which the kind can keep what it derives from the data, such as training
            slices; several trainings can share it. None if the user names no folder. The kind then
            keeps such files in ``out``, and removes them when the training is finished.
        resume: Whether to resume the training in ``out``.
        stop_requested: Returns whether a signal asks to stop. A kind that calls this after each
            step can save its work and return; one that never does is interrupted anywhere.
    """

    subjects: tuple[Subject, ...]
    validation: tuple[Subject, ...]
    out: Path
    recipe: Mapping[str, object]
    report: Callable[[str], None]
    progress: Callable[[int, int, str], None] = _ignore_steps
    cache: Path | None = None
    resume: bool = False
    stop_requested: Callable[[], bool] = _never_stop


@dataclass(frozen=True, kw_only=True)
class ModelKind(Description):
    """A model plugin: one architecture, and the trained models that come with it.

    Args:
        name: The ``kind`` in a model folder's ``model.json``.
        summary: One line for ``oasis-gan plugins``.
        card: Returns what a folder says of the model in it, without loading it.
        load: Returns the model in a folder, ready to translate. Each option of the card is an
            optional keyword argument. Like ``card``, it raises `OasisGanError` if the folder cannot
            be trusted.
        train: Fills a model folder; None if the kind cannot be trained.
        shipped: The folders of trained models, by name.
        presets: TOML files of settings to train with, by name.
        exports: Functions by the name of a format for other software. Each writes the model in a
            folder to a new file or folder, which takes its final name once the function returns,
            and is removed if it raises.
        check_settings: Takes settings as in `TrainingRequest.recipe`, and returns what the training
            learns from, or None if the settings do not say. It raises `OasisGanError` about the
            first setting that is wrong. It must be quick, because it is called before anything is
            read.
        check_resume: Takes the folder of a training, its settings so far and the new ones, and
            raises `OasisGanError` if the training cannot go on with them. It is called before
            anything is read or written.
        renamed_settings: The present name of each setting that had another name in an earlier
            version, by its earlier name, such as ``{"keep": "keep_checkpoints"}``. A dot separates
            a table from its setting. The command line accepts both names, and passes on the present
            one.
        leads: Tells whether this process writes the model folder, because only one of several that
            train together does. If None, it does.
    """

    card: Callable[[Path], ModelCard]
    load: Callable[..., Translator]
    train: Callable[[TrainingRequest], None] | None = None
    shipped: Mapping[str, Path] = field(default_factory=dict)
    presets: Mapping[str, Path] = field(default_factory=dict)
    exports: Mapping[str, Callable[[Path, Path], None]] = field(default_factory=dict)
    check_settings: Callable[[Mapping[str, object]], TrainingData | None] | None = None
    check_resume: Callable[[Path, Mapping[str, object], Mapping[str, object]], None] | None = None
    renamed_settings: Mapping[str, str] = field(default_factory=dict)
    leads: Callable[[], bool] | None = None


def kind_of(folder: Path) -> str:
    """Return the ``kind`` in the ``model.json`` of a model folder.

    Raises:
        OasisGanError: If the folder or the file does not say.
    """
    path = folder / "model.json"
    # A pipe is not a file: opening it would block until somebody writes into it.
    if not path.is_file():
        raise ModelFolderError(path, "no such file")
    size = path.stat().st_size
    if size > _MAX_CARD:
        raise ModelFolderError(path, f"{size} bytes", expected=f"at most {_MAX_CARD} bytes")
    try:
        data = read_small(path, _MAX_CARD)
        require_unique_keys(data, path)
        kind = json.loads(data)["kind"]
    # JSON from anywhere may be a list, or be nested deeper than the parser goes.
    except (OSError, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ModelFolderError(path, one_line(error)) from None
    if not isinstance(kind, str):
        raise ModelFolderError(path, repr(kind), expected="the name of a kind of model")
    return kind
