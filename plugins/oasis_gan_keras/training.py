"""Training a slice translator: what is asked for is checked, the data are read, and the run is begun or taken up."""

from __future__ import annotations

from collections.abc import Sequence

from oasis_gan import OasisGanError, TrainingRequest

from . import checkpoints
from .backend import make_deterministic, start_devices
from .model import TrainableModel
from .paired_slices import PairedSlices
from .precision import TrainingPrecision
from .replicas import Replicas
from .run import Data, Run
from .training_settings import TrainingSettings


def train(request: TrainingRequest, recipe: TrainingSettings, model: TrainableModel) -> None:
    """Train on ``request.subjects`` and write the model folder ``request.out``.

    The same request gives the same model to the bit, on one machine with the same number of threads, whether it was
    interrupted or not.

    Args:
        request: What was asked for.
        recipe: Its settings, checked.
        model: The kind of model to train.

    Raises:
        OasisGanError: If the recipe or the data do not do, or a loss or a gradient is no longer finite.
        OSError: As the file system says.
    """
    make_deterministic(recipe.seed)
    replicas = Replicas.from_environment()
    start_devices()
    if recipe.batch % replicas.devices:
        expected = f"a multiple of the {replicas.devices} devices"
        raise OasisGanError(
            "recipe: batch", expected=expected, found=str(recipe.batch), remedy="fix the recipe"
        )
    _require_named_sources(request, recipe)
    if replicas.chief:
        _require_usable(request, model)
    request.out.mkdir(parents=True, exist_ok=True)
    data = _read(request, recipe)
    with replicas.worker_failures_as_errors("start all workers again with `resume`"):
        folder = request.out / checkpoints.FOLDER
        checkpoint = checkpoints.read_last(folder) if request.resume and replicas.chief else None
        precision = TrainingPrecision.agreed(recipe.precision, checkpoint, replicas, request.out)
        request.report(precision.line)
        run = Run(request, recipe, model, data, replicas, precision)
        if request.resume:
            run.resume(checkpoint)
        run.go()


def _require_named_sources(request: TrainingRequest, recipe: TrainingSettings) -> None:
    """Raise `OasisGanError` if the recipe and the data do not name the same sources beside the first."""
    subjects = (*request.subjects, *request.validation)
    # A single subject without one of them is left out when it is read.
    in_data = {name for subject in subjects for name in subject.further}
    _, *in_recipe = recipe.named_sources
    if in_data == set(in_recipe):
        return
    expected = f"{_list_names(sorted(in_data))} beside the first source, as in the data"
    remedy = "name the same sources in the recipe and in the data"
    raise OasisGanError(
        "recipe: sources", expected=expected, found=_list_names(in_recipe), remedy=remedy
    )


def _list_names(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"


def _require_usable(request: TrainingRequest, model: TrainableModel) -> None:
    """Raise `OasisGanError` if a new training would replace another, or there is nothing to go on from."""
    out = request.out
    begun = checkpoints.exist(out / checkpoints.FOLDER)
    if begun and not request.resume:
        remedy = "go on with it by `resume`, or name another folder"
        raise OasisGanError(
            out, expected="a new folder", found="one with checkpoints", remedy=remedy
        )
    if request.resume and not begun and (out / model.files[0]).exists():
        where = out / checkpoints.FOLDER
        remedy = "restore it, or train anew into another folder"
        expected = "a checkpoint to go on from"
        raise OasisGanError(where, expected=expected, found="none beside the model", remedy=remedy)


def _read(request: TrainingRequest, recipe: TrainingSettings) -> Data:
    """Read all subjects."""
    pairs = PairedSlices(request.subjects, recipe, request.report)
    held_out = _read_held_out(request, recipe)
    data = Data(pairs=pairs, held_out=held_out, histogram=pairs.histogram)
    request.report(f"{len(pairs)} slices of {', '.join(pairs.names)}")
    return data


def _read_held_out(request: TrainingRequest, recipe: TrainingSettings) -> PairedSlices | None:
    """Return what to measure on; nothing if nobody is held out, or nobody of them can be used."""
    if not request.validation:
        return None
    pairs = PairedSlices(request.validation, recipe, request.report, needed=False)
    if len(pairs):
        return pairs
    request.report("nobody is left to measure on: there will be no held-out figures")
    return None
