"""What can go wrong in a training: a class for each kind of fault.

Each class takes the facts and makes the sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oasis_gan import OasisGanError

_FIX_THE_RECIPE = "fix the recipe"
Shape = tuple[int, ...]


class WrongSettingError(OasisGanError):
    """A setting of a recipe is wrong.

    Args:
        setting: The name of the setting; empty if the recipe as a whole is wrong.
        expected: What would be right.
        found: What is there instead.
        remedy: What to do about it.
    """

    def __init__(
        self,
        setting: str,
        *,
        expected: str,
        found: str,
        remedy: str,
    ) -> None:
        super().__init__(
            f"recipe: {setting}" if setting else "recipe",
            expected=expected,
            found=found,
            remedy=remedy,
        )


class BatchSizeError(OasisGanError):
    """The batch cannot be divided evenly among the devices."""

    def __init__(self, batch: int, devices: int) -> None:
        super().__init__(
            "recipe: batch",
            expected=f"a multiple of the {devices} devices",
            found=str(batch),
            remedy=_FIX_THE_RECIPE,
        )


class OtherSourcesError(OasisGanError):
    """The sources that the recipe names are not those of the data.

    Args:
        in_data: The names of the further sources of the subjects.
        in_recipe: The names of the further sources in the recipe.
    """

    def __init__(self, in_data: Sequence[str], in_recipe: Sequence[str]) -> None:
        super().__init__(
            "recipe: sources",
            expected=f"{_join(in_data)} beside the first source, as in the data",
            found=_join(in_recipe),
            remedy="name the same sources in the recipe and in the data",
        )


class FolderInUseError(OasisGanError):
    """A new training would replace another one."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            expected="a new folder",
            found="one with checkpoints",
            remedy="continue it with `resume`, or name another folder",
        )


class NoCheckpointError(OasisGanError):
    """A finished model cannot be trained on, because its checkpoints are gone."""

    def __init__(self, folder: Path) -> None:
        super().__init__(
            folder,
            expected="a checkpoint to resume from",
            found="none beside the model",
            remedy="restore it, or start a new training in another folder",
        )


class NotFiniteError(OasisGanError):
    """A loss or a gradient is no longer finite.

    Args:
        step: The number of updates that were done.
        name: The name of the metric.
        value: The value of the metric.
        saved: The step of the last checkpoint, 0 if there is none.
    """

    def __init__(
        self,
        *,
        step: int,
        name: str,
        value: float,
        saved: int,
    ) -> None:
        last = f"the last good checkpoint is that of step {saved}" if saved else "none is saved yet"
        super().__init__(
            f"step {step}",
            expected="finite losses and gradients",
            found=f"{name} {value}",
            remedy=f"lower the learning rate and resume; {last}",
        )


class FixedSettingError(OasisGanError):
    """A resumed training changes a setting that has to stay as it was.

    Args:
        setting: The name of the setting.
        before: The value with which the training began, as a text.
        after: The value in the recipe, as a text.
    """

    def __init__(self, setting: str, *, before: str, after: str) -> None:
        super().__init__(
            f"recipe: {setting}",
            expected=f"{before}, with which this training began",
            found=after,
            remedy="leave it out, or start a new training in another folder",
        )


class TooFewStepsError(OasisGanError):
    """A resumed training asks for fewer steps than it has done already."""

    def __init__(self, steps: int, done: int) -> None:
        super().__init__(
            "recipe: steps",
            expected=f"at least the {done} steps that are done",
            found=str(steps),
            remedy="leave it out, or start a new training",
        )


class MissingSourceError(OasisGanError):
    """A subject lacks one of the sources that the recipe names."""

    def __init__(self, where: Path, name: str) -> None:
        super().__init__(
            where,
            expected=f"a source {name} beside it",
            found="none",
            remedy="add the file",
        )


class NoUsableSubjectsError(OasisGanError):
    """No subject has a slice that can be used."""

    def __init__(self) -> None:
        super().__init__(
            "training data",
            expected="at least one usable pair",
            found="none",
            remedy="see the lines above",
        )


class UnknownHistogramSubjectError(OasisGanError):
    """The recipe takes the histogram of a subject that is not in the training set.

    Args:
        name: The name of the subject.
        known: The names of the subjects that are trained on.
    """

    def __init__(self, name: str, known: Sequence[str]) -> None:
        super().__init__(
            "recipe: histogram.subjects",
            expected=f"one of the training subjects: {', '.join(known)}",
            found=name,
            remedy=_FIX_THE_RECIPE,
        )


class OtherLossesError(OasisGanError):
    """A checkpoint comes from a training with other losses.

    Args:
        where: The checkpoint.
        expected: The names of the losses of this training.
        found: What the checkpoint says of its losses.
    """

    def __init__(self, where: object, expected: Sequence[str], found: str) -> None:
        super().__init__(
            where,
            expected=f"the losses {', '.join(expected)}",
            found=found,
            remedy="resume it with the version and the plugins that began it, or start a new "
            "training",
        )


class DamagedCheckpointError(OasisGanError):
    """A checkpoint cannot be read, or its content does not match its checksum.

    Args:
        path: The checkpoint.
        expected: What it should hold.
        found: What it holds.
        previous: The checkpoint before it, if there is one.
    """

    def __init__(
        self,
        path: Path,
        *,
        expected: str,
        found: str,
        previous: Path | None,
    ) -> None:
        remedy = "remove it and start a new training: there is no earlier checkpoint"
        if previous is not None:
            remedy = f"remove it to resume from the one before, {previous.name}"
        super().__init__(
            path,
            expected=expected,
            found=found,
            remedy=remedy,
        )


class OtherTableError(OasisGanError):
    """The table in a model folder has other columns than this training."""

    def __init__(self, path: Path, columns: Sequence[str]) -> None:
        super().__init__(
            path,
            expected=f"a table of {', '.join(columns)}",
            found="another",
            remedy="remove it, or train into another folder",
        )


class NoTensorBoardError(OasisGanError):
    """The recipe asks for TensorBoard, but the package is not installed."""

    def __init__(self) -> None:
        super().__init__(
            "tensorboard",
            expected="TensorBoard",
            found="no such package",
            remedy="pip install 'oasis-gan[tensorboard]'",
        )


class UnsupportedPrecisionError(OasisGanError):
    """A machine cannot compute in the precision of a training.

    Args:
        where: The model folder.
        precision: The precision of the training.
        note: The note of the `ChosenPrecision` that the machine would use instead.
    """

    def __init__(self, where: Path, precision: str, note: str) -> None:
        super().__init__(
            where,
            expected=f"a training that computes in {precision}",
            found=note.removeprefix("precision: "),
            remedy="resume it on a machine that supports it, or continue with precision=float32",
        )


class BadClusterError(OasisGanError):
    """``TF_CONFIG`` does not describe a cluster of workers."""

    def __init__(self, found: str) -> None:
        super().__init__(
            "TF_CONFIG",
            expected="a cluster of workers and a task",
            found=found,
            remedy="see docs/training.md",
        )


class MissingWorkerError(OasisGanError):
    """A worker did not arrive in time, or this one cannot listen for the others."""

    def __init__(self, *, expected: str, found: str) -> None:
        super().__init__(
            "TF_CONFIG",
            expected=expected,
            found=found,
            remedy="start every worker of TF_CONFIG with the same command",
        )


class LostWorkerError(OasisGanError):
    """A worker has stopped during the training.

    Args:
        number: The number of the worker, if it is known.
        remedy: What to do about it.
    """

    def __init__(self, number: str | None, remedy: str) -> None:
        super().__init__(
            "training",
            expected="all workers",
            found=f"worker {number} gone" if number else "one gone",
            remedy=remedy,
        )


def _join(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
