"""Train a slice translator: check the request, read the data, and start or resume the run."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from oasis_gan import OasisGanError, TrainingRequest

from . import checkpoints
from .backend import make_deterministic, start_devices
from .checkpoints import Checkpoint
from .model import TrainableModel
from .paired_slices import PairedSlices
from .precision import TrainingPrecision
from .replicas import Replicas
from .run import Data, Run
from .training_settings import TrainingSettings


class BatchSizeError(OasisGanError):
    """The batch cannot be divided evenly among the devices."""

    def __init__(self, batch: int, devices: int) -> None:
        expected = f"a multiple of the {devices} devices"
        super().__init__(
            "recipe: batch", expected=expected, found=str(batch), remedy="fix the recipe"
        )


class OtherSourcesError(OasisGanError):
    """The sources that a recipe names are not those of the data.

    Args:
        in_data: The names of the further sources of the subjects.
        in_recipe: The names of the further sources in the recipe.
    """

    def __init__(self, in_data: Sequence[str], in_recipe: Sequence[str]) -> None:
        super().__init__(
            "recipe: sources",
            expected=f"{_list_names(in_data)} beside the first source, as in the data",
            found=_list_names(in_recipe),
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
            expected="a checkpoint to go on from",
            found="none beside the model",
            remedy="restore it, or start a new training in another folder",
        )


def train(request: TrainingRequest, recipe: TrainingSettings, model: TrainableModel) -> None:
    """Train on ``request.subjects`` and write the model folder ``request.out``.

    On one machine with the same number of threads, the same request gives the same model bit for
    bit, whether or not the training was interrupted.

    Args:
        request: The data, the folder, and the functions that take log lines and progress.
        recipe: The validated settings.
        model: The kind of model to train.

    Raises:
        OasisGanError: If the recipe or the data cannot be used, or a loss or gradient is no longer
            finite.
        OSError: If a file cannot be read or written.
    """
    make_deterministic(recipe.seed)
    replicas = Replicas.from_environment()
    start_devices()
    if recipe.batch % replicas.devices:
        raise BatchSizeError(recipe.batch, replicas.devices)
    _require_named_sources(request, recipe)
    if replicas.is_chief:
        _require_usable_folder(request, model)
    request.out.mkdir(parents=True, exist_ok=True)
    data = _read_data(request, recipe)
    with replicas.worker_failures_as_errors("start all workers again with `resume`"):
        checkpoint = _read_checkpoint(request) if replicas.is_chief else None
        precision = TrainingPrecision.agree(recipe.precision, checkpoint, replicas, request.out)
        request.report(precision.line)
        run = Run(request, recipe, model, data, replicas, precision)
        if request.resume:
            run.resume(checkpoint)
        run.train()


def _read_checkpoint(request: TrainingRequest) -> Checkpoint | None:
    """Return the checkpoint to resume from, if there is one."""
    if not request.resume:
        return None
    return checkpoints.read_last(request.out / checkpoints.FOLDER)


def _require_named_sources(request: TrainingRequest, recipe: TrainingSettings) -> None:
    """Raise `OtherSourcesError` unless the recipe and the data name the same further sources."""
    subjects = (*request.subjects, *request.validation)
    # A subject that lacks one of its sources is left out when it is read.
    in_data = {name for subject in subjects for name in subject.further}
    _, *in_recipe = recipe.named_sources
    if in_data != set(in_recipe):
        raise OtherSourcesError(sorted(in_data), in_recipe)


def _list_names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _require_usable_folder(request: TrainingRequest, model: TrainableModel) -> None:
    """Raise `OasisGanError` if there is a training to keep, or no checkpoint to resume from."""
    out = request.out
    folder = out / checkpoints.FOLDER
    has_checkpoints = checkpoints.exist(folder)
    if has_checkpoints and not request.resume:
        raise FolderInUseError(out)
    has_model = (out / model.files[0]).exists()
    if request.resume and has_model and not has_checkpoints:
        raise NoCheckpointError(folder)


def _read_data(request: TrainingRequest, recipe: TrainingSettings) -> Data:
    """Read all subjects."""
    pairs = PairedSlices(request.subjects, recipe, request.report)
    held_out = _read_held_out(request, recipe)
    data = Data(pairs=pairs, held_out=held_out, histogram=pairs.histogram)
    request.report(f"{len(pairs)} slices of {', '.join(pairs.names)}")
    return data


def _read_held_out(request: TrainingRequest, recipe: TrainingSettings) -> PairedSlices | None:
    """Return the held-out slices; None if no subject is held out, or none of them can be used."""
    if not request.validation:
        return None
    pairs = PairedSlices(request.validation, recipe, request.report, required=False)
    if len(pairs):
        return pairs
    request.report("no held-out subject can be used: there will be no validation")
    return None
